/** The list of executions as a watcher holds it: messages in, the newest first. Pure. */

import type { ListMessage } from "./messages.ts";
import type { ExecutionState } from "./records.ts";

/** Most states of executions that changed and are not held, kept for pages that come late. */
const ASIDE = 1_000;

export class ListModel {
  loaded = false;
  next: string | null = null;
  /** Rises when the list begins anew. */
  begun = 0;
  #added = 0;
  readonly #limit: number;
  readonly #held = new Map<string, ExecutionState>();
  readonly #aside = new Map<string, ExecutionState>();
  /** All from this one on are held; undefined: all there are. */
  #last: ExecutionState | undefined;
  #shown: readonly ExecutionState[] | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get executions(): readonly ExecutionState[] {
    // Nearly in order already, which a sort is quick with.
    return (this.#shown ??= [...this.#held.values()].sort(newestFirst));
  }

  /**
   * Take a message. False if so many came that the list should be watched anew: until then all are
   * held, up to twice the limit, for `next` is the place behind the last one.
   */
  take(message: ListMessage): boolean {
    const { executions } = message;
    if (message.type === "watching") {
      this.#held.clear();
      this.#aside.clear();
      this.loaded = true;
      this.begun += 1;
      this.add(executions, message.next);
      this.#added = 0;
    } else {
      if (this.#aside.size > ASIDE) this.#aside.clear();
      for (const state of executions) {
        // An older one has changed, whose place is on a page behind this one.
        const behind = this.#last && !this.#held.has(state.id) && newestFirst(state, this.#last) > 0;
        (behind ? this.#aside : this.#held).set(state.id, state);
      }
      for (const id of message.removed) this.#held.delete(id);
    }
    this.#shown = null;
    return this.#held.size <= 2 * this.#limit + this.#added;
  }

  /** Hold *executions* too; with *next* they are the whole page behind the last one. */
  add(executions: readonly ExecutionState[], next?: string | null): void {
    for (const state of executions) {
      if (this.#held.has(state.id)) continue;
      this.#held.set(state.id, this.#aside.get(state.id) ?? state); // what was told meanwhile is newer
      this.#added += 1;
    }
    this.#shown = null;
    if (next === undefined) return;
    this.next = next;
    this.#last = next === null ? undefined : (executions.at(-1) ?? this.#last);
  }
}

function newestFirst({ created_at: left, id }: ExecutionState, other: ExecutionState): number {
  const right = other.created_at;
  return left < right || (left === right && id < other.id) ? 1 : -1;
}
