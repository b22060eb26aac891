import type { ExecutionState, ListFilter, ListSnapshot, LogSnapshot } from "@runtail/client";
import { useMemo } from "react";
import { BLANK_LIST, blankLog } from "./blank.ts";
import { useClient } from "./client-context.ts";
import { once, useSelected, useSignIn, useSnapshot } from "./stores.ts";
import { useReconnect } from "./useWebSocketLogs.ts";
import { stateStore } from "./watched.ts";

export interface Executions extends Omit<ListSnapshot, "version"> {
  readonly reconnect: () => void;
}

/** The newest executions that pass *filter*, as they change. */
export function useExecutions(filter?: ListFilter): Executions {
  const client = useClient();
  const key = JSON.stringify(filter ?? {});
  const source = useMemo(() => once(() => client().list(JSON.parse(key) as ListFilter)), [client, key]);
  useSignIn(source);
  const { version: _, ...rest } = useSnapshot(source, BLANK_LIST);
  return { ...rest, reconnect: useReconnect(source) };
}

const stateOf = ({ execution }: LogSnapshot): ExecutionState | null => execution;

/**
 * The state of one execution, as it changes; null: not known (yet). Its log is not read for it; where
 * the page watches that anyhow, there is no second subscription.
 */
export function useExecution(executionId: string | null): ExecutionState | null {
  const client = useClient();
  const source = useMemo(() => (executionId === null ? null : once(() => stateStore(client(), executionId))), [client, executionId]);
  useSignIn(source);
  const blank = useMemo(() => blankLog(executionId), [executionId]);
  return useSelected(source, blank, stateOf);
}
