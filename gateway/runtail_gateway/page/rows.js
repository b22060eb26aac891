// One row of a log: what it says, and its element. Log text is data: it only ever becomes textContent.

import { because, eventText, isSafeLink } from "./events.js";
import { lines, number, plain, stepDuration, timeOfDay } from "./wording.js";

/** A row shows no more of a message; its details and its copy have all of it. */
const MAX_CHARS_IN_ROW = 2_000;

/** Make the row of *item*. */
export function itemRow(item, { number: itemNumber, open, active }) {
  const row = cell("div", `row ${toneOf(item)}${active ? " active" : ""}${open ? " open" : ""}`);
  row.dataset.number = itemNumber;
  row.copyText = lineText(item);
  if (!item.record) {
    row.classList.add("marker");
    row.append(cell("span", "seq"), cell("span", "text", markerText(item)));
    return row;
  }
  const { record, kind } = item;
  row.dataset.seq = record.seq;
  row.append(caretOf(record, open), cell("span", "seq", String(record.seq)));
  const [clock, ms] = timeOfDay(record.timestamp).split(".");
  const time = cell("span", "time", clock);
  if (ms) time.append(cell("span", "ms", `.${ms}`));
  time.title = record.timestamp ?? "";
  row.append(time, cell("span", "level", kind === "log" ? record.level : kind));
  row.append(cell("span", "step", record.step_name ?? ""), textOf(item));
  if (record.duration_ms != null) row.append(cell("span", "took", stepDuration(record.duration_ms)));
  return row;
}

/** Make one row of an item's details. */
export function detailRow({ label, text }) {
  const row = cell("div", "row detail");
  row.copyText = label ? `    ${label}: ${text}` : `    ${text}`;
  row.append(cell("span", "label", label), cell("span", "text", text));
  return row;
}

/** Say *item* in one line of text, for copying; an error's text follows on its own lines. */
export function lineText(item) {
  if (!item.record) return `--- ${markerText(item)}`;
  const { record, kind } = item;
  const what = kind === "log" ? (record.level ?? "").toUpperCase() : kind;
  const head = [record.seq, record.timestamp ?? "", what, record.step_name ?? ""].filter((x) => x !== "");
  const error = record.error_message ? `\n${plain(record.error_message)}` : "";
  return `${head.join(" ")} ${recordText(item)}${error}`;
}

function cell(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  if (text) element.textContent = text;
  return element;
}

function caretOf(record, open) {
  const caret = cell("button", "caret");
  caret.type = "button";
  caret.tabIndex = -1;
  caret.setAttribute("aria-expanded", String(open));
  caret.setAttribute("aria-label", `Details of line ${record.seq}`);
  return caret;
}

function textOf(item) {
  const text = recordText(item);
  const [first, ...rest] = text.split(/\r\n|\r|\n/, 1_000);
  const element = cell("span", "text", first.slice(0, MAX_CHARS_IN_ROW));
  if (item.kind === "link" && isSafeLink(item.record)) element.replaceChildren(anchorOf(item.record));
  if (first.length > MAX_CHARS_IN_ROW) element.append("…");
  const more = rest.length + (item.record.error_message ? item.record.error_message.split("\n").length : 0);
  if (more) element.append(cell("span", "more", `+${lines(more)}`));
  return element;
}

function anchorOf({ name, url }) {
  const anchor = cell("a", "", plain(name || url));
  anchor.href = url;
  anchor.title = url;
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer";
  return anchor;
}

function toneOf({ kind, marker, record }) {
  if (marker) return `is-${marker}`;
  return kind === "log" ? `is-${record.level}` : `is-event is-${kind}${record.status === "failed" ? " is-failed" : ""}`;
}

const recordText = ({ kind, record }) => (kind === "log" ? plain(record.message) : eventText(kind, record));

const span = (from, to) => (from === to ? `line ${number(from)}` : `lines ${number(from)} to ${number(to)}`);

function markerText(item) {
  switch (item.marker) {
    case "gap": {
      const which = item.before - item.after > 1 ? ` (${span(item.after + 1, item.before - 1)})` : "";
      const how = item.lost === null ? "an unknown number of lines is" : item.lost === 1 ? "1 line is" : `${lines(item.lost)} are`;
      return `${how} gone here${which}${because(item)}${item.proved ? "" : " · not proved"}`;
    }
    case "reset":
      return `the log after line ${number(item.seq)} was replaced${because(item)} · ${lines(item.withdrawn)} withdrawn, read again from here`;
    default:
      return `PROMISE BROKEN: ${span(item.after + 1, item.after + item.missing)} never came and nobody said so · ${lines(item.missing)} missing, please report this`;
  }
}
