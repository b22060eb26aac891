/** The newest records of a log, as many as a page may hold. Pure. */

import type { LogRecord } from "./records.ts";

export interface RecordWindow {
  /** The window as it is now: the same array until it changes, never changed itself. */
  readonly records: readonly LogRecord[];
  /** Add *records*, which come after all that are held. */
  push(records: readonly LogRecord[]): void;
  /** Drop the records beyond *seq*; answer how many that were. */
  cut(seq: number): number;
}

/** Keep the newest *limit* records (0: all). Adding costs the same however many are held. */
export function recordWindow(limit: number): RecordWindow {
  const held: LogRecord[] = [];
  let shown: readonly LogRecord[] | null = null;
  return {
    get records() {
      shown ??= held.slice(-limit);
      return shown;
    },
    push(records) {
      if (records.length === 0) return;
      for (const record of records) held.push(record);
      shown = null;
      // Some more than shown are held, so that the array is moved once in a while, not each time.
      const excess = held.length - limit;
      if (limit > 0 && excess > limit / 8) held.splice(0, excess);
    },
    cut(seq) {
      let kept = held.length;
      while ((held[kept - 1]?.seq ?? 0) > seq) kept -= 1;
      const dropped = held.length - kept;
      held.length = kept;
      if (dropped > 0) shown = null;
      return dropped;
    },
  };
}
