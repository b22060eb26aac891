/** What one record says in one line, and whether there is more of it. Pure. */

import type { Level, LogRecord } from "@runtail/client";
import { cutIn } from "./cut_text.ts";
import { safeHref } from "./links.ts";
import type { LogStrings } from "./strings.ts";
import { number } from "./strings.ts";
import { duration } from "./times.ts";

/** `neutral`: a notice about the log, not a line of it. */
export type Tone = Level | "neutral" | "step" | "event";

export interface Line {
  readonly text: string;
  readonly tone: Tone;
  /** Lines of the text that are not shown (0: it is whole). */
  readonly moreLines: number;
  /** Characters that were clipped off the line. */
  readonly moreCharacters: number;
  /** Last line of a traceback; null: there is none. */
  readonly error: string | null;
  /** Cut by the worker: what, and how much is gone or how long it was. */
  readonly cut: string | null;
  /** The end of a text whose middle was cut. */
  readonly tail: string | null;
  /** Where a link record leads. */
  readonly href: string | null;
  readonly step: string | null;
  /** Whether a reader can open it to see more. */
  readonly opens: boolean;
}

/** Characters of one line that a row shows. */
export const CLIP = 2_000;
/** Of a text whose middle is gone: its two ends stand beside each other. */
const CUT_HEAD = 100;
const CUT_TAIL = 80;

const OWN = new Set(["id", "seq", "kind", "execution_id", "step_name", "step_type", "message", "timestamp", "level", "error_message"]);

/** Fields that alone are no reason to open a row: every line of a step has them, or it says them already. */
const BARE = new Set(["duration_ms", "truncated", "step_id", "parent_step_id"]);

/** Say *record* in one line. */
export function lineOf(record: LogRecord, strings: LogStrings): Line {
  const whole = messageOf(record, strings);
  const middle = cutIn(whole, lengths(record)["message"]);
  const { text, moreLines, moreCharacters } = firstLine(middle?.head ?? whole, middle ? CUT_HEAD : CLIP);
  const tail = middle && lastLine(middle.tail);
  const more = moreLines + (middle ? linesIn(middle.tail) - 1 : 0);
  const error = errorOf(record, whole);
  return {
    text,
    tone: toneOf(record),
    moreLines: more + Math.max(0, linesIn(textual(record["error_message"])) - 1),
    moreCharacters,
    error,
    cut: cutOf(record, strings, middle && strings.cutBetween(middle.gone, middle.of)),
    tail: tail && lastOf(tail, CUT_TAIL),
    href: record.kind === "link" ? safeHref(record.url, true) : null,
    step: typeof record["step_name"] === "string" ? record["step_name"] : null,
    opens: more > 0 || middle !== null || moreCharacters > 0 || error !== null || hasData(record),
  };
}

/** The text of *record*, as it is read and copied: all lines of it. */
export function messageOf(record: LogRecord, strings: LogStrings): string {
  switch (record.kind) {
    case undefined:
    case "log":
      return textual(record.message);
    case "status":
      return strings.status(textual(record.status), record.reason ?? null);
    case "step":
      return stepText(record, strings);
    case "progress":
      return `progress ${textual(record.name)}${record.name ? " " : ""}${progressOf(record)}`;
    case "metric":
      return `${textual(record.name)} = ${textual(record.value)}${record.unit ? ` ${textual(record.unit)}` : ""}`;
    case "link":
      return `${textual(record.name)}: ${textual(record.url)}`;
    case "plan":
      return planText(record.steps, record.note);
    case "lost":
      return strings.lost(record.lost, record.reason ?? null);
    case "end":
      return strings.ended(textual(record.status));
    default:
      return textual(record);
  }
}

/** The whole of *record* as people read it in a text file. */
export function plainOf(record: LogRecord, strings: LogStrings): string {
  const error = textual(record["error_message"]);
  const head = [textual(record.timestamp), textual(record["level"]), textual(record["step_name"])].filter(Boolean).join(" ");
  return `${head ? `${head} ` : ""}${messageOf(record, strings)}${error ? `\n${error}` : ""}`;
}

/** Fields that only an opened row shows. */
export function dataOf(record: LogRecord): [name: string, value: unknown][] {
  return Object.entries(record).filter(([name, value]) => !OWN.has(name) && value !== null && value !== undefined);
}

