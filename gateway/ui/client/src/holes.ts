/** What of a log is known to be missing, and the proof that nothing else is. Pure. */

import type { Totals } from "./records.ts";
import type { Completeness } from "./snapshot.ts";

const REMEMBERED = 1000;

interface Hole {
  readonly first: number;
  last: number;
  /** null: unknown. */
  lost: number | null;
}

const plus = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a + b);

/** The missing ranges of one log, ascending. */
export interface Holes {
  /** Note that *lost* records from seq *first* to *last* are gone; later than all holes before. */
  add(first: number, last: number, lost: number | null): void;
  /** Forget what lies beyond *seq*; answer how many of the seqs beyond it were missing. */
  cut(seq: number): number;
  /**
   * Judge a log that was followed from behind the seq *start* to its end. What lies before *start*
   * was not received: the gateway holds it from `totals.first` on, and the rest of it is missing.
   */
  judge(totals: Totals, start: number): Completeness;
}

export function holesOf(): Holes {
  const held: Hole[] = [];
  return {
    add(first, last, lost) {
      const newest = held.at(-1);
      if (newest === undefined || held.length < REMEMBERED) {
        held.push({ first, last, lost });
      } else {
        // Too many to list: the last one grows, so that the sum and the verdict stay right.
        newest.last = last;
        newest.lost = plus(newest.lost, lost);
      }
    },
    cut(seq) {
      let missing = 0;
      for (let hole = held.at(-1); hole !== undefined && hole.last > seq; hole = held.at(-1)) {
        held.pop();
        missing += hole.last - Math.max(seq, hole.first - 1);
        if (hole.first <= seq) held.push({ ...hole, last: seq, lost: hole.lost && seq - hole.first + 1 });
      }
      return missing;
    },
    judge({ first, records }, start) {
      const trimmed = Math.min(start, first - 1);
      const holes = trimmed > 0 ? [{ first: 1, last: trimmed, lost: trimmed }, ...held] : held;
      if (holes.length === 0) return { state: "complete", records };
      const lost = holes.reduce<number | null>((sum, hole) => plus(sum, hole.lost), 0);
      const ranges = holes.filter((hole) => hole.first <= hole.last).map((hole) => [hole.first, hole.last] as const);
      return { state: "missing", records, lost, ranges };
    },
  };
}
