/** What `GET /executions/{id}/overview` answers, and how it becomes a view. Pure. */

import type { LogRecord, PlanRecord, StepStatistic } from "@runtail/client";
import { planOf } from "./fold.ts";
import {
  type ExecutionView, finite, isOpen, type LoggedError, type Metric, MOST, type Part, type Sample, type StepCounts, type StepRun, textOf, timeOf,
} from "./view.ts";

export interface RunAnswer {
  readonly step_id: string | null;
  readonly step_name: string;
  readonly step_type: string | null;
  readonly parent_step_id: string | null;
  readonly status: string;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly duration_ms: number | null;
  readonly waited_ms: number | null;
  readonly attempt: number | null;
  readonly attempts: number | null;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly error_message: string | null;
}

/** One page of it: of the records after the cursor that was asked for. */
export interface OverviewAnswer {
  readonly plan: Pick<PlanRecord, "steps" | "note"> | null;
  readonly steps: readonly StepStatistic[];
  readonly runs: readonly RunAnswer[];
  readonly links: readonly { readonly name: string; readonly url: string }[];
  readonly metrics: readonly { readonly name: string; readonly unit: string | null; readonly samples: readonly Sample[] }[];
  readonly progress: readonly Sample[];
  readonly parts: readonly { readonly name: string; readonly progress: number | null; readonly done?: number | null; readonly total?: number | null }[];
  readonly last_error: LogRecord | null;
  readonly cursor: string;
  readonly more: boolean;
}

/** *view* and what *answer* tells of the records after it. */
export function withOverview(view: ExecutionView, answer: OverviewAnswer): ExecutionView {
  const runs = mergedRuns(view.runs, answer.runs);
  return {
    seq: Math.max(view.seq, seqOf(answer.cursor)),
    plan: (answer.plan === null ? null : planOf(answer.plan)) ?? view.plan,
    runs: runs.kept,
    forgotten: view.forgotten + runs.forgotten,
    counts: mergedCounts(view.counts, answer.steps),
    links: merged(view.links, answer.links, MOST.links),
    metrics: mergedMetrics(view.metrics, answer.metrics),
    progress: thinned([...view.progress, ...answer.progress.filter(isSample)]),
    parts: merged(view.parts, answer.parts.map(partOf), MOST.parts),
    lastError: errorOf(answer.last_error) ?? view.lastError,
  };
}

/** The seq that *cursor* names; 0: none. */
export const seqOf = (cursor: string): number => Number(cursor.split(":")[1]) || 0;

function mergedRuns(known: ExecutionView["runs"], more: readonly RunAnswer[]): { readonly kept: Map<string, StepRun>; readonly forgotten: number } {
  const kept = new Map(known);
  let forgotten = 0;
  for (const answer of more) {
    const run = runOf(answer);
    const before = kept.get(run.id);
    kept.set(run.id, before === undefined ? run : joined(before, run));
  }
  for (const run of kept.values()) {
    if (kept.size <= MOST.runs) break;
    if (isOpen(run)) continue;
    kept.delete(run.id);
    forgotten += 1;
  }
  return { kept, forgotten };
}

function runOf(answer: RunAnswer): StepRun {
  return {
    id: answer.step_id ?? `line ${answer.first_seq}`,
    name: answer.step_name,
    type: textOf(answer.step_type),
    parentId: textOf(answer.parent_step_id),
    status: answer.status,
    startedAt: timeOf(answer.started_at),
    endedAt: timeOf(answer.ended_at),
    durationMs: finite(answer.duration_ms),
    waitedMs: finite(answer.waited_ms),
    attempt: finite(answer.attempt),
    attempts: finite(answer.attempts),
    firstSeq: answer.first_seq,
    lastSeq: answer.last_seq,
    error: textOf(answer.error_message),
  };
}

/** A run that began on an earlier page. */
function joined(before: StepRun, after: StepRun): StepRun {
  return {
    ...after,
    type: before.type ?? after.type,
    parentId: before.parentId ?? after.parentId,
    startedAt: before.startedAt ?? after.startedAt,
    waitedMs: after.waitedMs ?? before.waitedMs,
    attempt: after.attempt ?? before.attempt,
    attempts: after.attempts ?? before.attempts,
    firstSeq: Math.min(before.firstSeq, after.firstSeq),
    error: after.error ?? before.error,
  };
}

function mergedCounts(known: ExecutionView["counts"], more: readonly StepStatistic[]): Map<string, StepCounts> {
  const counts = new Map(known);
  for (const { step_name, records, levels } of more) {
    const before = counts.get(step_name) ?? { records: 0, errors: 0, warnings: 0 };
    if (!counts.has(step_name) && counts.size >= MOST.steps) continue;
    counts.set(step_name, {
      records: before.records + records,
      errors: before.errors + (levels.error ?? 0),
      warnings: before.warnings + (levels.warning ?? 0),
    });
  }
  return counts;
}

function merged<T extends { readonly name: string }>(known: ReadonlyMap<string, T>, more: readonly T[], most: number): Map<string, T> {
  const all = new Map(known);
  for (const one of more) if (all.has(one.name) || all.size < most) all.set(one.name, one);
  return all;
}

function mergedMetrics(known: ExecutionView["metrics"], more: OverviewAnswer["metrics"]): Map<string, Metric> {
  const all = new Map(known);
  for (const { name, unit, samples } of more) {
    const before = all.get(name);
    if (before === undefined && all.size >= MOST.metrics) continue;
    all.set(name, { name, unit: textOf(unit) ?? before?.unit ?? null, samples: thinned(byTime([...(before?.samples ?? []), ...samples.filter(isSample)])) });
  }
  return all;
}

// Steps that run beside each other tell the same metric, each in a list of its own.
const byTime = (samples: readonly Sample[]): readonly Sample[] => samples.toSorted(([a], [b]) => a - b);

const isSample = ([at, value]: Sample): boolean => finite(at) !== null && finite(value) !== null;

function thinned(samples: readonly Sample[]): readonly Sample[] {
  let kept = samples;
  while (kept.length > 2 * MOST.samples) kept = kept.filter((_, at) => at % 2 === 0 || at === kept.length - 1);
  return kept;
}

function partOf({ name, progress, done = null, total = null }: OverviewAnswer["parts"][number]): Part {
  return { name, progress: finite(progress), done: finite(done), total: finite(total) };
}

function errorOf(record: LogRecord | null): LoggedError | null {
  if (record === null) return null;
  const detail = textOf(record["error_message"]);
  return {
    seq: record.seq,
    stepName: textOf(record["step_name"]),
    message: textOf(record["message"]) ?? detail?.trimEnd().split("\n").at(-1) ?? "",
    detail,
    at: timeOf(record.timestamp),
  };
}