export function textual(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  if (typeof value === "object") return Array.isArray(value) ? `[${number(value.length)}]` : "{…}";
  return String(value);
}

function toneOf(record: LogRecord): Tone {
  switch (record.kind) {
    case undefined:
    case "log":
      return record.level ?? "info";
    case "step":
      return "step";
    case "lost":
    case "status":
    case "end":
      return "neutral";
    default:
      return "event";
  }
}

function firstLine(whole: string, most: number): { text: string; moreLines: number; moreCharacters: number } {
  const body = whole.endsWith("\n") ? whole.slice(0, -1) : whole;
  const end = body.indexOf("\n");
  const first = end < 0 ? body : body.slice(0, end);
  const moreLines = end < 0 ? 0 : linesIn(body) - 1;
  if (first.length <= most) return { text: first, moreLines, moreCharacters: 0 };
  return { text: first.slice(0, border(first, most)), moreLines, moreCharacters: first.length - most };
}

/** The greatest cut at or below *at* that does not halve a character. */
export function border(text: string, at: number): number {
  const code = text.charCodeAt(at - 1);
  return code >= 0xd800 && code <= 0xdbff ? at - 1 : at;
}

/** The last *most* characters of *text*, or one less: none is halved. */
function lastOf(text: string, most: number): string {
  const at = Math.max(0, text.length - most);
  const code = text.charCodeAt(at);
  return text.slice(code >= 0xdc00 && code <= 0xdfff ? at + 1 : at);
}

function linesIn(text: string): number {
  if (text === "") return 0;
  let count = 1;
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count += 1;
  return text.endsWith("\n") ? count - 1 : count;
}

/** A traceback's last line says what went wrong; the rest says where. */
function errorOf(record: LogRecord, message: string): string | null {
  const error = textual(record["error_message"]);
  if (error !== "") return lastLine(error);
  return message.startsWith("Traceback (most recent call last)") ? lastLine(message) : null;
}

function lastLine(text: string): string {
  const body = text.trimEnd();
  return body.slice(body.lastIndexOf("\n") + 1).slice(0, CLIP);
}

/** How long fields were that the worker cut. */
function lengths(record: LogRecord): Readonly<Record<string, unknown>> {
  const cut = record["truncated"];
  return typeof cut === "object" && cut !== null ? (cut as Record<string, unknown>) : {};
}

/** *middle* says of the message what is gone. */
function cutOf(record: LogRecord, strings: LogStrings, middle: string | null): string | null {
  const parts = Object.entries(lengths(record))
    .slice(0, 8)
    .map(([field, bytes]) => (field === "message" && middle !== null ? middle : strings.truncated(field, Number(bytes))));
  return parts.length > 0 ? parts.join(" · ") : null;
}

function hasData(record: LogRecord): boolean {
  return dataOf(record).some(([name]) => !BARE.has(name) && !plainly(record, name));
}

/** Fields of kinds other than logs that their line says already. */
function plainly(record: LogRecord, name: string): boolean {
  return record.kind !== undefined && record.kind !== "log" && record.kind !== "end" && !["input_data", "output_data", "steps"].includes(name);
}

function progressOf(record: { progress: number | null; done?: number; total?: number }): string {
  const part = record.done === undefined ? "" : ` (${number(record.done)} of ${record.total === undefined ? "?" : number(record.total)})`;
  return `${typeof record.progress === "number" ? `${record.progress} %` : "unknown"}${part}`;
}

function planText(steps: unknown, note: unknown): string {
  const names = Array.isArray(steps) ? steps.slice(0, 100).map((step: { name?: unknown }) => textual(step?.name)) : [];
  return `plan: ${names.join(" → ")}${note ? ` · ${textual(note)}` : ""}`;
}

function stepText(record: Extract<LogRecord, { kind: "step" }>, strings: LogStrings): string {
  const parts = [strings.step(textual(record.step_name), record.status), record.status === "running" ? "started" : textual(record.status)];
  if (record.attempt !== undefined && (record.attempt > 1 || (record.attempts ?? 1) > 1)) parts.push(strings.attempt(record.attempt, record.attempts ?? null));
  if (typeof record.waited_ms === "number") parts.push(strings.waited(duration(record.waited_ms)));
  if (typeof record.duration_ms === "number") parts.push(strings.took(duration(record.duration_ms)));
  if (record.reason) parts.push(textual(record.reason));
  return parts.join(" · ");
}
