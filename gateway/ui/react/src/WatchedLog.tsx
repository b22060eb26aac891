import type { LogStore, RestApi } from "@runtail/client";
import { type ReactElement, useContext, useMemo } from "react";
import { useClient } from "./client-context.ts";
import { ClockContext, useInBrowser, useStrings } from "./context.ts";
import { type Dressing, type LogFilter, LogView, type LogViewProps, type Place, type Range } from "./log/index.ts";
import { type StoreSource, useLogSnapshot } from "./stores.ts";
import { useReconnect } from "./useWebSocketLogs.ts";
import { ViewerHeader } from "./ViewerHeader.tsx";

/** What every viewer of a log takes. */
export interface LogViewing {
  /** For older records and searches; by default the client's. */
  readonly rest?: RestApi | undefined;
  /** A line, or first and last of several, to open at. */
  readonly line?: number | readonly [number, number] | undefined;
  /** What to show of the log at first. */
  readonly filter?: LogFilter | undefined;
  /** Told when the reader selects lines or filters: what an address should say. */
  readonly onLocationChange?: ((place: Place) => void) | undefined;
  /** What the page adds to lines and to what can be done with them. */
  readonly dressing?: Dressing | null | undefined;
  readonly selectionActions?: LogViewProps["selectionActions"];
  readonly onControls?: LogViewProps["onControls"];
  /** What a button for signing in does; without it there is none. */
  readonly onSignIn?: (() => void) | undefined;
}

export interface WatchedLogProps extends LogViewing {
  readonly executionId: string;
  readonly source: StoreSource<LogStore>;
  /** Whether the execution's progress is shown here. */
  readonly progress: boolean;
}

/** The state of the connection and the log under it. On a server the log's place is empty. */
export function WatchedLog({ executionId, source, onSignIn, progress, ...viewing }: WatchedLogProps): ReactElement {
  const snapshot = useLogSnapshot(source, executionId);
  const reconnect = useReconnect(source);
  const inBrowser = useInBrowser();
  const strings = useStrings();
  return (
    <section className="runtail-viewer" aria-label={strings.viewer.label(executionId)}>
      <ViewerHeader snapshot={snapshot} reconnect={reconnect} onSignIn={onSignIn} progress={progress} />
      {inBrowser && <Log source={source} {...viewing} />}
    </section>
  );
}

const rangeOf = (line: LogViewing["line"]): Range | null =>
  line === undefined ? null : typeof line === "number" ? { first: line, last: line } : { first: line[0], last: line[1] };

function Log({ source, rest, line, filter, onLocationChange, dressing = null, ...page }: LogViewing & { readonly source: StoreSource<LogStore> }): ReactElement {
  const client = useClient();
  const { log } = useStrings();
  const { now } = useContext(ClockContext);
  const answers = useMemo(() => rest ?? client().rest, [rest, client]);
  const asked: Pick<LogViewProps, "filter" | "onLocationChange"> = {
    ...(filter === undefined ? {} : { filter }),
    ...(onLocationChange === undefined ? {} : { onLocationChange }),
  };
  return <LogView store={source()} rest={answers} line={rangeOf(line)} strings={log} now={now} dressing={dressing} {...page} {...asked} />;
}
