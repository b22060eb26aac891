import type { LogOptions, LogStore } from "@runtail/client";
import { type ReactElement, useMemo } from "react";
import { useStrings } from "./context.ts";
import { END_FIRST } from "./endFirst.ts";
import { useLogStore } from "./stores.ts";
import { type LogViewing, WatchedLog } from "./WatchedLog.tsx";

export interface ExecutionLogViewerProps extends LogViewing {
  /** Which execution to watch; null: none (yet). */
  readonly executionId?: string | null;
  /** Instead of an id: a store that you have. */
  readonly log?: LogStore;
  /** How to read the log of `executionId`; by default its end first, older lines when they are asked for. */
  readonly options?: LogOptions;
  /** Whether the execution's progress is shown (default true). */
  readonly progress?: boolean;
  readonly className?: string;
}

/** The log of one execution while it runs, with the state of its connection. As high as its place. */
export function ExecutionLogViewer(props: ExecutionLogViewerProps): ReactElement {
  const { log, options = END_FIRST, progress = true, className = "", executionId = null, ...viewing } = props;
  const id = log?.executionId ?? executionId;
  const watched = useLogStore(log === undefined ? id : null, options);
  const source = useMemo(() => (log === undefined ? watched : () => log), [log, watched]);
  const { viewer } = useStrings();
  return (
    <div className={`runtail runtail-fill ${className}`}>
      {source === null || id === null ? (
        <p className="runtail-nothing">{viewer.nothing}</p>
      ) : (
        <WatchedLog executionId={id} source={source} progress={progress} {...viewing} />
      )}
    </div>
  );
}
