// A log on the screen: only the rows in sight are in the document, drawn once a frame.

import { detailLines } from "./details.js";
import { RowMap } from "./rowmap.js";
import { detailRow, itemRow, lineText } from "./rows.js";

const ROW_HEIGHT = 22; // px, as --row in monitoring.css
const ROWS_BEYOND_SIGHT = 12;
const DETAIL_GUTTER = 152; // px left of a detail's text, less in a narrow pane, as in log.css
const NARROW_DETAIL_GUTTER = 72;
const NARROW = 480;

/** Show *store* in *scroller*; `onFollow` hears when following or the count of new lines changes. */
export class LogView {
  following = true;
  newItems = 0;
  #scroller;
  #space;
  #window;
  #store;
  #map = new RowMap();
  #onFollow;
  #frame = 0;
  #generation = 0; // rises when numbers are used again for other items
  #active = null; // number of the item that the keyboard is at
  #top = 0;
  #anchor = null; // {number, offset}: what stands at the upper edge
  #droppedShown = 0; // as of the last frame
  #seenUntil = 0; // number of the first item that came after follow was left
  #columns = 80;
  #stop = new AbortController();
  #resizing = new ResizeObserver(() => this.#resized());

  constructor(scroller, store, onFollow) {
    this.#scroller = scroller;
    this.#store = store;
    this.#onFollow = onFollow;
    this.#space = scroller.appendChild(document.createElement("div"));
    this.#space.className = "space";
    this.#window = this.#space.appendChild(document.createElement("div"));
    this.#window.className = "window";
    this.#listen();
    this.#resizing.observe(scroller);
  }

  /** Hear that the store changed: one drawing a frame, however many changes. */
  changed() {
    this.#frame ||= requestAnimationFrame(() => this.#draw());
  }

