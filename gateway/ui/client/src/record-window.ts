/** The newest records of a log, as many as a page may hold. Pure. */

import type { LogRecord } from "./records.ts";

/** Most records that are held, and most bytes of them (characters of JSON); 0: no bound. */
export interface WindowBounds {
  readonly windowRecords?: number;
  readonly windowBytes?: number;
}

export interface RecordWindow {
  /** The window as it is now: the same array until it changes, never changed itself. */
  readonly records: readonly LogRecord[];
  /** Add *records*, of *bytes* each, which come after all that are held. The newest one is held however large it is. */
  push(records: readonly LogRecord[], bytes: number): void;
  /** Drop the records beyond *seq*; answer how many that were. */
  cut(seq: number): number;
}

/** So many places of records that went are kept, so that the array is moved once in a while, not each time. */
const SLACK = 1000;

/** Hold the newest records within bounds. Adding costs the same however many are held. */
export function recordWindow({ windowRecords = 10_000, windowBytes = 2 ** 24 }: WindowBounds): RecordWindow {
  const most = windowRecords || Infinity;
  const mostBytes = windowBytes || Infinity;
  const held: (LogRecord | undefined)[] = [];
  const sizes: number[] = [];
  let first = 0; // of those that did not go
  let total = 0;
  let shown: readonly LogRecord[] | null = null;
  return {
    get records() {
      return (shown ??= held.slice(first) as LogRecord[]);
    },
    push(records, bytes) {
      for (const record of records) {
        held.push(record);
        sizes.push(bytes);
        total += bytes;
        shown = null;
      }
      while (first < held.length - 1 && (held.length - first > most || total > mostBytes)) {
        total -= sizes[first]!;
        held[first++] = undefined;
      }
      if (first > SLACK) {
        held.splice(0, first);
        sizes.splice(0, first);
        first = 0;
      }
    },
    cut(seq) {
      const before = held.length;
      while ((held.at(-1)?.seq ?? 0) > seq) {
        held.pop();
        total -= sizes.pop()!;
        shown = null;
      }
      return before - held.length;
    },
  };
}
