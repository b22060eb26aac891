/**
 * The log view without a screen: what there is to show, and what the reader did. It listens to the store
 * while it is open; a screen paints its `layout`, tells it what is visible and what the reader does.
 */

import type { LogRecord, LogSnapshot, LogStore, RestApi } from "@runtail/client";
import { Counting } from "./counting.ts";
import type { Dressing } from "./dressing.ts";
import { describe, type LogViewState, sameState } from "./engine_state.ts";
import { FailedStep } from "./failed_step.ts";
import { type Act, FOLLOWING, type Follow, left } from "./follow.ts";
import { Folds } from "./folds.ts";
import { Heights } from "./heights.ts";
import { Held, indexAfter } from "./held.ts";
import { Layout } from "./layout.ts";
import { Matches } from "./matches.ts";
import { type Notices, noticesOf } from "./notices.ts";
import { EVERYTHING, filters, type LogFilter, type Place } from "./place.ts";
import { denseRows, listedRows, merged, type NoticePlace, type Range, type Rows } from "./rows.ts";
import { Search } from "./search.ts";
import { extended, type Selection } from "./selection.ts";
import { StepEnds } from "./step_ends.ts";
import { type LogStrings, STRINGS } from "./strings.ts";
import type { TimeFormat } from "./times.ts";

export interface EngineOptions {
  readonly store: LogStore;
  readonly rest: RestApi;
  readonly strings?: LogStrings;
  readonly now?: () => number;
  readonly place?: Place;
  readonly wrap?: boolean;
  readonly timeFormat?: TimeFormat;
}

/** Where the screen is to go next: to a line, unless the reader follows. */
export interface Goal {
  readonly seq: number;
  readonly align: "center" | "start" | "near" | "end";
}

const MESSAGE_MS = 4_000;
const CHROME_MS = 100;
export const ROW_HEIGHT = 20;

export class LogEngine {
  readonly store: LogStore;
  readonly rest: RestApi;
  readonly strings: LogStrings;
  readonly now: () => number;
  readonly held: Held;
  readonly folds = new Folds();
  readonly counting = new Counting();
  readonly #failedStep = new FailedStep();
  readonly opened = new Set<number>();
  snapshot: LogSnapshot;
  notices: Notices;
  follow: Follow = FOLLOWING;
  selection: Selection | null = null;
  current: number | null = null;
  search: Search | null = null;
  matches: Matches | null = null;
  filter: LogFilter = EVERYTHING;
  wrap: boolean;
  timeFormat: TimeFormat;
  /** What the page adds to lines. */
  dressing: Dressing | null = null;
  /** Rises when what rows show may have changed without their records changing. */
  look = 0;
  goal: Goal | null = null;
  /** The line that is to stay where it is in the next frame, if it is in sight. */
  stays: number | null = null;
  skipped: LogViewState["skipped"] = null;
  readonly #listeners = new Set<() => void>();
  readonly #screens = new Set<() => void>();
  #heights = new Heights();
  #layout: Layout | null = null;
  #rowHeight = ROW_HEIGHT;
  #taken = 0;
  #state: LogViewState | null = null;
  message: { readonly text: string; readonly until: number } | null = null;
  #unsubscribe: (() => void) | null = null;
  #later: ReturnType<typeof setTimeout> | undefined;
  readonly #stepEnds = new StepEnds((records) => this.#seen(records));
  /** Whether history was there in full once: what comes before that is nothing new. */
  #wasLive = false;

