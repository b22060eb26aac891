/** The list of executions as a watcher holds it: messages in, the newest first. Pure. */

import type { ListMessage } from "./messages.ts";
import type { ExecutionState } from "./records.ts";

export class ListModel {
  loaded = false;
  next: string | null = null;
  readonly #limit: number;
  readonly #held = new Map<string, ExecutionState>();
  #shown: readonly ExecutionState[] | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get executions(): readonly ExecutionState[] {
    return (this.#shown ??= [...this.#held.values()].sort(newestFirst));
  }

  /**
   * Take a message. False if so many came that the list should be watched anew: until then all are
   * held, up to twice the limit, for `next` is the place behind the last one.
   */
  take(message: ListMessage): boolean {
    if (message.type === "watching") {
      this.#held.clear();
      this.loaded = true;
      this.next = message.next;
      for (const state of message.executions) this.#held.set(state.id, state);
    } else {
      const last = this.next === null ? undefined : this.executions.at(-1);
      for (const state of message.executions) {
        // An older one has changed, whose place is on a page behind this one.
        if (last && !this.#held.has(state.id) && newestFirst(state, last) > 0) continue;
        this.#held.set(state.id, state);
      }
      for (const id of message.removed) this.#held.delete(id);
    }
    this.#shown = null;
    return this.#held.size <= 2 * this.#limit;
  }
}

const keyOf = ({ created_at, id }: ExecutionState): string => `${created_at} ${id}`;

/** Of two executions, which are never the same one. */
const newestFirst = (a: ExecutionState, b: ExecutionState): number => (keyOf(a) < keyOf(b) ? 1 : -1);
