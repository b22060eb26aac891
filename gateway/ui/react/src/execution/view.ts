/** What is known of an execution beside its lines: its steps, plan, progress, metrics. Immutable values. */

import type { ExecutionState } from "@runtail/client";

/** [ms since 1970, value] */
export type Sample = readonly [at: number, value: number];

/** One run of a step. A step that was tried three times has three. */
export interface StepRun {
  /** The worker's id of it; where it gave none, one of our own. */
  readonly id: string;
  readonly name: string;
  readonly type: string | null;
  readonly parentId: string | null;
  readonly status: string;
  /** ms since 1970; null: not known, or not yet. */
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly durationMs: number | null;
  readonly waitedMs: number | null;
  readonly attempt: number | null;
  readonly attempts: number | null;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly error: string | null;
}

export interface PlannedStep {
  readonly name: string;
  readonly after: readonly string[];
  readonly type: string | null;
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
  /** What is wrong with it, by the worker's word. */
  readonly note: string | null;
}

export interface StepCounts {
  readonly records: number;
  readonly errors: number;
  readonly warnings: number;
}

export interface Metric {
  readonly name: string;
  readonly unit: string | null;
  readonly samples: readonly Sample[];
}

export interface Part {
  readonly name: string;
  /** 0 … 100; null: not known. */
  readonly progress: number | null;
  readonly done: number | null;
  readonly total: number | null;
}

export interface LinkOut {
  readonly name: string;
  readonly url: string;
}

/** The last record of level error. */
export interface LoggedError {
  readonly seq: number;
  readonly stepName: string | null;
  readonly message: string;
  /** The traceback, where there is one. */
  readonly detail: string | null;
  readonly at: number | null;
}

export interface ExecutionView {
  /** All records up to this one are in it. */
  readonly seq: number;
  readonly plan: Plan | null;
  /** By id, in the order in which they began. */
  readonly runs: ReadonlyMap<string, StepRun>;
  /** How many runs are no longer among them: there were too many. */
  readonly forgotten: number;
  /** By step name. */
  readonly counts: ReadonlyMap<string, StepCounts>;
  readonly links: ReadonlyMap<string, LinkOut>;
  readonly metrics: ReadonlyMap<string, Metric>;
  readonly progress: readonly Sample[];
  readonly parts: ReadonlyMap<string, Part>;
  readonly lastError: LoggedError | null;
}

/** Most of each that a page holds. What is older goes, and of samples every other one. */
export const MOST = { runs: 2_000, steps: 1_000, links: 50, metrics: 24, samples: 240, parts: 24 } as const;

export const NOTHING_YET: ExecutionView = {
  seq: 0,
  plan: null,
  runs: new Map(),
  forgotten: 0,
  counts: new Map(),
  links: new Map(),
  metrics: new Map(),
  progress: [],
  parts: new Map(),
  lastError: null,
};

/** ms since 1970 of *text*; null: it is no time. */
export function timeOf(text: string | null | undefined): number | null {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : time;
}

/** *value* if it is a number that can be drawn. */
export const finite = (value: unknown): number | null => (typeof value === "number" && Number.isFinite(value) ? value : null);

/** *value* if it is a text that says something. */
export const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

/** *samples* and one more; when there are twice too many, every other one of the older half goes. */
export function sampled(samples: readonly Sample[], more: Sample): readonly Sample[] {
  const last = samples.at(-1);
  const ordered = last !== undefined && more[0] < last[0] ? ([last[0], more[1]] as const) : more;
  if (samples.length < 2 * MOST.samples) return [...samples, ordered];
  const recent = samples.length - MOST.samples;
  return [...samples.filter((_, at) => at >= recent || at % 2 === 0), ordered];
}

/** *map* and one more entry, as long as there are fewer than *most*. */
export function bounded<K, V>(map: ReadonlyMap<K, V>, key: K, value: V, most: number): ReadonlyMap<K, V> {
  if (!map.has(key) && map.size >= most) return map;
  return new Map(map).set(key, value);
}

/** A run that goes on, or may. */
export const isOpen = (run: Pick<StepRun, "status">): boolean => run.status === "running" || run.status === "pending";

export type { ExecutionState };
