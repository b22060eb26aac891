/** Which records pass a filter or hold a text: as the gateway decides it, so that live and history agree. Pure. */

import type { LogRecord } from "@runtail/client";
import type { LogFilter } from "./place.ts";

const SEARCHED = ["message", "error_message", "reason", "name", "input_data", "output_data"] as const;

/** Whether *record* passes *filter*: logs of its levels, records of its steps. */
export function passes(record: LogRecord, filter: LogFilter): boolean {
  if (filter.levels.length > 0) {
    if (isEvent(record) || !filter.levels.some((level) => level === record["level"])) return false;
  }
  return filter.steps.length === 0 || filter.steps.some((step) => step === String(record["step_name"]));
}

/** Whether *record* holds *text* (in lower case), where the gateway looks for it. */
export function holds(record: LogRecord, text: string): boolean {
  return SEARCHED.some((name) => textOf(record[name]).toLowerCase().includes(text));
}

export function isEvent(record: LogRecord): boolean {
  return record.kind !== undefined && record.kind !== "log";
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "string") return value;
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return ""; // too deep for the engine's own recursion: the gateway finds it
  }
}
