/** A place in a log as an address tells it: `#L120-L140&level=error,warning&step=load`. Pure. */

import type { Level } from "@runtail/client";
import type { Range } from "./rows.ts";

export interface LogFilter {
  /** Logs of these levels; empty: all. */
  readonly levels: readonly Level[];
  /** Records of these steps; empty: all. */
  readonly steps: readonly string[];
}

export interface Place {
  /** Lines that are highlighted; null: none, the view follows. */
  readonly line: Range | null;
  readonly filter: LogFilter;
}

export const EVERYTHING: LogFilter = { levels: [], steps: [] };
export const LEVELS: readonly Level[] = ["debug", "info", "warning", "error"];

const MOST_STEPS = 20; // as many as the gateway takes
const MOST_SEQ = 1e12;

/** Read a location's hash; what cannot be read is left out. */
export function placeOf(hash: string): Place {
  const parts = hash.replace(/^#/, "").split("&");
  const named = (name: string): string[] =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => decoded(part.slice(name.length + 1)));
  return {
    line: rangeOf(parts.find((part) => /^L\d/.test(part)) ?? ""),
    filter: {
      levels: LEVELS.filter((level) => named("level").some((value) => value.split(",").includes(level))),
      steps: named("step").filter((step) => step !== "").slice(0, MOST_STEPS),
    },
  };
}

/** Spell *place* as a hash; empty when there is nothing to tell. */
export function hashOf({ line, filter }: Place): string {
  const parts: string[] = [];
  if (line) parts.push(line.first === line.last ? `L${line.first}` : `L${line.first}-L${line.last}`);
  if (filter.levels.length > 0) parts.push(`level=${filter.levels.join(",")}`);
  for (const step of filter.steps) parts.push(`step=${encodeURIComponent(step)}`);
  return parts.length > 0 ? `#${parts.join("&")}` : "";
}

/** Whether *filter* leaves anything out. */
export function filters(filter: LogFilter): boolean {
  return filter.levels.length > 0 || filter.steps.length > 0;
}

function rangeOf(text: string): Range | null {
  const match = /^L(\d{1,15})(?:-L?(\d{1,15}))?$/.exec(text);
  if (!match) return null;
  const one = Number(match[1]);
  const other = match[2] === undefined ? one : Number(match[2]);
  const first = Math.min(one, other);
  return first < 1 || Math.max(one, other) > MOST_SEQ ? null : { first, last: Math.max(one, other) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
