/** Which logs a page watches: who wants no more than an execution's state listens to one that is there. */

import type { LogOptions, LogSnapshot, LogStore, RuntailClient, Store } from "@runtail/client";

/** Only what is new: the state comes with the greeting, and changes with what follows. */
const STATE_ONLY: LogOptions = { after: "$" };

interface Watch {
  readonly store: LogStore;
}

class Watched {
  readonly #watches = new Map<string, readonly Watch[]>();
  readonly #listeners = new Set<() => void>();

  /** *store* is watched; answers how to say that it is not any more. */
  add(store: LogStore): () => void {
    const { executionId } = store;
    const own: Watch = { store };
    this.#set(executionId, [...this.#of(executionId), own]);
    return () => this.#set(executionId, this.#of(executionId).filter((each) => each !== own));
  }

  /** The log of *executionId* that was watched first; null: none is. */
  log(executionId: string): LogStore | null {
    return this.#of(executionId)[0]?.store ?? null;
  }

  /** Told when logs begin or cease to be watched. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #of(executionId: string): readonly Watch[] {
    return this.#watches.get(executionId) ?? [];
  }

  #set(executionId: string, watches: readonly Watch[]): void {
    if (watches.length > 0) this.#watches.set(executionId, watches);
    else this.#watches.delete(executionId);
    for (const listener of this.#listeners) listener();
  }
}

const ofClients = /* @__PURE__ */ new WeakMap<RuntailClient, Watched>();

/** What is watched through *client*. */
export function watchedOf(client: RuntailClient): Watched {
  const watched = ofClients.get(client) ?? new Watched();
  ofClients.set(client, watched);
  return watched;
}

/** A log of which only the state of its execution counts. */
export type StateStore = Store<LogSnapshot> & Pick<LogStore, "reconnect">;

/**
 * The state of *executionId*: from its log, where somebody on the page watches that; else from a
 * subscription for what is new alone. It goes over from the one to the other as logs come and go.
 */
export function stateStore(client: RuntailClient, executionId: string): StateStore {
  const watched = watchedOf(client);
  const chosen = (): LogStore => watched.log(executionId) ?? client.log(executionId, STATE_ONLY);
  let known: LogSnapshot | null = null;

  function subscribe(listener: () => void): () => void {
    let heard: LogStore | null = null;
    let leave = (): void => {};
    let open = true;
    const choose = (): void => {
      const next = open ? chosen() : null;
      if (next === heard) return;
      leave();
      heard = next;
      leave = next?.subscribe(listener) ?? (() => {});
      listener();
    };
    // once all that comes or goes with it has: a log may be among that
    const soon = (): void => queueMicrotask(choose);
    const forget = watched.onChange(soon);
    soon();
    return () => {
      open = false;
      forget();
      choose();
    };
  }

  return {
    subscribe,
    reconnect: () => chosen().reconnect(),
    getSnapshot() {
      const snapshot = chosen().getSnapshot();
      if (snapshot.execution !== null) known = snapshot;
      return known ?? snapshot; // a log that was only just opened knows nothing yet
    },
  };
}
