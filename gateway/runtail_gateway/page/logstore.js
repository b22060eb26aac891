// What one pane holds of a log: records and the markers between them, bounded, filtered. No DOM.

/** Older records leave the view beyond these; the log itself keeps them. */
export const MAX_RECORDS_IN_VIEW = 200_000;
export const MAX_CHARS_IN_VIEW = 64_000_000;

/**
 * Items are `{kind, record}` of the protocol or `{marker, …}`; each has a number that never
 * changes. Shown items are those that pass the level filter; everything but logs always passes.
 */
export class LogStore {
  /** How many items, and how many records among them, have left the view at its head. */
  dropped = 0;
  droppedRecords = 0;
  /** How many shown items have left the view at its head since the filter was set. */
  droppedShown = 0;
  counts = { debug: 0, info: 0, warning: 0, error: 0 };
  records = 0;
  #items = [];
  #sizes = [];
  #chars = 0;
  #levels = new Set();
  #shown = null; // numbers of the shown items; null: all of them
  #shownRecords = 0;

  /** Add *records*, which took *chars* characters on the wire. */
  addRecords(records, chars) {
    const size = chars / records.length;
    for (const record of records) this.#add({ kind: record.kind ?? "log", record }, size);
    this.#dropHead();
  }

  addMarker(marker) {
    this.#add(marker, 200);
  }

  /** Withdraw every record beyond *seq* and what was marked among them. */
  truncate(seq) {
    let keep = this.#items.length;
    while (keep > 0 && !(this.#items[keep - 1].record?.seq <= seq)) keep -= 1;
    for (const item of this.#items.slice(keep)) this.#count(item, -1);
    for (const size of this.#sizes.slice(keep)) this.#chars -= size;
    this.#items.length = keep;
    this.#sizes.length = keep;
    if (this.#shown) this.#shown.length = this.#lowerBound(this.dropped + keep);
  }

  /** Show only logs of *levels*; an empty set shows everything. */
  setLevels(levels) {
    this.#levels = new Set(levels);
    this.droppedShown = 0;
    this.#shown = null;
    this.#shownRecords = this.records;
    if (this.#levels.size === 0) return;
    this.#shown = [];
    this.#shownRecords = 0;
    this.#items.forEach((item, i) => this.#show(item, this.dropped + i));
  }

  get filtered() {
    return this.#levels.size > 0;
  }

  get shownRecords() {
    return this.#shown ? this.#shownRecords : this.records;
  }

  /** How many items the view has to show. */
  get length() {
    return this.#shown ? this.#shown.length : this.#items.length;
  }

  /** The number that the next item will have. */
  get nextNumber() {
    return this.dropped + this.#items.length;
  }

  /** Number of the shown item at *index*. */
  numberAt(index) {
    return this.#shown ? this.#shown[index] : this.dropped + index;
  }

  itemAt(index) {
    return this.#items[this.numberAt(index) - this.dropped];
  }

  /** Index of the first shown item whose number is at least *number*. */
  indexOf(number) {
    if (this.#shown) return this.#lowerBound(number);
    return Math.min(Math.max(number - this.dropped, 0), this.#items.length);
  }

  #add(item, size) {
    this.#items.push(item);
    this.#sizes.push(size);
    this.#chars += size;
    this.#count(item, 1, false);
    if (this.#shown) this.#show(item, this.dropped + this.#items.length - 1);
  }

  #show(item, number) {
    if (!this.#passes(item)) return;
    this.#shown.push(number);
    if (item.record) this.#shownRecords += 1;
  }

  #passes(item) {
    return this.#levels.size === 0 || item.kind !== "log" || this.#levels.has(item.record.level);
  }

  #count(item, by, shownToo = true) {
    if (!item.record) return;
    this.records += by;
    const { level } = item.record;
    if (item.kind === "log") this.counts[level] = (this.counts[level] ?? 0) + by;
    if (shownToo && this.#shown && this.#passes(item)) this.#shownRecords += by;
  }

  // A tenth at a time: cutting an array's head costs its length.
  #dropHead() {
    if (this.records <= MAX_RECORDS_IN_VIEW * 1.1 && this.#chars <= MAX_CHARS_IN_VIEW * 1.1) return;
    let count = 0;
    let { records } = this;
    let chars = this.#chars;
    while (records > MAX_RECORDS_IN_VIEW || chars > MAX_CHARS_IN_VIEW) {
      if (count >= this.#items.length - 1) break;
      if (this.#items[count].record) records -= 1;
      chars -= this.#sizes[count];
      count += 1;
    }
    const { records: before } = this;
    for (const item of this.#items.slice(0, count)) this.#count(item, -1);
    this.droppedRecords += before - this.records;
    this.#items = this.#items.slice(count);
    this.#sizes = this.#sizes.slice(count);
    this.#chars = chars;
    this.dropped += count;
    const gone = this.#shown ? this.#lowerBound(this.dropped) : count;
    if (this.#shown) this.#shown = this.#shown.slice(gone);
    this.droppedShown += gone;
  }

  #lowerBound(number) {
    let low = 0;
    let high = this.#shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#shown[middle] < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
