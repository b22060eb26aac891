/** What is said of a step. Pure. */

import type { Strings } from "../strings.ts";
import { told } from "../Told.tsx";
import { type StepRow, tookMs } from "./step_rows.ts";
import { isOpen } from "./view.ts";

/** Facts of *row* at *now*, without its name, in the order in which they are read. */
export function stepFacts(row: StepRow, now: number | null, strings: Strings): readonly string[] {
  const { execution, duration } = strings;
  const last = row.tries.at(-1);
  const took = tookMs(row, now);
  const waited = row.tries[0]?.waitedMs ?? null;
  const facts: string[] = [];
  if (took !== null) facts.push(duration(took, last !== undefined && !isOpen(last)));
  const attempt = last?.attempt ?? row.tries.length;
  if (attempt > 1) facts.push(execution.attempt(attempt, last?.attempts ?? null));
  if (waited !== null && waited >= 50) facts.push(execution.waited(duration(waited, true)));
  return facts;
}

/** What follows its name for who does not see the rest. */
export function stepSpoken(row: StepRow, now: number | null, strings: Strings, more: readonly string[] = []): string {
  const { execution } = strings;
  const { errors = 0, warnings = 0 } = row.counts ?? {};
  return execution.stepSpoken([
    statusWord(row.status, strings),
    ...stepFacts(row, now, strings),
    ...(errors > 0 ? [execution.errors(errors)] : []),
    ...(warnings > 0 ? [execution.warnings(warnings)] : []),
    ...more,
  ]);
}

export const statusWord = (status: string, { execution }: Strings): string => execution.stepStatus[status] ?? told(status);
