import type { ExecutionState, LogSnapshot } from "@runtail/client";
import { useEffect, useState } from "react";
import { useClient } from "../client-context.ts";
import { END_FIRST } from "../endFirst.ts";

/** Its state with the workers as the last beat told: a list does not know who is silent. */
const stateOf = ({ execution, workers }: LogSnapshot): ExecutionState | null => (execution === null ? null : { ...execution, workers });

const isAsBefore = (one: ExecutionState | undefined, other: ExecutionState): boolean =>
  one?.status === other.status && one.workers?.silent === other.workers?.silent && one.workers?.open === other.workers?.open && one.last_error === other.last_error;

/** The states of those whose logs are open here, however old they are. */
export function useOpened(ids: readonly string[]): readonly ExecutionState[] {
  const client = useClient();
  const [states, setStates] = useState<ReadonlyMap<string, ExecutionState>>(new Map());
  const key = JSON.stringify(ids);
  useEffect(() => {
    const held = new Map<string, ExecutionState>();
    setStates(held);
    const leave = (JSON.parse(key) as readonly string[]).map((id) => {
      const store = client().log(id, END_FIRST); // the one that shows it
      const take = (): void => {
        const state = stateOf(store.getSnapshot());
        if (state === null || isAsBefore(held.get(id), state)) return;
        held.set(id, state);
        setStates(new Map(held));
      };
      take();
      return store.subscribe(take);
    });
    return () => leave.forEach((one) => one());
  }, [client, key]);
  return [...states.values()];
}
