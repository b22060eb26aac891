/** What a page adds to lines of the log: notes beside them, a prefix before them. */

import type { LogRecord } from "@runtail/client";
import type { Range } from "./rows.ts";
import { button, make } from "./text_dom.ts";
import { visible } from "./visible.ts";

/** Beside a line. */
export interface Mark {
  /** How many things it stands for. */
  readonly count: number;
  /** Its words, cut by the room there is. */
  readonly text: string;
}

/** Before what a line says. */
export interface Prefix {
  readonly text: string;
  /** 0 … 7: one of the colours for telling apart. */
  readonly colour: number;
}

export interface Dressing {
  /** By line. */
  readonly marks: ReadonlyMap<number, Mark>;
  /** Lines that a mark is about. */
  readonly ranges: readonly Range[];
  /** What a click on a mark does. */
  readonly onMark: (seq: number) => void;
  /** Said by a mark's button to whoever does not see it. */
  readonly markLabel: (mark: Mark) => string;
  readonly prefixOf: ((record: LogRecord) => Prefix | null) | null;
}

const MOST_TEXT = 120;

/** Put the mark of the line *seq* behind what is in *line*; a row's element is used again, so an old one goes. */
export function markLine(row: HTMLElement, line: HTMLElement, seq: number, dressing: Dressing | null): void {
  line.querySelector(".rt-note-cell")?.remove();
  row.classList.toggle("rt-noted", dressing !== null && dressing.ranges.some(({ first, last }) => first <= seq && seq <= last));
  const mark = dressing?.marks.get(seq);
  if (dressing === null || mark === undefined) return;
  const label = dressing.markLabel(mark);
  const made = button("rt-note", "", label, () => dressing.onMark(seq));
  made.append(make("span", "rt-note-text", visible(mark.text.slice(0, MOST_TEXT))));
  if (mark.count > 1) made.append(make("span", "rt-note-count", String(mark.count)));
  const cell = make("span", "rt-note-cell");
  cell.setAttribute("role", "cell");
  cell.append(made);
  line.append(cell);
}

/** The prefix of *record*, as an element; null: it has none. */
export function prefixFor(record: LogRecord, dressing: Dressing | null): HTMLElement | null {
  const prefix = dressing?.prefixOf?.(record) ?? null;
  return prefix === null ? null : make("span", `rt-prefix rt-prefix-${prefix.colour % 8}`, visible(prefix.text));
}
