import type { ExecutionState, ListFilter, ListSnapshot, LogOptions, LogSnapshot } from "@runtail/client";
import { useMemo } from "react";
import { BLANK_LIST, blankLog } from "./blank.ts";
import { useClient } from "./client-context.ts";
import { once, useLogStore, useSelected, useSignIn, useSnapshot } from "./stores.ts";
import { useReconnect } from "./useWebSocketLogs.ts";

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

/** Only what is new: the state comes with the greeting, and changes with what follows. */
const STATE_ONLY: LogOptions = { after: "$" };
const stateOf = ({ execution }: LogSnapshot): ExecutionState | null => execution;

/** The state of one execution, as it changes; null: not known (yet). Its log is not read. */
export function useExecution(executionId: string | null): ExecutionState | null {
  const source = useLogStore(executionId, STATE_ONLY);
  const blank = useMemo(() => blankLog(executionId), [executionId]);
  return useSelected(source, blank, stateOf);
}
