/** What is known of one execution, all together. */

import type { ExecutionState, LogStore } from "@runtail/client";
import { useMemo } from "react";
import { useNow } from "../context.ts";
import { isFinal } from "../status.ts";
import type { StoreSource } from "../stores.ts";
import { type Concern, concernsOf } from "./concerns.ts";
import { type Failure, failureOf } from "./failure.ts";
import type { FeedSnapshot } from "./feed.ts";
import { useFeed, useFullState, useHead, useRemaining, useUsual } from "./hooks.ts";
import type { ExecutionServices } from "./services.ts";
import { type StepRow, stepRows } from "./step_rows.ts";

/** What is known of an execution, beside its log. */
export interface Known {
  readonly id: string;
  readonly execution: ExecutionState | null;
  /** Its status, or "stalled" where no worker of it is heard. */
  readonly status: string;
  readonly feed: FeedSnapshot;
  readonly rows: readonly StepRow[];
  readonly over: boolean;
  readonly failure: Failure | null;
  readonly concerns: readonly Concern[];
  readonly remaining: ReturnType<typeof useRemaining>;
  readonly viewers: number | undefined;
  /** Nothing was published under its id yet, and it is waited for. */
  readonly waiting: boolean;
}

export function useKnown(id: string, source: StoreSource<LogStore>, services: () => ExecutionServices): Known {
  const head = useHead(source, id);
  const feed = useFeed(id, source, services);
  const execution = useFullState(id, head.execution, services);
  const over = execution !== null && isFinal(execution.status);
  const usual = useUsual(execution?.workflow_id ?? null, services);
  const now = useNow(!over);
  const { view } = feed;
  const concerns = concernsOf({ execution, workers: head.workers, lastRecordAt: head.lastRecordAt, now, usual });
  const silent = concerns.some((concern) => concern.kind === "silent" && concern.silent >= concern.open);
  return {
    id,
    execution,
    status: silent ? "stalled" : (execution?.status ?? "pending"),
    feed,
    rows: useMemo(() => stepRows(view), [view]),
    over,
    failure: useMemo(() => failureOf(execution, view), [execution, view]),
    concerns,
    remaining: useRemaining(view, execution, usual),
    viewers: head.viewers,
    waiting: execution === null && (head.link.phase === "live" || head.link.phase === "replaying"),
  };
}
