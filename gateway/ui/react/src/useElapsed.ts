import { useEffect, useState } from "react";
import { useNow } from "./context.ts";
import { elapsedMs, isFinal, type MonitoredExecution } from "./status.ts";

/** How long *execution* has run, in ms, by the second; it stands when it is over. null: not known. */
export function useElapsed(execution: MonitoredExecution): number | null {
  const over = isFinal(execution.status);
  const now = useNow(!over);
  const [seen, setSeen] = useState<{ readonly id: string; readonly running: number | null; readonly over: number | null }>({
    id: execution.id,
    running: null,
    over: null,
  });
  // An end counts as seen only by who saw it run before.
  useEffect(() => {
    if (now === null) return;
    if (seen.id !== execution.id) setSeen({ id: execution.id, running: null, over: null });
    else if (!over && seen.running === null) setSeen({ ...seen, running: now });
    else if (over && seen.running !== null && seen.over === null) setSeen({ ...seen, over: now });
  }, [seen, execution.id, over, now]);
  return now === null ? null : elapsedMs(execution, now, seen.id === execution.id ? seen.over : null);
}
