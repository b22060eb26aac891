/** Find records by seq: in the store's window, else in blocks asked for when they are looked at. */

import type { LogRecord, LogSnapshot, RestApi } from "@runtail/client";
import { linesOf } from "./asking.ts";
import { Blocks, type Found } from "./blocks.ts";
import { lastWhere } from "./rows.ts";
import { weightOf } from "./weight.ts";

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

export interface FoundBounds {
  readonly records: number;
  /** About so many characters of them. */
  readonly weight: number;
}

/** What is kept beside the window of records that a filter found. */
export const MOST_FOUND: FoundBounds = { records: 20_000, weight: 16_000_000 };

export class Held {
  readonly #blocks: Blocks;
  readonly #found = new Map<number, { readonly record: LogRecord; readonly weight: number }>();
  readonly #bounds: FoundBounds;
  #weight = 0;
  #records: readonly LogRecord[] = [];
  #resets = 0;
  #last = 0;

  constructor(rest: RestApi, executionId: string, now: () => number, loaded: (records: readonly LogRecord[]) => void, bounds = MOST_FOUND) {
    this.#bounds = bounds;
    this.#blocks = new Blocks(
      async (first, last, signal) => {
        const whole = last <= this.#last;
        return { records: await linesOf(rest, executionId, first, last, signal), whole };
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
    this.#weight = 0;
    return true;
  }

  get(seq: number): Found {
    return inWindow(this.#records, seq) ?? this.#found.get(seq)?.record ?? this.#blocks.get(seq);
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

  /** Keep what a filtered page brought, within bounds: what was kept first goes first. */
  keep(records: readonly LogRecord[]): void {
    for (const record of records) {
      if (this.#found.has(record.seq)) continue;
      const weight = weightOf(record);
      this.#found.set(record.seq, { record, weight });
      this.#weight += weight;
    }
    for (const [seq, { weight }] of this.#found) {
      if (this.#found.size <= this.#bounds.records && this.#weight <= this.#bounds.weight) return;
      this.#found.delete(seq);
      this.#weight -= weight;
    }
  }

  close(): void {
    this.#blocks.clear();
  }
}
