/** The newest records of a log, as many as a page may hold. Pure. */

import type { LogRecord } from "./records.ts";

const NOTHING: readonly LogRecord[] = [];

/** Keep the newest *limit* records (0: all). Adding costs the same however many are held. */
export class RecordWindow {
  readonly #limit: number;
  readonly #held: LogRecord[] = [];
  #shown: readonly LogRecord[] | null = NOTHING;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Add *records*, which come after all that are held. */
  push(records: readonly LogRecord[]): void {
    for (const record of records) this.#held.push(record);
    this.#shown = null;
    // Some more than shown are held, so that the array is moved once in a while, not each time.
    const excess = this.#held.length - this.#limit;
    if (this.#limit > 0 && excess > this.#limit / 8) this.#held.splice(0, excess);
  }

  /** Drop the records beyond *seq*; answer how many that were. */
  cut(seq: number): number {
    const held = this.#held;
    let kept = held.length;
    while ((held[kept - 1]?.seq ?? 0) > seq) kept -= 1;
    const dropped = held.length - kept;
    held.length = kept;
    if (dropped > 0) this.#shown = null;
    return dropped;
  }

  /** The window as it is now: the same array until it changes, never changed itself. */
  get records(): readonly LogRecord[] {
    this.#shown ??= this.#held.slice(-this.#limit);
    return this.#shown;
  }
}
