/** What the chrome around the lines draws: small, immutable, at most one new one a frame. */

import type { Completeness, Level, Link } from "@runtail/client";
import type { LogEngine } from "./engine.ts";
import { type Follow, newLines } from "./follow.ts";
import type { LogFilter } from "./place.ts";
import type { Range } from "./rows.ts";
import type { Search, SearchState } from "./search.ts";
import { rangeOf } from "./selection.ts";
import type { TimeFormat } from "./times.ts";

export interface SearchView {
  readonly text: string;
  readonly state: SearchState;
  readonly count: number;
  /** Place of the match the reader is at, from 1; 0: at none. */
  readonly at: number;
  readonly percent: number;
}

export interface LogViewState {
  readonly follow: Follow;
  readonly newLines: number;
  /** Lines that were never on screen because they came too fast. */
  readonly skipped: { readonly count: number; readonly seq: number } | null;
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly filter: LogFilter;
  /** Lines that pass the filter, as far as it was looked; null: no filter. */
  readonly shown: { readonly count: number; readonly all: number; readonly exact: boolean } | null;
  readonly levels: Readonly<Record<Level, number>>;
  readonly steps: readonly string[];
  readonly search: SearchView | null;
  readonly selection: Range | null;
  readonly current: number | null;
  readonly wrap: boolean;
  readonly timeFormat: TimeFormat;
  readonly folded: boolean;
  readonly phase: Link["phase"];
  readonly completeness: Completeness;
  /** Said for a moment. */
  readonly message: string | null;
}

/** Most steps that can be chosen from. */
const MOST_STEPS = 200;

/** Describe *engine* as it is. */
export function describe(engine: LogEngine): LogViewState {
  const { snapshot, matches, search, message, first, last } = engine;
  return {
    follow: engine.follow,
    newLines: newLines(engine.follow, last),
    skipped: engine.skipped,
    first,
    last,
    rows: engine.layout.rows.count,
    filter: engine.filter,
    shown: matches && { count: matches.count, all: last === 0 ? 0 : last - first + 1, exact: !matches.hasOlder(first) },
    levels: engine.counting.of(snapshot.execution, snapshot.records, snapshot.totals),
    steps: stepNames(engine),
    search: search && searchView(search, engine.current),
    selection: engine.selection && rangeOf(engine.selection),
    current: engine.current,
    wrap: engine.wrap,
    timeFormat: engine.timeFormat,
    folded: engine.folds.any,
    phase: snapshot.link.phase,
    completeness: snapshot.completeness,
    message: message && message.until > engine.now() ? message.text : null,
  };
}

function searchView(search: Search, current: number | null): SearchView {
  const at = current === null ? 0 : search.placeOf(current);
  return { text: search.text, state: search.state, count: search.count, at, percent: Math.floor(search.progress * 100) };
}

function stepNames({ filter, folds }: LogEngine): readonly string[] {
  const names = new Set<string>(filter.steps);
  for (const { start } of folds.steps.sections.values()) {
    if (names.size >= MOST_STEPS) break;
    names.add(start.step_name);
  }
  return [...names];
}

export function sameState(one: LogViewState, other: LogViewState): boolean {
  return (Object.keys(one) as (keyof LogViewState)[]).every((key) => same(one[key], other[key]));
}

function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => Object.is((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]));
}