  /** Hear that the store withdrew items: their numbers will be used again. */
  withdrawn() {
    const next = this.#store.nextNumber;
    for (const number of this.#map.openNumbers) if (number >= next) this.#map.close(number);
    if (this.#active >= next) this.#active = null;
    this.#seenUntil = Math.min(this.#seenUntil, next);
    this.#generation += 1;
    this.changed();
  }

  /** Show only logs of *levels*, all if empty; what was at the upper edge stays there. */
  setLevels(levels) {
    this.#saveAnchor();
    this.#store.setLevels(levels);
    this.#droppedShown = this.#store.droppedShown;
    this.changed();
  }

  follow() {
    this.following = true;
    this.changed();
  }

  leaveFollow() {
    if (!this.following) return;
    this.following = false;
    this.#seenUntil = this.#store.nextNumber;
    this.#saveAnchor();
    this.changed();
  }

  /** Everything shown, as text. */
  text() {
    const text = [];
    for (let i = 0; i < this.#store.length; i += 1) text.push(lineText(this.#store.itemAt(i)));
    return text.join("\n");
  }

  close() {
    this.#stop.abort();
    this.#resizing.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  #draw() {
    this.#frame = 0;
    // A scroll that was not heard of yet must not be taken back.
    if (!this.following && this.#scroller.scrollTop !== this.#top) this.#saveAnchor();
    this.#map.arrange(this.#store);
    this.#droppedShown = this.#store.droppedShown;
    this.#space.style.height = `${this.#map.rows * ROW_HEIGHT}px`;
    if (this.following) this.#scroller.scrollTop = this.#space.offsetHeight;
    else this.#restoreAnchor();
    this.#top = this.#scroller.scrollTop;
    const first = Math.max(0, Math.floor(this.#top / ROW_HEIGHT) - ROWS_BEYOND_SIGHT);
    const sight = Math.ceil(this.#scroller.clientHeight / ROW_HEIGHT) + 2 * ROWS_BEYOND_SIGHT;
    this.#fill(first, Math.min(this.#map.rows, first + sight));
    this.#window.style.transform = `translateY(${first * ROW_HEIGHT}px)`;
    const { nextNumber } = this.#store;
    this.newItems = this.following ? 0 : this.#store.length - this.#store.indexOf(Math.min(this.#seenUntil, nextNumber));
    this.#onFollow();
  }

  // Rows that stay in sight keep their elements, so that a selection in them survives.
  #fill(first, last) {
    const wanted = [];
    for (let row = first; row < last; row += 1) wanted.push(this.#wanted(row));
    const keys = new Set(wanted.map(({ key }) => key));
    const known = new Map();
    for (const element of [...this.#window.children]) {
      if (keys.has(element.rowKey)) known.set(element.rowKey, element);
      else element.remove();
    }
    let place = this.#window.firstChild;
    for (const { key, make } of wanted) {
      const element = known.get(key) ?? make();
      element.rowKey = key;
      if (element === place) place = place.nextSibling;
      else this.#window.insertBefore(element, place);
    }
  }

  #wanted(row) {
    const { index, line, text } = this.#map.at(row);
    const number = this.#store.numberAt(index);
    if (line >= 0) return { key: `${this.#generation}:${number}:${line}:${this.#columns}`, make: () => detailRow(text) };
    const how = { number, open: this.#map.isOpen(number), active: number === this.#active };
    const key = `${this.#generation}:${number}:${how.open}:${how.active}`;
    return { key, make: () => itemRow(this.#store.itemAt(index), how) };
  }

  #listen() {
    const { signal } = this.#stop;
    const on = (target, name, take, more) => target.addEventListener(name, take, { signal, ...more });
    const log = this.#scroller;
    on(log, "scroll", () => this.#scrolled(), { passive: true });
    on(log, "wheel", (event) => event.deltaY < 0 && this.#leaveIfScrollable(), { passive: true });
    on(log, "touchmove", () => this.#leaveIfScrollable(), { passive: true });
    on(log, "pointerdown", (event) => event.target === log && this.#leaveIfScrollable());
    on(log, "keydown", (event) => this.#key(event));
    on(log, "click", (event) => this.#click(event));
    on(log, "copy", (event) => this.#copy(event));
    on(document, "selectionchange", () => this.#selected());
  }

  get #scrollable() {
    return this.#scroller.scrollHeight > this.#scroller.clientHeight;
  }

  #leaveIfScrollable() {
    if (this.#scrollable) this.leaveFollow();
  }

  // Only a move downwards that ends at the bottom resumes: our own scrolling and layout never do.
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const down = scrollTop > this.#top;
    if (!this.following && down && scrollTop + clientHeight >= scrollHeight - 2) this.following = true;
    this.#top = scrollTop;
    this.#saveAnchor();
    this.changed();
  }

  #selected() {
    const selection = document.getSelection();
    if (!selection.isCollapsed && this.#window.contains(selection.anchorNode)) this.leaveFollow();
  }

  #saveAnchor() {
    const top = this.#scroller.scrollTop;
    const { index } = this.#map.at(Math.floor(top / ROW_HEIGHT));
    const moved = this.#store.droppedShown - this.#droppedShown;
    const now = Math.max(0, index - moved);
    if (now >= this.#store.length) this.#anchor = null;
    else this.#anchor = { number: this.#store.numberAt(now), offset: top - this.#map.rowOf(index) * ROW_HEIGHT };
  }

  #restoreAnchor() {
    if (!this.#anchor) return;
    const index = this.#store.indexOf(this.#anchor.number);
    const top = this.#map.rowOf(index) * ROW_HEIGHT + this.#anchor.offset;
    if (Math.abs(top - this.#scroller.scrollTop) >= 1) this.#scroller.scrollTop = top;
  }

  #click(event) {
    const row = event.target.closest(".row[data-seq]");
    if (!row || event.target.closest(".text")) return;
    this.#toggle(Number(row.dataset.number));
    this.#scroller.focus({ preventScroll: true });
  }

  #toggle(number) {
    const item = this.#store.itemAt(this.#store.indexOf(number));
    if (!item?.record) return;
    this.#active = number;
    if (this.#map.isOpen(number)) this.#map.close(number);
    else this.#map.open(number, detailLines(item, this.#columns));
    this.#leaveIfScrollable();
    this.changed();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = this.#scroller.clientHeight - ROW_HEIGHT;
    const moves = {
      ArrowUp: () => this.#step(-1),
      ArrowDown: () => this.#step(1),
      PageUp: () => this.#scroll(this.#scroller.scrollTop - page),
      PageDown: () => this.#scroll(this.#scroller.scrollTop + page),
      Home: () => this.#scroll(0),
      End: () => this.follow(),
      Enter: () => this.#active !== null && this.#toggle(this.#active),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    if (["ArrowUp", "PageUp", "Home"].includes(event.key)) this.#leaveIfScrollable();
    moves[event.key]();
  }

  #scroll(top) {
    this.#scroller.scrollTop = top;
  }

  #step(by) {
    const { scrollTop, clientHeight } = this.#scroller;
    const edge = by < 0 ? scrollTop + clientHeight - ROW_HEIGHT : scrollTop;
    const index = this.#active === null ? this.#map.at(Math.max(0, Math.floor(edge / ROW_HEIGHT))).index : this.#store.indexOf(this.#active) + by;
    if (index < 0 || index >= this.#store.length) return;
    this.#active = this.#store.numberAt(index);
    const top = this.#map.rowOf(index) * ROW_HEIGHT;
    if (top < scrollTop) this.#scroll(top);
    else if (top + ROW_HEIGHT > scrollTop + clientHeight) this.#scroll(top + ROW_HEIGHT - clientHeight);
    this.changed();
  }

  // Several rows are copied as lines of text, not as cells one below the other.
  #copy(event) {
    const selection = document.getSelection();
    const rows = [...this.#window.children].filter((row) => selection.containsNode(row, true));
    if (rows.length < 2) return;
    event.clipboardData.setData("text/plain", rows.map((row) => row.copyText).join("\n"));
    event.preventDefault();
  }

  #resized() {
    const letter = document.createElement("canvas").getContext("2d");
    letter.font = getComputedStyle(this.#scroller).font;
    const { clientWidth: width } = this.#scroller;
    const room = width - (width < NARROW ? NARROW_DETAIL_GUTTER : DETAIL_GUTTER) - 16;
    this.#columns = Math.max(20, Math.floor(room / letter.measureText("0").width));
    for (const number of this.#map.openNumbers) {
      const item = this.#store.itemAt(this.#store.indexOf(number));
      if (item?.record) this.#map.open(number, detailLines(item, this.#columns));
    }
    this.changed();
  }
}
