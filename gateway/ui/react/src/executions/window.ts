/** Which rows of one height are drawn. Pure. */

export interface RowWindow {
  readonly first: number;
  /** Behind the last one. */
  readonly end: number;
}

/** Rows drawn beyond both edges: a turn of the wheel meets no empty place. */
const OVERSCAN = 6;

/** The rows of *count* that a window of *height* px at *top* shows. */
export function windowOf(count: number, rowHeight: number, top: number, height: number): RowWindow {
  const first = Math.max(0, Math.min(count, Math.floor(top / rowHeight)) - OVERSCAN);
  return { first, end: Math.min(count, Math.ceil((top + height) / rowHeight) + OVERSCAN) };
}

/** Where to scroll so that row *index* is to be seen; null: it is. */
export function scrolledTo(index: number, rowHeight: number, top: number, height: number): number | null {
  const at = index * rowHeight;
  if (at < top) return at;
  return at + rowHeight > top + height ? at + rowHeight - height : null;
}
