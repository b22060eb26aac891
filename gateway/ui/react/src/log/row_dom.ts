/** One row on the screen. Its element is used again for other lines. */

import type { LogRecord } from "@runtail/client";
import type { Found } from "./blocks.ts";
import { detailsOf } from "./details_dom.ts";
import { markLine, prefixFor } from "./dressing.ts";
import type { LogEngine } from "./engine.ts";
import { type Line, lineOf } from "./line.ts";
import type { Row } from "./rows.ts";
import { isSelected } from "./selection.ts";
import { button, fillText, linkTo, make } from "./text_dom.ts";
import { duration, timeText } from "./times.ts";
import { visible } from "./visible.ts";

/** What all rows of one screen share. */
export interface RowHost {
  readonly engine: LogEngine;
  /** Details stay as the reader opened them when their row leaves the screen, as long as their record is held. */
  readonly details: WeakMap<LogRecord, HTMLElement>;
  readonly resized: () => void;
  /** When the run began (ms since 1970), for times since then. */
  readonly start: number | null;
}

export class RowView {
  readonly element = make("div", "rt-row");
  readonly #line = make("div", "rt-line");
  readonly #seq = make("span", "rt-seq");
  readonly #time = make("span", "rt-time");
  readonly #body = make("span", "rt-body");
  readonly #text = make("span", "rt-text");
  #record: Found | null = null;
  #look = -1;
  #key = "";

