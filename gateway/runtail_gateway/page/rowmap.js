// Which row shows what: every item takes one row, an open one as many more as its details. Pure.

/** Details open at one time; opening one more closes the oldest. */
const MAX_OPEN = 100;

/** All rows have one height, so a row's place is a multiplication, and every row can be reached. */
export class RowMap {
  #open = new Map(); // item number → its lines of details
  #places = []; // [index, first extra row, lines], rising

  isOpen(number) {
    return this.#open.has(number);
  }

  get openNumbers() {
    return [...this.#open.keys()];
  }

  open(number, details) {
    this.#open.set(number, details);
    if (this.#open.size > MAX_OPEN) this.#open.delete(this.#open.keys().next().value);
  }

  close(number) {
    this.#open.delete(number);
  }

  /** Work out the places anew after *store* changed. */
  arrange(store) {
    const places = [];
    for (const [number, details] of this.#open) {
      const index = store.indexOf(number);
      if (index < store.length && store.numberAt(index) === number) places.push([index, 0, details]);
      else if (number < store.dropped) this.#open.delete(number);
    }
    places.sort((a, b) => a[0] - b[0]);
    let extra = 0;
    for (const place of places) {
      place[1] = place[0] + 1 + extra;
      extra += place[2].length;
    }
    this.#places = places;
    this.rows = store.length + extra;
  }

  rows = 0;

  /** What *row* shows: the item at `index`, or with `line` >= 0 that line of its details. */
  at(row) {
    let extra = 0;
    for (const [, first, details] of this.#places) {
      if (row < first) break;
      if (row < first + details.length) {
        return { index: first - 1 - extra, line: row - first, text: details[row - first] };
      }
      extra += details.length;
    }
    return { index: row - extra, line: -1, text: null };
  }

  /** The row of the item at *index*. */
  rowOf(index) {
    let extra = 0;
    for (const [place, , details] of this.#places) {
      if (place >= index) break;
      extra += details.length;
    }
    return index + extra;
  }
}
