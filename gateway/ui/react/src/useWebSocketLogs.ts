import type { ConnectionStatus, LogOptions, LogRecord, LogSnapshot, LogStore } from "@runtail/client";
import { useCallback } from "react";
import { type StoreSource, useLogSnapshot, useLogStore } from "./stores.ts";

/** What `useWebSocketLogs` returns: the three that it is named for, and the rest of the snapshot. */
export interface WebSocketLogs extends Omit<LogSnapshot, "records" | "version"> {
  /** History and live records merged: ascending, nothing twice; gaps and resets are in `notices`. */
  readonly logs: readonly LogRecord[];
  readonly connectionStatus: ConnectionStatus;
  /** Connect again at once. Always the same function for one execution. */
  readonly reconnect: () => void;
  /** No token, or one that is not valid (any more); `logs` stay. */
  readonly signedOut: boolean;
  /** `end` was seen: nothing more will come. */
  readonly ended: boolean;
}

/** A `reconnect` for what *source* names; it does nothing where there is none. */
export function useReconnect(source: StoreSource<Pick<LogStore, "reconnect">> | null): () => void {
  return useCallback(() => source?.().reconnect(), [source]);
}

/**
 * Watch *executionId* while the component is mounted; null watches nothing. It reconnects by itself,
 * goes on where it stopped, and lets go when the last component that watches is unmounted. Components
 * that watch the same execution with the same options share one subscription.
 */
export function useWebSocketLogs(executionId: string | null, options?: LogOptions): WebSocketLogs {
  const source = useLogStore(executionId, options);
  const { records, version: _, ...rest } = useLogSnapshot(source, executionId);
  const reconnect = useReconnect(source);
  const { phase } = rest.link;
  return { ...rest, logs: records, reconnect, signedOut: phase === "signed_out", ended: phase === "ended" };
}
