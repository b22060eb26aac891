/** What the chrome around the lines draws: small, immutable, at most one new one a frame. */

import type { Completeness, Level } from "@runtail/client";
import type { Follow } from "./follow.ts";
import type { LogFilter } from "./place.ts";
import type { Range } from "./rows.ts";
import type { SearchState } from "./search.ts";
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
  readonly completeness: Completeness;
  /** Said for a moment. */
  readonly message: string | null;
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
