/** Rows along a line of time. Pure. */

import type { StepRow } from "./step_rows.ts";
import { isOpen } from "./view.ts";

export interface Span {
  readonly from: number;
  readonly until: number;
}

/** A piece of a row, in percent of the whole. */
export interface Bar {
  readonly kind: "waited" | "run";
  readonly status: string;
  readonly left: number;
  readonly width: number;
  readonly from: number;
  readonly until: number;
}

export interface Tick {
  readonly left: number;
  /** ms since the beginning. */
  readonly at: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30].map((n) => n * SECOND)
  .concat([1, 2, 5, 10, 15, 30].map((n) => n * MINUTE), [1, 2, 3, 6, 12, 24, 48, 96, 168].map((n) => n * HOUR));
const LEAST_MS = 1_000;

/** The time that *rows* take up, from the first wait on, to *now* if anything goes on; null: none has begun. */
export function spanOf(rows: readonly StepRow[], began: number | null, ended: number | null, now: number | null): Span | null {
  let [from, until] = [began ?? Infinity, ended ?? -Infinity];
  for (const { tries } of rows) {
    for (const run of tries) {
      if (run.startedAt !== null) from = Math.min(from, run.startedAt - (run.waitedMs ?? 0));
      until = Math.max(until, run.endedAt ?? run.startedAt ?? -Infinity);
      if (isOpen(run) && ended === null && now !== null) until = Math.max(until, now);
    }
  }
  if (ended === null && now !== null && began !== null) until = Math.max(until, now);
  return Number.isFinite(from) && Number.isFinite(until) ? { from, until: Math.max(until, from + LEAST_MS) } : null;
}

/** The pieces of *row* within *span*. What goes on lasts until the span's end. */
export function barsOf({ tries }: StepRow, span: Span): readonly Bar[] {
  return tries.flatMap((run): Bar[] => {
    const from = run.startedAt;
    if (from === null) return [];
    const until = run.endedAt ?? (isOpen(run) ? span.until : from);
    const waited = run.waitedMs !== null && run.waitedMs > 0 ? [bar("waited", run.status, from - run.waitedMs, from, span)] : [];
    return [...waited, bar("run", run.status, from, until, span)];
  });
}

function bar(kind: Bar["kind"], status: string, from: number, until: number, span: Span): Bar {
  const left = percent(from, span);
  return { kind, status, left, width: Math.max(0, percent(until, span) - left), from, until };
}

/** Where *at* is in *span*, in percent. */
export const percent = (at: number, { from, until }: Span): number =>
  Math.round(Math.min(100, Math.max(0, (100 * (at - from)) / (until - from))) * 100) / 100;

/** At most *most* ticks at round times. */
export function ticksOf({ from, until }: Span, most = 6): readonly Tick[] {
  const length = until - from;
  const step = STEPS.find((each) => length / each <= most) ?? 168 * HOUR * Math.ceil(length / (168 * HOUR * most));
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, i) => ({ at: i * step, left: percent(from + i * step, { from, until }) }));
}

/** What is known of lines and times: both rise. */
export type Anchor = readonly [seq: number, at: number];

/** Lines of *rows* with their times, ascending. */
export function anchorsOf(rows: readonly StepRow[]): readonly Anchor[] {
  const anchors: Anchor[] = [];
  for (const { tries } of rows) {
    for (const { firstSeq, startedAt, lastSeq, endedAt } of tries) {
      if (startedAt !== null) anchors.push([firstSeq, startedAt]);
      if (endedAt !== null) anchors.push([lastSeq, endedAt]);
    }
  }
  return anchors.sort(([a], [b]) => a - b);
}

/** About when the line *seq* was made: between the two that are known around it; null: nothing is known. */
export function timeOfLine(seq: number, anchors: readonly Anchor[]): number | null {
  const after = anchors.findIndex(([line]) => line >= seq);
  const [next, before] = [anchors[after], anchors[after < 0 ? anchors.length - 1 : after - 1]];
  if (next === undefined) return before?.[1] ?? null;
  if (before === undefined || next[0] === seq) return next[1];
  return before[1] + ((next[1] - before[1]) * (seq - before[0])) / (next[0] - before[0]);
}
