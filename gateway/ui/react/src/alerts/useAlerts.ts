import type { ExecutionState, LogRecord, RestApi } from "@runtail/client";
import { useCallback, useEffect, useRef, useState } from "react";
import { useClient } from "../client-context.ts";
import { type Alert, Changes } from "./changes.ts";

/** Lines of the log that are told with an alert. */
const LINES = 3;
/** Records read for them: steps and progress stand between. */
const READ = 20;
/** Most alerts that are kept; the oldest go. */
const MOST = 50;
/** Most logs that are asked for their last lines at a time: a hundred failures are one cause. */
const MOST_ASKED = 5;

export interface ToldAlert extends Alert {
  /** The end of its log. */
  readonly lines: readonly string[];
}

export interface Alerts {
  readonly alerts: readonly ToldAlert[];
  readonly dismiss: (executionId: string | null) => void;
}

/** The first line of a log, after the step that it is of; "": it is none. */
function textOf(record: LogRecord): string {
  if (!("message" in record) || typeof record.message !== "string") return "";
  const [line = ""] = record.message.split("\n");
  return typeof record["step_name"] === "string" && line !== "" ? `${record["step_name"]} │ ${line}` : line;
}

async function linesOf(rest: RestApi, { id, state }: Alert): Promise<readonly string[]> {
  const around = state.last_error == null ? { tail: READ } : { before: state.last_error.seq + 1, limit: READ };
  const { records } = await rest.logs(id, around);
  return records.map(textOf).filter((line) => line !== "").slice(-LINES);
}

/**
 * Alerts about *executions*, the newest first: one for each change to failed, stalled or lost. *tell* hears
 * of those that are new, once.
 */
export function useAlerts(executions: readonly ExecutionState[], tell: (alerts: readonly ToldAlert[]) => void): Alerts {
  const client = useClient();
  const changes = useRef<Changes | null>(null);
  const [alerts, setAlerts] = useState<readonly ToldAlert[]>([]);
  useEffect(() => {
    const fresh = (changes.current ??= new Changes()).take(executions);
    if (fresh.length === 0) return;
    const lines = fresh.map((alert, n) => (n < MOST_ASKED ? linesOf(client().rest, alert).catch(() => []) : []));
    const ids = new Set(fresh.map(({ id }) => id));
    void Promise.all(lines).then((all) => {
      const whole = fresh.map((alert, n) => ({ ...alert, lines: all[n] ?? [] }));
      setAlerts((before) => [...whole, ...before.filter(({ id }) => !ids.has(id))].slice(0, MOST));
      tell(whole);
    });
  }, [client, executions, tell]);
  const dismiss = useCallback((id: string | null) => setAlerts((before) => (id === null ? [] : before.filter((alert) => alert.id !== id))), []);
  return { alerts, dismiss };
}
