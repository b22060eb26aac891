/** The lines that pass a filter: those in the store's window at once, older ones page by page. */

import type { LogRecord, RestApi } from "@runtail/client";
import { passes } from "./matching.ts";
import type { LogFilter } from "./place.ts";

const PAGE = 500;
/** Most lines that are listed; beyond, the reader is asked to narrow the filter. */
const MOST_LINES = 500_000;

export class Matches {
  readonly filter: LogFilter;
  /** Ascending. */
  #older: number[] = []; // descending, so that older ones are pushed
  #newer: number[] = [];
  #seqs: number[] | null = null;
  #lookedFrom = 0;
  #lookedTo = 0;
  #abort: AbortController | null = null;
  #failed = false;

  constructor(filter: LogFilter) {
    this.filter = filter;
  }

  /** Seqs that pass, ascending. */
  get seqs(): readonly number[] {
    this.#seqs ??= this.#older.length === 0 ? this.#newer : [...this.#older.toReversed(), ...this.#newer];
    return this.#seqs;
  }

  get count(): number {
    return this.#older.length + this.#newer.length;
  }

  /** Every line from here on was looked at; 0: none yet. */
  get lookedFrom(): number {
    return this.#lookedFrom;
  }

  get lookedTo(): number {
    return this.#lookedTo;
  }

  get busy(): boolean {
    return this.#abort !== null;
  }

  get failed(): boolean {
    return this.#failed;
  }

  get full(): boolean {
    return this.count >= MOST_LINES;
  }

  /** Whether older lines than *first* were left unlooked at. */
  hasOlder(first: number): boolean {
    return !this.full && this.#lookedFrom > first;
  }

  /** Take new *records*, which continue what was looked at; a hole before them makes it begin anew. */
  take(records: readonly LogRecord[], from: number): void {
    if (this.#lookedTo !== 0 && from > this.#lookedTo + 1) this.#begin();
    if (this.#lookedTo === 0) this.#lookedFrom = from;
    if (this.#seqs !== null && this.#seqs !== this.#newer) this.#seqs = null;
    for (const record of records) {
      if (record.seq <= this.#lookedTo) continue;
      this.#lookedTo = record.seq;
      if (!this.full && passes(record, this.filter)) this.#newer.push(record.seq);
    }
  }

  /** Nothing is in the window: begin to look back from *last*. */
  startAt(last: number): void {
    if (this.#lookedTo !== 0) return;
    this.#lookedFrom = last + 1;
    this.#lookedTo = last;
  }

  /** Look one page further back; answer the records that it brought (null: it was cut off). */
  async back(rest: RestApi, executionId: string): Promise<readonly LogRecord[] | null> {
    const abort = new AbortController();
    this.#abort = abort;
    const { levels, steps } = this.filter;
    try {
      const page = await rest.logs(executionId, { before: this.#lookedFrom, limit: PAGE, level: levels, step: steps, signal: abort.signal });
      if (abort.signal.aborted) return null;
      this.#failed = false;
      this.#found(page.matches);
      this.#lookedFrom = Math.min(this.#lookedFrom, page.before ?? 1);
      return page.records;
    } catch {
      this.#failed = !abort.signal.aborted; // shown, and tried again when it is looked at again
      return null;
    } finally {
      if (this.#abort === abort) this.#abort = null;
    }
  }

  /** Forget lines beyond *seq*: they were withdrawn. */
  withdraw(seq: number): void {
    this.stop();
    if (seq < this.#lookedFrom) return this.#begin();
    this.#newer = this.#newer.filter((each) => each <= seq);
    this.#older = this.#older.filter((each) => each <= seq);
    this.#lookedTo = Math.min(this.#lookedTo, seq);
    this.#seqs = null;
  }

  stop(): void {
    this.#abort?.abort();
    this.#abort = null;
  }

  #begin(): void {
    this.stop();
    this.#older = [];
    this.#newer = [];
    this.#seqs = null;
    this.#lookedFrom = 0;
    this.#lookedTo = 0;
  }

  #found(matches: readonly number[]): void {
    const room = Math.max(0, MOST_LINES - this.count);
    const older = matches.filter((seq) => seq < this.#lookedFrom).toReversed();
    this.#older.push(...older.slice(0, room));
    this.#seqs = null;
  }
}
