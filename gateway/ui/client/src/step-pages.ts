/** Add up the pages of a step statistic. Pure. */

import type { StepStatistic } from "./client.ts";
import type { Level } from "./records.ts";

type Levels = StepStatistic["levels"];

/** *pages* in the order of the log: one statistic a step name, in the order of first appearance. */
export function addSteps(pages: readonly (readonly StepStatistic[])[]): readonly StepStatistic[] {
  const steps = new Map<string, StepStatistic>();
  for (const page of pages) {
    for (const step of page) {
      const known = steps.get(step.step_name);
      steps.set(step.step_name, known ? added(known, step) : step);
    }
  }
  return [...steps.values()];
}

// A page that tells nothing of the step itself (only logs of it) has no status: the one before stays.
function added(known: StepStatistic, step: StepStatistic): StepStatistic {
  const told = Boolean(step.status);
  return {
    step_name: known.step_name,
    step_type: known.step_type ?? step.step_type,
    status: told ? step.status : known.status,
    runs: known.runs + step.runs,
    attempts: Math.max(known.attempts, step.attempts),
    started_at: known.started_at ?? step.started_at,
    ended_at: told ? step.ended_at : known.ended_at,
    duration_ms: sum(known.duration_ms, step.duration_ms),
    waited_ms: sum(known.waited_ms, step.waited_ms),
    records: known.records + step.records,
    levels: sumLevels(known.levels, step.levels),
  };
}

const sum = (a: number | null, b: number | null): number | null => (a === null ? b : a + (b ?? 0));

function sumLevels(a: Levels, b: Levels): Levels {
  const levels: Partial<Record<Level, number>> = { ...a };
  for (const [level, count] of Object.entries(b) as [Level, number][]) levels[level] = (levels[level] ?? 0) + count;
  return levels;
}
