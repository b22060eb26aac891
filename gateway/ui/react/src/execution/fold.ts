/**
 * Fold records into the view of an execution. Pure.
 *
 * What the view has in it already changes nothing when it comes again; whoever folds sees to it that nothing
 * is missing between (see `feed.ts`).
 */

import type { LinkRecord, LogRecord, MetricRecord, PlanRecord, ProgressRecord, StepRecord } from "@runtail/client";
import {
  bounded, type ExecutionView, finite, isOpen, MOST, type Plan, sampled, type StepCounts, type StepRun, textOf, timeOf,
} from "./view.ts";

/** *view* after *records*, which ascend. */
export function fold(view: ExecutionView, records: readonly LogRecord[]): ExecutionView {
  const fresh = records.filter(({ seq }) => seq > view.seq);
  const last = fresh.at(-1);
  if (last === undefined) return view;
  const draft = new Draft(view);
  for (const record of fresh) draft.take(record);
  return draft.done(last.seq);
}

/** When *record* was made, in ms; its id knows when it was stored. */
export function momentOf({ timestamp, id }: Pick<LogRecord, "timestamp" | "id">): number {
  return timeOf(timestamp) ?? (Number(id.split("-")[0]) || 0);
}

/** A view that is being made: what it shares with the one before is copied when it changes. */
class Draft {
  #view: ExecutionView;
  #runs: Map<string, StepRun> | null = null;
  #counts: Map<string, StepCounts> | null = null;

  constructor(view: ExecutionView) {
    this.#view = view;
  }

  done(seq: number): ExecutionView {
    return { ...this.#view, runs: this.#runs ?? this.#view.runs, counts: this.#counts ?? this.#view.counts, seq };
  }

  take(record: LogRecord): void {
    this.#count(record);
    switch (record.kind) {
      case undefined:
      case "log":
        return this.#log(record);
      case "step":
        return this.#step(record);
      case "progress":
        return this.#progress(record);
      case "metric":
        return this.#metric(record);
      case "link":
        return this.#link(record);
      case "plan":
        return this.#change({ plan: planOf(record) });
      default: // status, lost, end: the execution's state tells them; a later kind says nothing here
        return undefined;
    }
  }

  #change(changed: Partial<ExecutionView>): void {
    this.#view = { ...this.#view, ...changed };
  }

  #log(record: LogRecord): void {
    const { level } = record;
    const name = textOf(record["step_name"]);
    if (level !== "error") return;
    const detail = textOf(record["error_message"]);
    const message = textOf(record["message"]) ?? detail?.trimEnd().split("\n").at(-1) ?? "";
    this.#change({ lastError: { seq: record.seq, stepName: name, message, detail, at: momentOf(record) } });
  }

  #count(record: LogRecord): void {
    const name = textOf(record["step_name"]);
    if (name === null) return;
    this.#counts ??= new Map(this.#view.counts);
    const known = this.#counts.get(name);
    if (known === undefined && this.#counts.size >= MOST.steps) return;
    const { records, ...levels } = known ?? { records: 0, errors: 0, warnings: 0 };
    const level = record.kind === undefined || record.kind === "log" ? record.level : undefined;
    this.#counts.set(name, {
      records: records + 1,
      errors: levels.errors + (level === "error" ? 1 : 0),
      warnings: levels.warnings + (level === "warning" ? 1 : 0),
    });
  }

  #step(record: StepRecord): void {
    if (textOf(record.step_name) === null) return;
    const runs = (this.#runs ??= new Map(this.#view.runs));
    const known = runOf(runs, record);
    const run = known === undefined ? begun(record) : continued(known, record);
    runs.set(run.id, run);
    if (runs.size <= MOST.runs) return;
    for (const { id, status } of runs.values()) {
      if (isOpen({ status })) continue;
      runs.delete(id);
      return this.#change({ forgotten: this.#view.forgotten + 1 });
    }
  }

  #progress(record: ProgressRecord): void {
    const { name, done, total } = record;
    const value = finite(record.progress);
    if (textOf(name) === null) {
      if (value !== null) this.#change({ progress: sampled(this.#view.progress, [momentOf(record), value]) });
      return;
    }
    const part = { name: name as string, progress: value, done: finite(done), total: finite(total) };
    this.#change({ parts: bounded(this.#view.parts, part.name, part, MOST.parts) });
  }

  #metric(record: MetricRecord): void {
    const value = finite(record.value);
    if (textOf(record.name) === null || value === null) return;
    const known = this.#view.metrics.get(record.name);
    const samples = sampled(known?.samples ?? [], [momentOf(record), value]);
    const metric = { name: record.name, unit: textOf(record.unit) ?? known?.unit ?? null, samples };
    this.#change({ metrics: bounded(this.#view.metrics, record.name, metric, MOST.metrics) });
  }

  #link({ name, url }: LinkRecord): void {
    if (textOf(name) === null || textOf(url) === null) return;
    this.#change({ links: bounded(this.#view.links, name, { name, url }, MOST.links) });
  }
}

/** The run that *record* tells of; undefined: a new one. Without an id it is the newest of its name that goes on. */
function runOf(runs: ReadonlyMap<string, StepRun>, record: StepRecord): StepRun | undefined {
  if (record.step_id !== undefined) return runs.get(record.step_id);
  if (record.status === "running") return undefined;
  return [...runs.values()].findLast((run) => run.name === record.step_name && run.id.startsWith("line ") && isOpen(run));
}

function begun(record: StepRecord): StepRun {
  const at = momentOf(record);
  const over = record.status !== "running";
  const durationMs = finite(record.duration_ms);
  return {
    id: record.step_id ?? `line ${record.seq}`,
    name: record.step_name,
    type: textOf(record.step_type),
    parentId: textOf(record.parent_step_id),
    status: record.status,
    startedAt: over ? (durationMs === null ? null : at - durationMs) : at,
    endedAt: over ? at : null,
    durationMs,
    waitedMs: finite(record.waited_ms),
    attempt: finite(record.attempt),
    attempts: finite(record.attempts),
    firstSeq: record.seq,
    lastSeq: record.seq,
    error: textOf(record.error_message),
  };
}

function continued(run: StepRun, record: StepRecord): StepRun {
  const now = begun(record);
  return {
    ...run,
    type: run.type ?? now.type,
    status: now.status,
    startedAt: run.startedAt ?? now.startedAt,
    endedAt: now.endedAt,
    durationMs: now.durationMs ?? run.durationMs,
    waitedMs: now.waitedMs ?? run.waitedMs,
    attempt: now.attempt ?? run.attempt,
    attempts: now.attempts ?? run.attempts,
    lastSeq: record.seq,
    error: now.error ?? run.error,
  };
}

export function planOf({ steps, note }: Pick<PlanRecord, "steps" | "note">): Plan | null {
  if (!Array.isArray(steps)) return null;
  const named = new Map<string, Plan["steps"][number]>();
  for (const { name, after, step_type } of steps.slice(0, MOST.steps)) {
    if (textOf(name) === null || named.has(name)) continue;
    named.set(name, { name, after: (Array.isArray(after) ? after : []).filter((one) => typeof one === "string"), type: textOf(step_type) });
  }
  return named.size === 0 ? null : { steps: [...named.values()], note: textOf(note) };
}
