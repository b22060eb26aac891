/** What is wrong with a run that goes on, before it fails. Pure. */

import type { ExecutionState, LogSnapshot } from "@runtail/client";
import { LEAST_FINISHED, type Usual } from "./remaining.ts";
import { timeOf } from "./view.ts";

export type Concern =
  | { readonly kind: "lost"; readonly reason: string | null }
  /** `ms` since anything was heard of a worker; null: not known. */
  | { readonly kind: "silent"; readonly ms: number | null; readonly silent: number; readonly open: number }
  | { readonly kind: "slow"; readonly times: number; readonly usual: Usual };

export interface Looked {
  readonly execution: ExecutionState | null;
  readonly workers: LogSnapshot["workers"];
  readonly lastRecordAt: number;
  readonly now: number | null;
  readonly usual: Usual | null;
}

/** From how many times the median on a run counts as slow. */
const SLOW = 2;

export function concernsOf({ execution, workers, lastRecordAt, now, usual }: Looked): readonly Concern[] {
  if (execution === null) return [];
  if (execution.status === "lost") return [{ kind: "lost", reason: execution.reason ?? null }];
  if (execution.status !== "running" || now === null) return [];
  const concerns: Concern[] = [];
  const { silent = 0, open = 0 } = workers ?? {};
  if (silent > 0) concerns.push({ kind: "silent", ms: lastRecordAt > 0 ? Math.max(0, now - lastRecordAt) : null, silent, open });
  const times = slowness(execution, now, usual);
  if (times !== null && usual !== null) concerns.push({ kind: "slow", times, usual });
  return concerns;
}

function slowness(execution: ExecutionState, now: number, usual: Usual | null): number | null {
  const began = timeOf(execution.started_at) ?? timeOf(execution.created_at);
  if (usual === null || began === null || usual.finished < LEAST_FINISHED || usual.medianMs <= 0) return null;
  const times = (now - began) / usual.medianMs;
  return times < SLOW ? null : Math.floor(times * 10) / 10;
}
