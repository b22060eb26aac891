/** Notes as what stands beside lines of the log. Pure. */

import type { Note } from "@runtail/client";
import type { Mark, Range } from "../log/index.ts";

export interface NoteLines {
  readonly marks: ReadonlyMap<number, Mark>;
  readonly ranges: readonly Range[];
}

/** More ranges than this are not drawn along the lines; their notes are in the list all the same. */
const MOST_RANGES = 1_000;

export const rangeOf = ({ seq, to_seq }: Pick<Note, "seq" | "to_seq">): Range => ({ first: seq, last: Math.max(seq, to_seq ?? seq) });

export function noteLines(notes: readonly Note[]): NoteLines {
  const marks = new Map<number, Mark>();
  for (const { seq, author, text } of notes) {
    const words = `${author ? `${author}: ` : ""}${text.split("\n")[0] ?? ""}`;
    const known = marks.get(seq);
    marks.set(seq, known === undefined ? { count: 1, text: words } : { count: known.count + 1, text: known.text });
  }
  return { marks, ranges: notes.slice(0, MOST_RANGES).map(rangeOf) };
}
