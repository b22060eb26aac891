import type { LogOptions, LogStore } from "@runtail/client";
import { type ReactElement, type ReactNode, useId, useMemo, useState } from "react";
import { blankLog } from "./blank.ts";
import { useStrings } from "./context.ts";
import { Elapsed } from "./Elapsed.tsx";
import { END_FIRST } from "./endFirst.ts";
import { Icon } from "./icons.tsx";
import { Progress } from "./Progress.tsx";
import { StatusBadge } from "./StatusBadge.tsx";
import { type MonitoredExecution, progressOf, toneOf } from "./status.ts";
import { type StoreSource, useLogStore, useSelected } from "./stores.ts";
import { Told } from "./Told.tsx";
import { type LogViewing, WatchedLog } from "./WatchedLog.tsx";

export interface WorkflowExecutionMonitorProps extends LogViewing {
  /** As a gateway tells it, or a plain object. While logs are shown, what they tell is newer and counts. */
  readonly execution: MonitoredExecution;
  /** Whether logs are shown at first (default false). Nothing connects before they are. */
  readonly defaultOpen?: boolean;
  /** A store that you have, instead of the client's. */
  readonly log?: LogStore;
  readonly options?: LogOptions;
  /** Buttons of your own, at the end of the header. */
  readonly actions?: ReactNode;
  readonly className?: string;
}

/** The state that the shown log tells; before it does, the one that was given. */
function useNewest(given: MonitoredExecution, source: StoreSource<LogStore> | null): MonitoredExecution {
  const blank = useMemo(() => blankLog(given.id), [given.id]);
  return useSelected(source, blank, ({ execution }) => execution) ?? given;
}

/** One execution: icon, colour and word of its status, progress, live duration, and its log on demand. */
export function WorkflowExecutionMonitor(props: WorkflowExecutionMonitorProps): ReactElement {
  const { log, className = "", execution: given, defaultOpen = false, options = END_FIRST, actions, ...viewing } = props;
  const [open, setOpen] = useState(defaultOpen);
  const watched = useLogStore(open && log === undefined ? given.id : null, options);
  const source = useMemo(() => (log === undefined ? watched : () => log), [log, watched]);
  const execution = useNewest(given, open ? source : null);
  const logs = useId();
  const { monitor } = useStrings();
  const value = progressOf(execution);
  return (
    <article className={`runtail runtail-monitor ${className}`} data-execution={execution.id} data-status={execution.status} aria-label={monitor.label(execution.id)}>
      <MonitorHeader execution={execution} open={open} logs={logs} toggle={() => setOpen(!open)} actions={actions} />
      {execution.reason != null && execution.reason !== "" && <Told className="runtail-reason" text={execution.reason} />}
      {value !== undefined && <Progress value={value} tone={toneOf(execution.status)} />}
      <div id={logs} hidden={!open} className="runtail-monitor-logs">
        {open && source !== null && <WatchedLog executionId={execution.id} source={source} progress={false} {...viewing} />}
      </div>
    </article>
  );
}

interface MonitorHeaderProps {
  readonly execution: MonitoredExecution;
  readonly open: boolean;
  readonly logs: string;
  readonly toggle: () => void;
  readonly actions: ReactNode;
}

function MonitorHeader({ execution, open, logs, toggle, actions }: MonitorHeaderProps): ReactElement {
  const { monitor, percent } = useStrings();
  const value = progressOf(execution);
  return (
    <header className="runtail-monitor-header">
      <StatusBadge status={execution.status} />
      <span className="runtail-names">
        <Told className="runtail-id" text={execution.id} titled />
        {execution.workflow_id != null && execution.workflow_id !== execution.id && (
          <Told className="runtail-workflow" text={execution.workflow_id} titled />
        )}
      </span>
      {typeof value === "number" && execution.status !== "completed" && <span className="runtail-percent">{percent(value)}</span>}
      <Elapsed execution={execution} />
      <span className="runtail-actions">
        <button type="button" className="runtail-button" aria-expanded={open} aria-controls={logs} onClick={toggle}>
          <Icon name="folded" />
          {open ? monitor.hideLogs : monitor.showLogs}
        </button>
        {actions}
      </span>
    </header>
  );
}
