/**
 * The scrolling screen over an engine: paints the rows that are in sight, measures those that may be taller
 * than a line, and keeps what the reader looks at where it is, whatever comes above it.
 */

import { type LogEngine, ROW_HEIGHT } from "./engine.ts";
import { left, movedTo, Pace } from "./follow.ts";
import type { Anchor, Layout } from "./layout.ts";
import { keyOf, type RowHost, RowView } from "./row_dom.ts";
import { moved, type Scale, scaleOf, toPhysical } from "./scale.ts";
import { make } from "./text_dom.ts";

const OVERSCAN_ROWS = 12;
/** Scrolling faster than so many screens a frame asks for nothing until it slows down. */
const FAST_SCREENS = 3;
const SETTLE_MS = 120;
const MOST_FREE = 200;
const LEAP_SCREENS = 4;
/** Painted where nothing has a height: in a part of a page that is hidden, in tests without a layout. */
const UNSEEN_HEIGHT = 400;

export class Viewport {
  readonly #scroller: HTMLElement;
  readonly #engine: LogEngine;
  readonly #spacer = make("div", "rt-spacer");
  readonly #layer = make("div", "rt-rows");
  readonly #shown = new Map<string, RowView>();
  readonly #free: RowView[] = [];
  readonly #pace = new Pace();
  readonly #smooth: () => boolean;
  readonly #host: RowHost;
  #top = 0;
  #height = 0;
  #width = 0;
  #physical = 0;
  #scale: Scale = { virtual: 0, physical: 0 };
  #anchor: Anchor = { seq: 0, into: 0 };
  /** All lines that were in sight. */
  #sight: readonly Anchor[] = [];
  #painted: Layout | null = null;
  #columns = 0;
  #dragging = false;
  #frame = 0;
  #settle: ReturnType<typeof setTimeout> | undefined;
  #settled = true;
  /** Whether the last frame was at the end, or on its way there. */
  #following = false;
  #wasLive = false;

