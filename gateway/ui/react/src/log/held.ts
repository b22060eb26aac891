/** Find records by seq: in the store's window, else in blocks asked for when they are looked at. */

import type { LogRecord, LogSnapshot, RestApi } from "@runtail/client";
import { Blocks, type Found } from "./blocks.ts";
import { lastWhere } from "./rows.ts";

/** The record *seq* of *records*, which ascend and are consecutive but for holes; null: it is not there. */
export function inWindow(records: readonly LogRecord[], seq: number): LogRecord | null {
  const first = records[0];
  if (!first || seq < first.seq) return null;
  const guess = records[seq - first.seq];
  if (guess?.seq === seq) return guess;
  const near = records[lastWhere(records, (record) => record.seq <= seq)];
  return near?.seq === seq ? near : null;
}

/** Index in *records* of the first one beyond *seq*. */
export function indexAfter(records: readonly LogRecord[], seq: number): number {
  return lastWhere(records, (record) => record.seq <= seq) + 1;
}

/** Most records found by a filter that are kept beside the window. */
const MOST_FOUND = 20_000;

export class Held {
  readonly #blocks: Blocks;
  readonly #found = new Map<number, LogRecord>();
  #records: readonly LogRecord[] = [];
  #resets = 0;
  #last = 0;

  constructor(rest: RestApi, executionId: string, now: () => number, loaded: (records: readonly LogRecord[]) => void) {
    this.#blocks = new Blocks(
      async (first, last, signal) => {
        const whole = last <= this.#last;
        const page = await rest.logs(executionId, { before: last + 1, limit: last - first + 1, signal });
        return { records: page.records.filter((record) => record.seq >= first), whole };
      },
      now,
      loaded,
    );
  }

  /** Take what the store holds now; answer whether what was remembered beside it is void. */
  take(snapshot: LogSnapshot): boolean {
    this.#records = snapshot.records;
    this.#last = snapshot.lastSeq;
    if (snapshot.resets === this.#resets) return false;
    this.#resets = snapshot.resets;
    this.#blocks.clear();
    this.#found.clear();
    return true;
  }

  get(seq: number): Found {
    return inWindow(this.#records, seq) ?? this.#found.get(seq) ?? this.#blocks.get(seq);
  }

  /** The record *seq*, if it is here. */
  here(seq: number): LogRecord | null {
    const found = this.get(seq);
    return typeof found === "string" ? null : found;
  }

  /** The lines *seqs* are on screen. */
  want(seqs: readonly number[]): void {
    this.#blocks.want(seqs.filter((seq) => inWindow(this.#records, seq) === null && !this.#found.has(seq)));
  }

  /** Keep what a filtered page brought, a bounded number of records. */
  keep(records: readonly LogRecord[]): void {
    for (const record of records) this.#found.set(record.seq, record);
    for (const seq of this.#found.keys()) {
      if (this.#found.size <= MOST_FOUND) return;
      this.#found.delete(seq);
    }
  }

  close(): void {
    this.#blocks.clear();
  }
}
