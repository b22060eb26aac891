/** The list of executions as a watcher holds it: messages in, the newest first. Pure. */

import type { ListSnapshot } from "./client.ts";
import type { ListMessage } from "./messages.ts";
import type { ExecutionState } from "./records.ts";

/** Most states of executions that changed and are not held, kept for pages that come late. */
const ASIDE = 1_000;

/** What is held: all of it, the newest first; whether any page came; the place behind the last one. */
type Held = Pick<ListSnapshot, "executions" | "loaded" | "next" | "begun">;

export interface ListModel {
  readonly view: Held;
  /**
   * Take a message. False if so many came that the list should be watched anew: until then all are
   * held, up to twice the limit, for `next` is the place behind the last one.
   */
  take(message: ListMessage): boolean;
  /** Hold *executions* too; with *next* they are the whole page behind the last one. */
  add(executions: readonly ExecutionState[], next?: string | null): void;
}

export function listModel(limit: number): ListModel {
  const held = new Map<string, ExecutionState>();
  const aside = new Map<string, ExecutionState>();
  let next: string | null = null;
  let begun = 0;
  let added = 0;
  /** All from this one on are held; undefined: all there are. */
  let last: ExecutionState | undefined;
  let shown: readonly ExecutionState[] | null = null;

  function add(executions: readonly ExecutionState[], behind?: string | null): void {
    for (const state of executions) {
      if (held.has(state.id)) continue;
      held.set(state.id, aside.get(state.id) ?? state); // what was told meanwhile is newer
      added += 1;
    }
    shown = null;
    if (behind === undefined) return;
    next = behind;
    last = behind === null ? undefined : (executions.at(-1) ?? last);
  }

  return {
    get view() {
      // Nearly in order already, which a sort is quick with.
      const executions = (shown ??= [...held.values()].sort(newestFirst));
      return { executions, loaded: begun > 0, next, begun };
    },
    take(message) {
      const { executions } = message;
      if (message.type === "watching") {
        held.clear();
        aside.clear();
        begun += 1;
        add(executions, message.next);
        added = 0;
      } else {
        if (aside.size > ASIDE) aside.clear();
        for (const state of executions) {
          // An older one has changed, whose place is on a page behind this one.
          const behind = last && !held.has(state.id) && newestFirst(state, last) > 0;
          (behind ? aside : held).set(state.id, state);
        }
        for (const id of message.removed) held.delete(id);
      }
      shown = null;
      return held.size <= 2 * limit + added;
    },
    add,
  };
}

function newestFirst({ created_at: left, id }: ExecutionState, other: ExecutionState): number {
  const right = other.created_at;
  return left < right || (left === right && id < other.id) ? 1 : -1;
}
