/** Log text as elements: text nodes alone, colours as classes, addresses as links, what was found as marks. */

import { type Span, spansOf, type Style } from "./ansi.ts";
import { linked } from "./links.ts";
import { acts } from "./visible.ts";

/** Make an element with classes and a text. */
export function make<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text?: string): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** Make a button that does *act* and cannot be reached by Tab: rows come and go, their keys are the log's. */
export function button(className: string, text: string, label: string, act: () => void): HTMLButtonElement {
  const element = make("button", className, text);
  element.type = "button";
  element.tabIndex = -1;
  element.title = label;
  element.setAttribute("aria-label", label);
  element.addEventListener("click", (event) => {
    event.stopPropagation();
    act();
  });
  return element;
}

/** Fill *host* with *text*, with every occurrence of *query* (in lower case) marked. */
export function fillText(host: HTMLElement, text: string, query: string): void {
  const simple = !acts(text) && !text.includes("://");
  if (simple && (query === "" || !text.toLowerCase().includes(query))) {
    host.textContent = text;
    return;
  }
  host.replaceChildren();
  for (const span of spansOf(text)) appendSpan(host, span, query);
}

function appendSpan(host: HTMLElement, span: Span, query: string): void {
  const classes = span.mark ? `rt-mark ${classesOf(span.style)}` : classesOf(span.style);
  const into = classes.trim() === "" ? host : make("span", classes.trim());
  if (into !== host) host.append(into);
  if (span.mark) {
    into.textContent = span.text;
    return;
  }
  for (const { text, href } of linked(span.text)) {
    if (href === null) appendMarked(into, text, query);
    else into.append(linkTo(href, text, query));
  }
}

/** A link to *href*, which was found safe. */
export function linkTo(href: string, text: string, query = ""): HTMLAnchorElement {
  const link = make("a", "rt-link");
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.tabIndex = -1;
  appendMarked(link, text, query);
  return link;
}

const MOST_MARKS = 200;

function appendMarked(host: HTMLElement, text: string, query: string): void {
  let at = 0;
  if (query !== "") {
    const lower = text.toLowerCase();
    // a character whose lower case is longer would shift the marks: then there are none
    let found = lower.length === text.length ? lower.indexOf(query) : -1;
    for (let n = 0; found >= 0 && n < MOST_MARKS; n += 1) {
      if (found > at) host.append(text.slice(at, found));
      host.append(make("mark", "rt-found", text.slice(found, found + query.length)));
      at = found + query.length;
      found = lower.indexOf(query, at);
    }
  }
  if (at < text.length) host.append(text.slice(at));
}

function classesOf(style: Style): string {
  const names: string[] = [];
  if (style.colour !== null) names.push(`rt-fg-${style.colour}`);
  if (style.background !== null) names.push(`rt-bg-${style.background}`);
  if (style.bold) names.push("rt-bold");
  if (style.dim) names.push("rt-dim");
  if (style.italic) names.push("rt-italic");
  if (style.underline) names.push("rt-underline");
  if (style.struck) names.push("rt-struck");
  if (style.inverse) names.push("rt-inverse");
  return names.join(" ");
}
