import type { LogStore, RestApi } from "@runtail/client";
import type { ReactElement } from "react";
import { useClient } from "./client-context.ts";
import { useInBrowser, useStrings } from "./context.ts";
import { LogView } from "./log/LogView.tsx";
import { type StoreSource, useLogSnapshot } from "./stores.ts";
import { useReconnect } from "./useWebSocketLogs.ts";
import { ViewerHeader } from "./ViewerHeader.tsx";

/** What every viewer of a log takes. */
export interface LogViewing {
  /** For older records and searches; by default the client's. null: only what the store holds. */
  readonly rest?: RestApi | null | undefined;
  /** A line, or first and last of several, to open at. */
  readonly line?: number | readonly [number, number] | undefined;
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
export function WatchedLog({ executionId, source, rest, line, onSignIn, progress }: WatchedLogProps): ReactElement {
  const snapshot = useLogSnapshot(source, executionId);
  const reconnect = useReconnect(source);
  const client = useClient();
  const inBrowser = useInBrowser();
  const strings = useStrings();
  return (
    <section className="runtail-viewer" aria-label={strings.viewer.label(executionId)}>
      <ViewerHeader snapshot={snapshot} reconnect={reconnect} onSignIn={onSignIn} progress={progress} />
      {inBrowser && (
        <LogView store={source()} rest={rest === undefined ? client().rest : rest} {...(line === undefined ? {} : { line })} />
      )}
    </section>
  );
}
