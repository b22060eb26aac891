/** All of one record, opened under its row: its whole text, its error, its data as a tree. */

import type { LogRecord } from "@runtail/client";
import { type Node, nodeOf } from "./json_tree.ts";
import { border, dataOf, messageOf, textual } from "./line.ts";
import type { LogStrings } from "./strings.ts";
import { button, fillText, make } from "./text_dom.ts";
import { visible } from "./visible.ts";

/** Characters of a long text that are laid out at once. */
const CHUNK = 20_000;
/** Levels of a tree that are indented; deeper ones stand below one another. */
const MOST_INDENT = 24;

export interface DetailsHost {
  readonly strings: LogStrings;
  readonly query: string;
  /** The height has changed. */
  readonly resized: () => void;
}

/** Make the details of *record*. */
export function detailsOf(record: LogRecord, host: DetailsHost): HTMLElement {
  const box = make("div", "rt-details");
  box.setAttribute("role", "cell"); // it stands in a row of a table
  const message = messageOf(record, host.strings);
  if (message.includes("\n") || message.length > 200) box.append(longText("rt-whole", message, host));
  const error = textual(record["error_message"]);
  if (error !== "") box.append(longText("rt-whole rt-error-text", error, host));
  const tree = make("div", "rt-tree");
  for (const [name, value] of dataOf(record)) tree.append(nodeElement(nodeOf(name, value), 0, host));
  tree.append(nodeElement(nodeOf("at", `${textual(record.timestamp)} · ${record.id}`), 0, host));
  box.append(tree);
  // clicks in here are the reader's own business, not a choice of the line
  box.addEventListener("pointerdown", (event) => event.stopPropagation());
  return box;
}

function longText(className: string, text: string, host: DetailsHost): HTMLElement {
  const block = make("pre", className);
  let shown = 0;
  const more = button("rt-more", "", host.strings.showMore, () => {
    show();
    host.resized();
  });
  const show = (): void => {
    const end = text.length - shown <= CHUNK ? text.length : border(text, shown + CHUNK);
    const piece = make("span", "");
    fillText(piece, text.slice(shown, end), host.query);
    shown = end;
    block.insertBefore(piece, more.parentNode === block ? more : null);
    more.textContent = host.strings.moreCharacters(text.length - shown);
    if (shown >= text.length) more.remove();
    else if (more.parentNode !== block) block.append(more);
  };
  show();
  return block;
}

// Lines stand below one another, however deep they are: elements in each other would overflow the browser's stack.
function nodeElement(node: Node, depth: number, host: DetailsHost): HTMLElement {
  const line = make("div", "rt-node");
  line.dataset["depth"] = String(depth);
  line.style.setProperty("--rt-depth", String(Math.min(depth, MOST_INDENT)));
  if (node.kind === "leaf") line.append(make("span", "rt-key", visible(node.label)), " ", leafElement(node, host));
  else line.append(branchHead(line, node, depth, host));
  return line;
}

function leafElement(node: Extract<Node, { kind: "leaf" }>, host: DetailsHost): HTMLElement {
  if (node.text.length > 300 || node.text.includes("\n")) return longText("rt-whole rt-value", node.text, host);
  const value = make("span", `rt-value rt-value-${node.type}`);
  fillText(value, node.text, host.query);
  return value;
}

function branchHead(line: HTMLElement, node: Exclude<Node, { kind: "leaf" }>, depth: number, host: DetailsHost): HTMLElement {
  const name = `${depth > MOST_INDENT ? `${depth} ` : ""}${visible(node.label)}`;
  const count = node.kind === "branch" && !node.list ? host.strings.fields(node.count) : host.strings.items(node.count);
  const head = button("rt-branch-head", "▸ ", `${name}: ${count}`, () => {
    const open = head.getAttribute("aria-expanded") !== "true";
    head.setAttribute("aria-expanded", String(open));
    arrow.textContent = open ? "▾ " : "▸ ";
    if (open) line.after(...node.children().map((child) => nodeElement(child, depth + 1, host)));
    else removeBelow(line, depth);
    host.resized();
  });
  const arrow = make("span", "rt-arrow", "▸ ");
  head.replaceChildren(arrow, make("span", "rt-key", name), " ", make("span", "rt-count", count));
  head.setAttribute("aria-expanded", "false");
  head.tabIndex = 0;
  return head;
}

/** Remove the lines that follow *line* and are deeper. */
function removeBelow(line: HTMLElement, depth: number): void {
  for (let next = line.nextElementSibling; next instanceof HTMLElement && Number(next.dataset["depth"]) > depth; next = line.nextElementSibling) next.remove();
}
