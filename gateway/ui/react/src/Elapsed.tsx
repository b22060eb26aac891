import type { ReactElement } from "react";
import { useStrings } from "./context.ts";
import { isoDuration } from "./duration.ts";
import { isFinal, type MonitoredExecution } from "./status.ts";
import { useElapsed } from "./useElapsed.ts";

/** The duration: it ticks while the execution runs, and stands when it is over. */
export function Elapsed({ execution }: { readonly execution: MonitoredExecution }): ReactElement | null {
  const { duration, monitor } = useStrings();
  const elapsed = useElapsed(execution);
  if (elapsed === null) return null;
  const spelled = duration(elapsed, isFinal(execution.status));
  return (
    <time className="runtail-elapsed" dateTime={isoDuration(elapsed)} title={monitor.duration}>
      {execution.status === "pending" ? monitor.waited(spelled) : spelled}
    </time>
  );
}
