/** Which step failed, and by what. Pure. */

import type { ExecutionState } from "@runtail/client";
import type { ExecutionView, StepRun } from "./view.ts";

export interface Failure {
  readonly stepName: string | null;
  /** Of the failing attempt. */
  readonly run: StepRun | null;
  /** What it says of itself, without where it happened. */
  readonly message: string;
  /** The whole of it, where there is more. */
  readonly detail: string | null;
  /** Where the log tells of it; null: nowhere. */
  readonly seq: number | null;
}

/** What *execution* failed by; null: it did not fail, as far as is known. */
export function failureOf(execution: ExecutionState | null, view: ExecutionView): Failure | null {
  if (execution?.status !== "failed") return null;
  const run = failedRun(view);
  const logged = errorFor(run, view, execution);
  const told = run?.error ?? logged?.detail ?? logged?.message ?? execution.reason ?? "";
  return {
    stepName: run?.name ?? logged?.stepName ?? null,
    run,
    message: reasonOf(run?.error ?? logged?.message ?? told),
    detail: told.trimEnd().includes("\n") ? told : null,
    seq: logged?.seq ?? run?.lastSeq ?? null,
  };
}

/** The failed run that no other failed run is part of; of several the newest. */
function failedRun({ runs }: ExecutionView): StepRun | null {
  const failed = [...runs.values()].filter(({ status }) => status === "failed");
  const parents = new Set(failed.map(({ parentId }) => parentId));
  return failed.filter(({ id }) => !parents.has(id)).sort((a, b) => a.lastSeq - b.lastSeq).at(-1) ?? null;
}

function errorFor(run: StepRun | null, view: ExecutionView, execution: ExecutionState): Pick<NonNullable<ExecutionView["lastError"]>, "seq" | "stepName" | "message" | "detail"> | null {
  const told = execution.last_error;
  const logged = view.lastError ?? (told == null ? null : { seq: told.seq, stepName: told.step_name, message: told.message, detail: null });
  if (logged === null || run === null) return logged;
  return logged.stepName === null || logged.stepName === run.name ? logged : null;
}

/** Of a traceback the lines that say what it was: those behind the last place that it names. */
export function reasonOf(text: string): string {
  const lines = text.trimEnd().split("\n");
  const place = lines.findLastIndex((line) => /^\s/.test(line) && line.trim() !== "");
  const reason = lines.slice(place + 1).join("\n").trim();
  return reason === "" ? (lines.at(-1) ?? "").trim() : reason;
}