  constructor({ store, rest, strings = STRINGS, now = Date.now, place, wrap = false, timeFormat = "local" }: EngineOptions) {
    this.store = store;
    this.rest = rest;
    this.strings = strings;
    this.now = now;
    this.wrap = wrap;
    this.timeFormat = timeFormat;
    this.held = new Held(rest, store.executionId, now, (records) => this.#seen(records));
    this.snapshot = store.getSnapshot();
    this.notices = noticesOf(this.snapshot, strings);
    if (place) this.goTo(place);
  }

  /** Listen to the store; answers how to leave off. */
  open(): () => void {
    this.#unsubscribe = this.store.subscribe(() => this.#take());
    this.#take();
    this.visible([], false);
    return () => this.#close();
  }

  /** Told when what the chrome shows changed: at once after the reader's own acts, ten times a second for new lines. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Told whenever rows changed. */
  onRows(listener: () => void): () => void {
    this.#screens.add(listener);
    return () => this.#screens.delete(listener);
  }

  /** What the chrome shows; the same object until something of it changed. */
  getState = (): LogViewState => {
    const state = describe(this);
    if (!this.#state || !sameState(this.#state, state)) this.#state = state;
    return this.#state;
  };

  changed(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    for (const listener of this.#screens) listener();
    for (const listener of this.#listeners) listener();
  }

  /** Lines came: the screen shows them in its next frame, the figures around it when it suits. */
  #grown(): void {
    for (const listener of this.#screens) listener();
    this.#later ??= setTimeout(() => this.changed(), CHROME_MS);
  }

  /** Rows and heights as they are now. */
  get layout(): Layout {
    this.#layout ??= new Layout(this.#rows(), this.#heights, this.#rowHeight);
    return this.#layout;
  }

  /** The height of a line on this screen, or its width, is another one: everything is measured anew. */
  remeasure(rowHeight: number): void {
    this.#rowHeight = rowHeight;
    this.#heights = new Heights();
    this.#layout = null;
    this.look += 1;
  }

  get first(): number {
    return this.notices.first;
  }

  get last(): number {
    return this.notices.last;
  }

  // What the reader does

  /** The reader left the end of the log by *act*. */
  leave(act: Act): void {
    const before = this.follow;
    this.follow = left(before, act, this.last);
    if (this.follow !== before) this.changed();
  }

  resume(): void {
    this.goal = null;
    this.follow = FOLLOWING;
    this.changed();
  }

  /** Show the line *seq*. */
  show(seq: number, align: Goal["align"] = "center"): void {
    this.follow = left(this.follow, "jump", this.last);
    if (this.folds.reveal(seq, this.last)) this.#layout = null;
    this.goal = { seq, align };
    this.changed();
  }

  /** Show *place*: its filter, and its lines, highlighted. */
  goTo({ line, filter }: Place): void {
    this.setFilter(filter);
    if (!line) return;
    this.selection = { anchor: line.first, head: line.last };
    this.current = line.first;
    this.show(line.first);
  }

  setFilter(filter: LogFilter): void {
    const anchor = this.current;
    this.matches?.stop();
    this.filter = filter;
    this.matches = filters(filter) ? new Matches(filter) : null;
    this.#heights = new Heights();
    if (this.matches) this.#match(this.matches);
    if (anchor !== null && this.follow.mode === "reading") this.goal = { seq: anchor, align: "center" };
    this.#rebuild();
  }

  select(selection: Selection | null): void {
    this.selection = selection;
    if (selection) {
      this.current = selection.head;
      this.follow = left(this.follow, "select", this.last);
    }
    this.restyle();
  }

  extend(seq: number): void {
    this.select(extended(this.selection ?? (this.current === null ? null : { anchor: this.current, head: this.current }), seq));
  }

  selectAll(): void {
    if (this.last > 0) this.select({ anchor: this.first, head: this.last });
  }

  setCurrent(seq: number | null): void {
    this.current = seq;
    this.restyle();
  }

  /** Open or close all of the record *seq*. */
  toggle(seq: number): void {
    if (this.opened.has(seq)) this.opened.delete(seq);
    else this.opened.add(seq);
    if (!this.opened.has(seq)) this.#heights.set(seq, 0);
    this.restyle();
  }

  /** Fold or unfold the step that begins at *seq*; the header stays where it is. */
  fold(seq: number, folded = !this.folds.isFolded(seq)): void {
    this.folds.fold(seq, folded);
    this.stays = seq;
    this.#rebuild();
  }

  foldAll(folded: boolean): void {
    this.folds.foldAll(folded);
    this.stays = this.current;
    this.#rebuild();
  }

  setWrap(wrap: boolean): void {
    this.wrap = wrap;
    this.#heights = new Heights();
    this.#rebuild();
  }

  setTimeFormat(format: TimeFormat): void {
    this.timeFormat = format;
    this.restyle();
  }

  dress(dressing: Dressing | null): void {
    if (dressing === this.dressing) return;
    this.dressing = dressing;
    this.restyle();
  }

  /** Look for *text* in the whole log; empty: leave off. */
  find(text: string): void {
    this.search?.stop();
    this.search = null;
    if (text !== "") {
      const search = new Search(text, this.last, () => this.restyle());
      this.search = search;
      void search.run(this.rest, this.store.executionId);
    }
    this.restyle();
  }

  say(text: string | null): void {
    this.message = text === null ? null : { text, until: this.now() + MESSAGE_MS };
    if (text !== null) setTimeout(() => this.changed(), MESSAGE_MS + 50);
    this.changed();
  }

  /** Redraw rows: something but their records changed. */
  restyle(): void {
    this.look += 1;
    this.changed();
  }

  /** The lines on screen; asks for those that are not here, and for the line that the screen is to go to. */
  visible(seqs: readonly number[], atTop: boolean): void {
    this.held.want(this.goal ? [...seqs, this.goal.seq] : seqs);
    for (const seq of seqs) {
      const section = this.folds.steps.sections.get(seq);
      if (section && !section.end && !this.goesOn(seq)) this.#stepEnds.want(section.start, this.rest, this.store.executionId, this.last, this.now());
    }
    if (atTop) void this.#lookBack();
  }

  /** Whether it is known if the line *seq* is shown, and where. */
  isKnown(seq: number): boolean {
    const { matches } = this;
    return matches === null || matches.full || matches.failed || (matches.lookedFrom <= seq && seq <= matches.lookedTo);
  }

  /** Whether the step that began at *seq* and was not seen to end goes on: all that came since is here. */
  goesOn(seq: number): boolean {
    const { completeness, records } = this.snapshot;
    return completeness.state === "running" && records.length > 0 && records[0]!.seq <= seq;
  }

  /** Lines that are not there. */
  get hidden(): readonly Range[] {
    return merged(this.notices.hidden);
  }

  // What the store says

  #take(): void {
    const before = this.snapshot;
    this.snapshot = this.store.getSnapshot();
    if (this.held.take(this.snapshot)) this.#reset(before);
    this.notices = noticesOf(this.snapshot, this.strings);
    const records = this.snapshot.records;
    const news = records.slice(indexAfter(records, this.#taken));
    if (news.length > 0) this.#taken = news.at(-1)!.seq;
    if (this.folds.steps.see(news)) this.folds.openFailed();
    this.search?.take(news);
    if (this.matches) this.#match(this.matches);
    this.#layout = null;
    this.#history();
    this.#failedStep.look(this);
    this.#grown();
  }

  /** Records came that are not of the window. */
  #seen(records: readonly LogRecord[]): void {
    if (this.folds.steps.see(records)) {
      this.folds.openFailed();
      this.#layout = null;
    }
    this.restyle();
  }

  /** Lines that come while a log is opened are none that the reader left behind. */
  #history(): void {
    const { phase } = this.snapshot.link;
    if (!this.#wasLive && this.follow.mode === "reading") this.follow = { ...this.follow, since: this.last };
    this.#wasLive ||= phase === "live" || phase === "ended";
  }

  #reset({ lastSeq }: LogSnapshot): void {
    const after = this.snapshot.notices.findLast((notice) => notice.type === "reset")?.afterSeq ?? 0;
    this.#taken = Math.min(this.#taken, after);
    this.folds.withdraw(after);
    this.matches?.withdraw(after);
    this.#heights.clear(after + 1, Math.max(lastSeq, after + 1));
    for (const seq of this.opened) if (seq > after) this.opened.delete(seq);
    if (this.search) this.find(this.search.text);
    this.look += 1;
  }

  #match(matches: Matches): void {
    const { records } = this.snapshot;
    if (records.length > 0) matches.take(records.slice(indexAfter(records, matches.lookedTo)), Math.max(records[0]!.seq, matches.lookedTo + 1));
    else if (this.last > 0) matches.startAt(this.last);
    if (this.#looksFurther(matches)) void this.#lookBack();
  }

  /** Whether older lines are looked at without being scrolled to: the screen is not full, or is to go there. */
  #looksFurther(matches: Matches): boolean {
    return matches.count < 50 || (this.goal !== null && this.goal.seq < matches.lookedFrom);
  }

  async #lookBack(): Promise<void> {
    const matches = this.matches;
    if (!matches || matches.busy || matches.lookedFrom === 0 || !matches.hasOlder(this.first)) return;
    const records = await matches.back(this.rest, this.store.executionId);
    if (records) this.held.keep(records);
    if (this.matches !== matches) return;
    this.#rebuild();
    if (records && this.#looksFurther(matches)) void this.#lookBack();
  }

  #close(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    clearTimeout(this.#later);
    this.#later = undefined;
    this.matches?.stop();
    this.search?.stop();
    this.#failedStep.stop();
    this.#stepEnds.close();
    this.held.close();
  }

  #rebuild(): void {
    this.#layout = null;
    this.restyle();
  }

  #rows(): Rows {
    const { first, last, places } = this.notices;
    if (this.matches) return listedRows(this.matches.seqs, this.#listedNotices(this.matches, places));
    if (last === 0) return denseRows(1, 0, [], []);
    const folded = this.folds.ranges(last, (seq) => this.held.here(seq));
    for (const range of folded) this.#heights.clear(range.first, range.last);
    return denseRows(first, last, merged([...this.notices.hidden, ...folded]), places);
  }

  #listedNotices(matches: Matches, places: readonly NoticePlace[]): NoticePlace[] {
    const looking = matches.hasOlder(this.first) ? [{ id: "looking", before: 0 }] : [];
    return [...looking, ...places.filter((place) => place.before >= matches.lookedFrom)];
  }
}