  constructor(scroller: HTMLElement, engine: LogEngine, smooth: () => boolean) {
    this.#scroller = scroller;
    this.#engine = engine;
    this.#smooth = smooth;
    this.#host = { engine, details: new WeakMap(), resized: () => this.paint(), start: null };
    this.#layer.setAttribute("role", "table");
    this.#layer.setAttribute("aria-label", engine.strings.log);
    this.#spacer.append(this.#layer);
    scroller.append(this.#spacer);
  }

  /** Begin to paint and to listen; answers how to end. */
  open(): () => void {
    const abort = new AbortController();
    const { signal } = abort;
    const scroller = this.#scroller;
    scroller.addEventListener("scroll", () => this.#scrolled(), { signal, passive: true });
    scroller.addEventListener("wheel", (event) => this.#wheeled(event), { signal, passive: true });
    scroller.addEventListener("touchmove", () => {
      this.#engine.goal = null;
      this.#engine.leave("wheel");
    }, { signal, passive: true });
    scroller.addEventListener("pointerdown", (event) => this.#pressed(event), { signal });
    window.addEventListener("pointermove", (event) => { if (event.buttons === 0) this.#dragging = false; }, { signal, passive: true });
    window.addEventListener("pointerup", () => { this.#dragging = false; }, { signal });
    const resized = new ResizeObserver(() => this.#resized());
    resized.observe(scroller);
    const unsubscribe = this.#engine.onRows(() => this.schedule());
    const clock = setInterval(() => { if (this.#engine.timeFormat === "ago") this.#engine.restyle(); }, 1_000);
    this.#resized();
    return () => {
      abort.abort();
      resized.disconnect();
      unsubscribe();
      cancelAnimationFrame(this.#frame);
      clearTimeout(this.#settle);
      clearInterval(clock);
      this.#spacer.remove();
    };
  }

  /** Paint before the next frame is drawn. */
  schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.paint();
    });
  }

  /** How many lines fit on the screen. */
  get pageRows(): number {
    return Math.max(1, Math.floor(this.#height / this.#engine.layout.rowHeight) - 1);
  }

  /** Scroll by *pixels*, by the reader's own key. */
  scrollBy(pixels: number): void {
    this.#byReader(this.#top + pixels, pixels > 0);
  }

  /** Scroll to the first or the last line. */
  scrollToEdge(edge: "top" | "bottom"): void {
    if (edge === "top") this.#byReader(0, false);
    else this.#byReader(Number.POSITIVE_INFINITY, true);
  }

  /** The line at the top of the screen, or the current one if it is in sight. */
  get lookedAt(): number {
    const { current, layout } = this.#engine;
    if (current !== null && this.#isInSight(current)) return current;
    return layout.anchorAt(this.#top).seq;
  }

  /** The line whose row is at *y* of the window. */
  seqAt(y: number): number | null {
    const { layout } = this.#engine;
    if (layout.rows.count === 0) return null;
    const offset = this.#top + y - this.#scroller.getBoundingClientRect().top;
    return layout.anchorAt(Math.max(0, Math.min(layout.total - 1, offset))).seq;
  }

  paint(): void {
    const engine = this.#engine;
    if (this.#height === 0) return;
    this.#place(engine.now());
    this.#rows();
    // measuring may move what is above the anchor; a second pass shows what came into sight by that
    for (let pass = 0; pass < 3 && this.#measure(); pass += 1) {
      this.#place(engine.now());
      this.#rows();
    }
    this.#anchor = engine.layout.anchorAt(this.#top);
    this.#sight = engine.follow.mode === "reading" ? this.#inSight(engine.layout) : [];
    this.#painted = engine.layout;
    engine.stays = null;
    this.#ask();
  }

  /** What stays where it is: what was folded or read, the line at the top, or the first in sight that has a row. */
  #kept(layout: Layout): Anchor {
    if (layout === this.#painted) return this.#anchor;
    const left = this.#sight.filter(({ seq }) => layout.shows(seq));
    const stays = left.find(({ seq }) => seq === this.#engine.stays);
    return stays ?? (layout.shows(this.#anchor.seq) ? this.#anchor : (left[0] ?? this.#anchor));
  }

  #inSight(layout: Layout): readonly Anchor[] {
    const found: Anchor[] = [];
    for (let index = layout.indexAt(this.#top); index < layout.rows.count; index += 1) {
      const into = this.#top - layout.offsetOf(index);
      if (into <= -this.#height) break;
      const row = layout.rows.at(index);
      if (row.kind === "record") found.push({ seq: row.seq, into });
    }
    return found;
  }

  /** Decide where the top is. */
  #place(now: number): void {
    const engine = this.#engine;
    const { layout } = engine;
    const end = Math.max(0, layout.total - this.#height);
    if (engine.goal !== null) this.#toGoal(layout);
    else if (engine.follow.mode === "following") this.#toEnd(layout, end, now);
    else if (this.#painted !== null) this.#top = layout.offsetOfAnchor(this.#kept(layout));
    if (engine.follow.mode === "reading") this.#following = false;
    this.#top = Math.max(0, Math.min(end, this.#top));
    this.#size(layout);
  }

  #toGoal(layout: Layout): void {
    const { seq, align } = this.#engine.goal!;
    const index = layout.rows.indexOf(seq);
    if (index < 0 && this.#engine.last === 0) return; // nothing is there yet: wait for it
    const offset = layout.offsetOf(Math.max(0, index));
    if (align === "center") this.#top = offset - Math.max(0, this.#height / 2 - layout.rowHeight);
    else if (align === "start") this.#top = offset;
    else if (align === "end") this.#top = layout.total - offset < this.#height / 2 ? layout.total : offset + 2 * layout.rowHeight - this.#height;
    else if (offset < this.#top) this.#top = offset;
    else this.#top = Math.max(this.#top, offset + layout.rowHeight - this.#height);
    this.#top = Math.round(this.#top);
    this.#anchor = layout.anchorAt(Math.max(0, this.#top));
    // a log that is not as far yet, or whose rows are not measured yet, is gone to again
    if (seq <= this.#engine.last && this.#engine.isKnown(seq)) this.#engine.goal = null;
  }

  #toEnd(layout: Layout, end: number, now: number): void {
    const { rows, rowHeight } = layout;
    const view = { top: this.#top, end, viewport: this.#height, rowHeight, rows: rows.count, smooth: this.#smooth() };
    this.#pace.arrived(rows.count, now);
    if (!this.#following || !this.#live) {
      // it opens at the end, and the reader who comes back to the end is there at once
      this.#pace.clear();
      this.#following = rows.count > 0;
      this.#top = end;
      return;
    }
    const shown = layout.indexAt(this.#top + this.#height - 1) + 1;
    const step = this.#pace.step({ ...view, shown }, now);
    this.#top = step.top;
    if (step.skipped) this.#skipped(step.skipped);
    if (step.top < end - 0.5) this.schedule();
  }

  /** Whether history was there in full once: lines that come before are not missed by anybody. */
  get #live(): boolean {
    const { phase } = this.#engine.snapshot.link;
    this.#wasLive ||= phase === "live" || phase === "ended";
    return this.#wasLive;
  }

  #skipped({ from, until }: { readonly from: number; readonly until: number }): void {
    const engine = this.#engine;
    const count = until - from + (engine.skipped?.count ?? 0);
    engine.skipped = { count, seq: engine.skipped?.seq ?? engine.layout.rows.at(from).seq };
    engine.changed();
  }

  /** Give the element its height, and its scroll bar its place. */
  #size(layout: Layout): void {
    const scale = scaleOf(layout.total, this.#height);
    const pixels = scale.physical + this.#height;
    if (pixels !== this.#scale.physical + this.#height || this.#spacer.style.height === "") this.#spacer.style.height = `${pixels}px`;
    this.#scale = scale;
    if (this.#settled || this.#engine.follow.mode === "following") this.#sync();
  }

  /** Move the scroll bar to where the top is. */
  #sync(): void {
    const place = toPhysical(this.#scale, this.#top);
    if (Math.abs(this.#scroller.scrollTop - place) > 0.5) this.#scroller.scrollTop = place;
    this.#physical = this.#scroller.scrollTop; // as the browser rounded it
  }

  #rows(): void {
    const { layout } = this.#engine;
    const over = OVERSCAN_ROWS * layout.rowHeight;
    const first = layout.rows.count === 0 ? 0 : layout.indexAt(Math.max(0, this.#top - over));
    const until = layout.rows.count === 0 ? 0 : layout.indexAt(this.#top + this.#height + over) + 1;
    const wanted: { key: string; index: number }[] = [];
    for (let index = first; index < until; index += 1) wanted.push({ key: keyOf(layout.rows.at(index)), index });
    this.#release(new Set(wanted.map(({ key }) => key)));
    let next = this.#layer.firstChild;
    for (const { key, index } of wanted) {
      const view = this.#shown.get(key) ?? this.#take(key);
      if (view.element === next) next = next.nextSibling;
      else this.#layer.insertBefore(view.element, next);
      this.#columns = Math.max(this.#columns, view.show(layout.rows.at(index), index, this.#rowHost()));
    }
    this.#layer.setAttribute("aria-rowcount", String(layout.rows.count));
    this.#layer.classList.toggle("rt-wrap", this.#engine.wrap);
    this.#layer.style.setProperty("--rt-columns", String(this.#engine.wrap ? 0 : this.#columns));
    this.#layer.style.transform = `translateY(${this.#physical + layout.offsetOf(first) - this.#top}px)`;
  }

  #rowHost(): RowHost {
    const { execution } = this.#engine.snapshot;
    const begun = Date.parse(execution?.started_at ?? execution?.created_at ?? "");
    return { ...this.#host, start: Number.isNaN(begun) ? null : begun };
  }

  #take(key: string): RowView {
    const view = this.#free.pop() ?? new RowView();
    this.#shown.set(key, view);
    return view;
  }

  #release(wanted: ReadonlySet<string>): void {
    for (const [key, view] of this.#shown) {
      if (wanted.has(key)) continue;
      view.element.remove();
      this.#shown.delete(key);
      if (this.#free.length < MOST_FREE) this.#free.push(view);
    }
  }

  /** Learn how tall the rows in sight are; answer whether that was news. */
  #measure(): boolean {
    const engine = this.#engine;
    if (!engine.wrap && engine.opened.size === 0) return false;
    const { heights, rowHeight } = engine.layout;
    let news = false;
    for (const view of this.#shown.values()) {
      const seq = Number(view.element.dataset["seq"] ?? 0);
      if (seq === 0) continue;
      const extra = Math.max(0, view.element.getBoundingClientRect().height - rowHeight);
      news = heights.set(seq, Math.abs(extra) < 0.5 ? 0 : extra) || news;
    }
    return news;
  }

  #ask(): void {
    const { layout, matches } = this.#engine;
    if (!this.#settled && this.#isFast) return;
    const seqs: number[] = [];
    for (const view of this.#shown.values()) if (view.element.dataset["seq"]) seqs.push(Number(view.element.dataset["seq"]));
    this.#engine.visible(seqs, matches !== null && layout.indexAt(this.#top) < OVERSCAN_ROWS);
  }

  #isFast = false;

  // What the reader does

  #byReader(top: number, downwards: boolean): void {
    const engine = this.#engine;
    const end = Math.max(0, engine.layout.total - this.#height);
    if (engine.goal !== null) engine.goal = null;
    if (!downwards || engine.follow.mode === "following") engine.follow = downwards ? engine.follow : left(engine.follow, "key", engine.last);
    this.#top = Math.round(Math.max(0, Math.min(end, top)));
    engine.follow = movedTo(engine.follow, end - this.#top, downwards);
    this.#anchor = engine.layout.anchorAt(this.#top);
    engine.changed();
    this.paint();
  }

  #scrolled(): void {
    const after = this.#scroller.scrollTop;
    const by = after - this.#physical;
    if (Math.abs(by) < 1) return; // our own doing, or sideways
    const engine = this.#engine;
    if (engine.goal !== null && !this.#dragging) return this.schedule(); // the layout's doing, on the way there
    if (engine.follow.mode === "following") {
      if (!this.#dragging || by > 0) return this.schedule(); // the browser's doing: layout never ends following
      engine.leave("drag");
    }
    engine.goal = null;
    const leap = this.#dragging || Math.abs(by) > LEAP_SCREENS * this.#height;
    this.#top = moved(this.#scale, this.#top, this.#physical, after, leap);
    this.#physical = after;
    this.#isFast = Math.abs(by) > FAST_SCREENS * this.#height;
    this.#anchor = engine.layout.anchorAt(this.#top);
    const follow = movedTo(engine.follow, this.#scale.virtual - this.#top, by > 0);
    if (follow !== engine.follow) {
      engine.follow = follow;
      engine.changed();
    }
    this.#unsettle();
    this.paint();
  }

  /** While the reader scrolls, the scroll bar is theirs; it is put right when they pause. */
  #unsettle(): void {
    this.#settled = false;
    clearTimeout(this.#settle);
    this.#settle = setTimeout(() => {
      if (this.#dragging) return this.#unsettle();
      this.#settled = true;
      this.paint();
    }, SETTLE_MS);
  }

  #wheeled(event: WheelEvent): void {
    this.#dragging = false;
    if (!event.ctrlKey) this.#engine.goal = null;
    if (event.deltaY < 0 && this.#top > 0 && !event.ctrlKey) this.#engine.leave("wheel");
  }

  #pressed(event: PointerEvent): void {
    const onBar = event.target === this.#scroller && event.offsetX >= this.#scroller.clientWidth;
    this.#dragging = onBar;
    if (event.button !== 1) return;
    this.#engine.goal = null;
    this.#engine.leave("drag"); // the browser scrolls by itself from here
  }

  #resized(): void {
    const { clientWidth } = this.#scroller;
    const clientHeight = this.#scroller.clientHeight || UNSEEN_HEIGHT;
    if (clientHeight === this.#height && clientWidth === this.#width) return;
    const wider = clientWidth !== this.#width;
    [this.#height, this.#width] = [clientHeight, clientWidth];
    if (wider || this.#painted === null) this.#engine.remeasure(this.#rowHeight());
    this.paint();
  }

  /** The height of a line, in whole pixels, as the page's style has it. */
  #rowHeight(): number {
    const probe = make("div", "rt-probe", "0");
    this.#scroller.append(probe);
    const height = Math.round(probe.getBoundingClientRect().height) || ROW_HEIGHT;
    probe.remove();
    this.#layer.style.setProperty("--rt-row", `${height}px`);
    return height;
  }

  #isInSight(seq: number): boolean {
    const { layout } = this.#engine;
    const offset = layout.offsetOf(layout.rows.indexOf(seq));
    return offset >= this.#top - layout.rowHeight && offset < this.#top + this.#height;
  }
}
