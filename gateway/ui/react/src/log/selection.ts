/** Lines that the reader selected: by their seqs, so that it outlives what is on screen. Pure. */

import type { Range } from "./rows.ts";

export interface Selection {
  /** Where it began, and where it ends: either may be the lower one. */
  readonly anchor: number;
  readonly head: number;
}

export function selected(anchor: number, head: number = anchor): Selection {
  return { anchor, head };
}

/** Move its end to *seq*; one line if there is none yet. */
export function extended(selection: Selection | null, seq: number): Selection {
  return { anchor: selection?.anchor ?? seq, head: seq };
}

export function rangeOf({ anchor, head }: Selection): Range {
  return { first: Math.min(anchor, head), last: Math.max(anchor, head) };
}

export function isSelected(selection: Selection | null, seq: number): boolean {
  return selection !== null && seq >= Math.min(selection.anchor, selection.head) && seq <= Math.max(selection.anchor, selection.head);
}
