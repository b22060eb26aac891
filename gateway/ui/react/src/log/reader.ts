/** What a reader can do, by key or button, put into effect on an engine and its screen. */

import { copyText, saveText } from "./clipboard.ts";
import { type Copied, type CopyFormat, gathered } from "./copying.ts";
import type { LogEngine } from "./engine.ts";
import type { Command } from "./keys.ts";
import { passes } from "./matching.ts";
import { nextError } from "./next_error.ts";
import { EVERYTHING } from "./place.ts";
import { type Range, without } from "./rows.ts";
import type { Search } from "./search.ts";
import { extended, rangeOf } from "./selection.ts";
import { TIME_FORMATS } from "./times.ts";
import type { Viewport } from "./viewport.ts";

/** What belongs to the chrome: boxes that open and close. */
export interface Chrome {
  readonly openSearch: () => void;
  readonly toggleHelp: () => void;
  /** Close what is open; answers whether anything was. */
  readonly closeAny: () => boolean;
}

export class Reader {
  readonly engine: LogEngine;
  readonly viewport: Viewport;
  readonly #chrome: Chrome;
  readonly #abort = new AbortController();
  #unwait: () => void = () => {};

  constructor(engine: LogEngine, viewport: Viewport, chrome: Chrome) {
    this.engine = engine;
    this.viewport = viewport;
    this.#chrome = chrome;
  }

  close(): void {
    this.#unwait();
    this.#abort.abort();
  }

  do(command: Command): void {
    const { engine, viewport } = this;
    switch (command) {
      case "search": return this.#chrome.openSearch();
      case "next": return this.nextMatch(1);
      case "previous": return this.nextMatch(-1);
      case "error": return void this.nextError();
      case "down": return this.#step(1);
      case "up": return this.#step(-1);
      case "selectDown": return this.#extend(1);
      case "selectUp": return this.#extend(-1);
      case "first": return this.#edge("top");
      case "last": return this.#edge("bottom");
      case "pageDown": return viewport.scrollBy(viewport.pageRows * engine.layout.rowHeight);
      case "pageUp": return viewport.scrollBy(-viewport.pageRows * engine.layout.rowHeight);
      case "follow": return engine.follow.mode === "following" ? engine.leave("key") : engine.resume();
      case "wrap": return engine.setWrap(!engine.wrap);
      case "time": return engine.setTimeFormat(TIME_FORMATS[(TIME_FORMATS.indexOf(engine.timeFormat) + 1) % TIME_FORMATS.length]!);
      case "help": return this.#chrome.toggleHelp();
      case "open": return this.#open();
      case "context": return this.#context();
      case "fold": return engine.foldAll(!engine.getState().folded);
      case "selectAll": return engine.selectAll();
      case "escape": return this.#escape();
    }
  }

  /** Go to the next match, or to the one before; to the nearest if the reader is at none. */
  nextMatch(direction: 1 | -1): void {
    const { engine } = this;
    if (!engine.search) return this.#chrome.openSearch();
    if (engine.search.count === 0 && engine.search.state === "looking") return this.#onceFound(engine.search, direction);
    const at = this.viewport.lookedAt;
    const seq = engine.search.placeOf(at) > 0 && engine.current === at ? engine.search.next(at, direction) : engine.search.nearest(at);
    if (seq !== null) this.#goTo(seq);
  }

