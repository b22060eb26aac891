/** Where rows are, in pixels from the first: rows and their heights together. Pure. */

import type { Heights } from "./heights.ts";
import type { Row, Rows } from "./rows.ts";

export interface Anchor {
  readonly seq: number;
  /** Pixels from the top of that row to the top of the screen. */
  readonly into: number;
}

export class Layout {
  readonly rows: Rows;
  readonly heights: Heights;
  readonly rowHeight: number;

  constructor(rows: Rows, heights: Heights, rowHeight: number) {
    this.rows = rows;
    this.heights = heights;
    this.rowHeight = rowHeight;
  }

  get total(): number {
    return this.rows.count * this.rowHeight + this.heights.total;
  }

  /** Top of the row *index*; of one beyond the last, the end. */
  offsetOf(index: number): number {
    if (index >= this.rows.count) return this.total;
    return index * this.rowHeight + this.heights.before(this.rows.at(index).seq);
  }

  heightOf(row: Row): number {
    return this.rowHeight + (row.kind === "record" ? this.heights.get(row.seq) : 0);
  }

  /** Index of the row that covers *offset*; the first or last one outside. */
  indexAt(offset: number): number {
    const count = this.rows.count;
    if (this.heights.total === 0) return Math.max(0, Math.min(count - 1, Math.floor(offset / this.rowHeight)));
    let low = 0;
    let high = Math.max(0, Math.min(count - 1, Math.ceil(offset / this.rowHeight)));
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsetOf(middle) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** What stands at *offset*, to find it again when rows above came, went or grew. */
  anchorAt(offset: number): Anchor {
    if (this.rows.count === 0) return { seq: 0, into: 0 };
    let index = this.indexAt(offset);
    while (this.rows.at(index).kind === "notice" && index < this.rows.count - 1) index += 1; // notices come and go
    return { seq: this.rows.at(index).seq, into: offset - this.offsetOf(index) };
  }

  /** Whether the line *seq* has a row. */
  shows(seq: number): boolean {
    const index = this.rows.indexOf(seq);
    return index >= 0 && this.rows.at(index).seq === seq;
  }

  /** Where *anchor* stands now. */
  offsetOfAnchor(anchor: Anchor): number {
    const index = this.rows.indexOf(anchor.seq);
    if (index < 0) return 0;
    const same = this.rows.at(index).seq === anchor.seq;
    return this.offsetOf(index) + (same ? anchor.into : 0);
  }
}