  constructor() {
    this.element.setAttribute("role", "row");
    for (const cell of [this.#seq, this.#time, this.#body]) cell.setAttribute("role", "cell");
    this.#line.append(this.#seq, this.#time, this.#body);
    this.element.append(this.#line);
  }

  /** Show *row*, the *index*th; does nothing where nothing changed. Answers how many columns it takes. */
  show(row: Row, index: number, host: RowHost): number {
    const { engine } = host;
    const key = keyOf(row);
    const found = row.kind === "record" ? engine.held.get(row.seq) : null;
    this.element.setAttribute("aria-rowindex", String(index + 1));
    if (key === this.#key && found === this.#record && engine.look === this.#look) return this.#text.textContent!.length;
    [this.#key, this.#record, this.#look] = [key, found, engine.look];
    this.element.className = "rt-row";
    delete this.element.dataset["seq"];
    delete this.element.dataset["step"];
    this.element.querySelector(".rt-details")?.remove();
    if (row.kind === "notice") this.#showNotice(row.id, engine);
    else this.#showRecord(row.seq, found!, host);
    return this.#text.textContent!.length;
  }

  #showNotice(id: string, engine: LogEngine): void {
    this.element.classList.add("rt-notice");
    markLine(this.element, this.#line, 0, null);
    if (id === "verdict") this.element.classList.add("rt-verdict");
    this.#seq.replaceChildren();
    this.#time.textContent = "";
    this.#body.replaceChildren(this.#text);
    const { matches, strings } = engine;
    const looking = matches ? `${strings.lookFurther} ${strings.lookedBack(matches.lookedFrom)}` : "";
    this.#text.textContent = id === "looking" ? looking : visible(engine.notices.texts.get(id) ?? "");
  }

  #showRecord(seq: number, found: Found, host: RowHost): void {
    const { engine } = host;
    this.element.dataset["seq"] = String(seq);
    this.#seq.textContent = String(seq);
    this.element.classList.toggle("rt-selected", isSelected(engine.selection, seq));
    this.element.classList.toggle("rt-current", engine.current === seq);
    markLine(this.element, this.#line, seq, engine.dressing);
    if (typeof found === "string") {
      this.#showPlaceholder(found, engine);
      return;
    }
    this.#time.textContent = timeText(found.timestamp, engine.timeFormat, engine.now(), host.start);
    const line = lineOf(found, engine.strings);
    this.element.classList.add(`rt-tone-${line.tone}`);
    if (found.kind === "step" && found.status === "failed") this.element.classList.add("rt-failed");
    this.#fillBody(found, line, engine);
    const prefix = prefixFor(found, engine.dressing);
    if (prefix !== null) this.#body.prepend(prefix);
    if (engine.opened.has(seq)) this.element.append(this.#details(found, host));
  }

  #showPlaceholder(found: "loading" | "absent" | "failed", { strings }: LogEngine): void {
    this.element.classList.add("rt-placeholder");
    this.#time.textContent = "";
    this.#text.textContent = found === "loading" ? strings.loading : found === "absent" ? strings.absent : strings.failedToLoad;
    this.#body.replaceChildren(this.#text);
  }

  #fillBody(record: LogRecord, line: Line, engine: LogEngine): void {
    const { strings } = engine;
    const query = engine.search?.text.toLowerCase() ?? "";
    if (record.kind === "step" && record.status === "running") {
      this.#fillHeader(record.seq, record.step_name, engine);
      return;
    }
    const parts: Node[] = [];
    if (line.opens) parts.push(this.#opener(record.seq, engine));
    if (line.tone === "error" || line.tone === "warning" || line.tone === "debug") parts.push(make("span", `rt-level rt-level-${line.tone}`, strings.levels[line.tone]));
    if (line.step !== null && record.kind !== "step") parts.push(make("span", "rt-step", visible(line.step.slice(0, 60))));
    if (line.href !== null) this.#text.replaceChildren(linkTo(line.href, visible(line.text), query));
    else fillText(this.#text, line.text, query);
    parts.push(this.#text);
    if (line.moreCharacters > 0) parts.push(make("span", "rt-hint", strings.moreCharacters(line.moreCharacters)));
    if (line.error !== null && line.error !== line.text) {
      const error = make("span", "rt-error-line");
      fillText(error, line.error, query);
      parts.push(error);
    }
    if (line.moreLines > 0) parts.push(make("span", "rt-hint", strings.moreLines(line.moreLines)));
    if (line.cut !== null) parts.push(make("span", "rt-cut", line.cut));
    if (line.tail !== null) {
      const tail = make("span", "rt-tail");
      fillText(tail, line.tail, query);
      parts.push(tail);
    }
    this.#body.replaceChildren(...parts);
  }

  /** The header of a step: how it went, as far as its end was seen. */
  #fillHeader(seq: number, name: string, engine: LogEngine): void {
    const { strings, folds } = engine;
    const section = folds.steps.sections.get(seq);
    const status = section?.end?.status ?? (engine.goesOn(seq) ? "running" : null);
    const folded = folds.isFolded(seq);
    this.element.classList.add("rt-header");
    this.element.dataset["step"] = status ?? "unknown";
    this.#text.textContent = visible(strings.step(name, status ?? "running"));
    const fold = button("rt-fold", folded ? "▸" : "▾", folded ? strings.unfold : strings.fold, () => engine.fold(seq));
    fold.setAttribute("aria-expanded", String(!folded));
    const facts = status === null ? [] : [visible(status)];
    const end = section?.end;
    const attempt = end?.attempt ?? section?.start.attempt;
    if (attempt !== undefined && attempt > 1) facts.push(strings.attempt(attempt, end?.attempts ?? section?.start.attempts ?? null));
    if (typeof (end?.waited_ms ?? section?.start.waited_ms) === "number") facts.push(strings.waited(duration((end?.waited_ms ?? section?.start.waited_ms)!)));
    if (typeof end?.duration_ms === "number") facts.push(strings.took(duration(end.duration_ms)));
    if (folded) facts.push(strings.linesFolded((end?.seq ?? engine.last) - seq));
    this.#body.replaceChildren(fold, make("span", "rt-icon"), this.#text, make("span", "rt-facts", facts.join(" · ")));
  }

  #opener(seq: number, engine: LogEngine): HTMLElement {
    const open = engine.opened.has(seq);
    const element = button("rt-open", open ? "▾" : "▸", open ? engine.strings.collapse : engine.strings.expand, () => engine.toggle(seq));
    element.setAttribute("aria-expanded", String(open));
    return element;
  }

  #details(record: LogRecord, host: RowHost): HTMLElement {
    const { details, engine } = host;
    const box = details.get(record) ?? detailsOf(record, { strings: engine.strings, query: engine.search?.text.toLowerCase() ?? "", resized: host.resized });
    details.set(record, box);
    return box;
  }
}

export function keyOf(row: Row): string {
  return row.kind === "record" ? `r${row.seq}` : `n${row.id}`;
}