  /** Go there as soon as there is a match. */
  #onceFound(search: Search, direction: 1 | -1): void {
    this.#unwait();
    const unsubscribe = this.engine.onRows(() => {
      if (this.engine.search === search && search.count === 0 && search.state === "looking") return;
      this.#unwait();
      if (this.engine.search === search) this.nextMatch(direction);
    });
    this.#unwait = () => {
      unsubscribe();
      this.#unwait = () => {};
    };
  }

  async nextError(): Promise<void> {
    const { engine } = this;
    const from = engine.follow.mode === "following" ? engine.first - 1 : this.viewport.lookedAt - (engine.current === null ? 1 : 0);
    try {
      const seq = await nextError(engine.rest, engine.store.executionId, from, engine.snapshot.records, this.#abort.signal);
      if (seq === null) engine.say(engine.strings.noError(from));
      else this.#goTo(seq);
    } catch {
      if (!this.#abort.signal.aborted) engine.say(engine.strings.searchFailed);
    }
  }

  /** Copy what is selected, or else everything that is shown. */
  async copy(format: CopyFormat): Promise<void> {
    const { engine } = this;
    let copied: Copied | null = null;
    try {
      await copyText(this.#gather(this.#range(), format).then((each) => (copied = each).text));
      if (copied !== null) engine.say(this.#copiedText(copied));
    } catch {
      if (!this.#abort.signal.aborted) engine.say(engine.strings.copyFailed);
    }
  }

  /** Save what passes the filter as a file. */
  async saveShown(): Promise<void> {
    const { engine } = this;
    try {
      const copied = await this.#gather({ first: engine.first, last: engine.last }, "text");
      saveText(`${engine.store.executionId}.txt`, copied.text);
      engine.say(this.#copiedText(copied));
    } catch {
      if (!this.#abort.signal.aborted) engine.say(engine.strings.copyFailed);
    }
  }

  #range(): Range {
    const { selection, first, last } = this.engine;
    return selection ? rangeOf(selection) : { first, last };
  }

  async #gather(range: Range, format: CopyFormat): Promise<Copied> {
    const { engine } = this;
    const count = range.last - range.first + 1;
    const bounded = { first: Math.max(range.first, engine.first), last: Math.min(range.last, engine.last) };
    return gathered(engine.rest, engine.store.executionId, {
      ranges: without(bounded, engine.hidden),
      format,
      strings: engine.strings,
      here: (seq) => engine.held.here(seq),
      wanted: (record) => passes(record, engine.filter),
      progress: (lines) => { if (count > 10_000) engine.say(engine.strings.copying(lines, count)); },
      signal: this.#abort.signal,
    });
  }

  #copiedText({ lines, cut }: Copied): string {
    const { strings } = this.engine;
    const { first, last } = this.#range();
    return cut ? strings.copiedPart(lines, last - first + 1) : strings.copied(lines);
  }

  #goTo(seq: number): void {
    const { engine } = this;
    if (engine.matches && engine.layout.rows.at(engine.layout.rows.indexOf(seq)).seq !== seq) engine.setFilter(EVERYTHING);
    engine.selection = null;
    engine.current = seq;
    engine.show(seq);
    engine.restyle();
  }

  /** The line *by* rows from the current one. */
  #neighbour(from: number, by: 1 | -1): number {
    const { rows } = this.engine.layout;
    let index = rows.indexOf(from);
    do index += by;
    while (index >= 0 && index < rows.count && rows.at(index).kind === "notice");
    return index < 0 || index >= rows.count ? from : rows.at(index).seq;
  }

  #step(by: 1 | -1): void {
    const { engine } = this;
    if (engine.last === 0) return;
    const seq = engine.current === null ? this.viewport.lookedAt : this.#neighbour(engine.current, by);
    engine.selection = null;
    engine.current = seq;
    engine.show(seq, "near");
    engine.restyle();
  }

  #extend(by: 1 | -1): void {
    const { engine } = this;
    const from = engine.selection?.head ?? engine.current ?? this.viewport.lookedAt;
    const selection = engine.selection ?? extended(null, from);
    const seq = this.#neighbour(from, by);
    engine.select(extended(selection, seq));
    engine.show(seq, "near");
  }

  #edge(edge: "top" | "bottom"): void {
    this.engine.current = null;
    this.viewport.scrollToEdge(edge);
    this.engine.restyle();
  }

  #open(): void {
    const { current } = this.engine;
    if (current !== null) this.engine.toggle(current);
  }

  #context(): void {
    const { engine } = this;
    const seq = this.viewport.lookedAt;
    engine.setFilter(EVERYTHING);
    engine.current = seq;
    engine.show(seq);
  }

  #escape(): void {
    const { engine } = this;
    if (this.#chrome.closeAny()) return;
    engine.select(null);
    engine.setCurrent(null);
  }
}
