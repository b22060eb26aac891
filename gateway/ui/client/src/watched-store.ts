import type { Environment } from "./client.ts";
import type { Part } from "./part.ts";
import type { Store } from "./snapshot.ts";

/** How long a connection is kept when nobody watches: a page that changes its view comes right back. */
const LINGER_MS = 1_000;

/** A part that can be watched: it connects at `start`, lets go at `stop`, and goes on where it stopped. */
export interface Watched<T> extends Part {
  start(): void;
  stop(): void;
  snapshot(version: number): T;
}

/** Who keeps stores: told that one is watched (again), and that nobody watches it any more. */
export interface Keeper {
  kept(): void;
  left(): void;
}

export interface WatchedStore<T> extends Store<T> {
  readonly isWatched: () => boolean;
  /** Say that there is something new. */
  changed(): void;
  /** Let go at once. */
  close(): void;
}

/** An external store over *watched*. Its snapshot changes, and subscribers hear of it, at most once a frame. */
export function storeOf<T>(env: Environment, watched: Watched<T>, keeper: Keeper): WatchedStore<T> {
  const listeners = new Set<() => void>();
  let version = 0;
  let value: T | undefined;
  let stale = true;
  let scheduled = false;
  let linger: unknown;

  const renew = (): void => {
    stale = false;
    value = watched.snapshot((version += 1));
  };
  const flush = (): void => {
    scheduled = false;
    if (stale) renew();
    for (const listener of listeners) listener();
  };
  const close = (): void => {
    env.clearTimeout(linger);
    watched.stop();
    keeper.left();
  };
  const isWatched = (): boolean => listeners.size > 0;

  return {
    isWatched,
    close,
    subscribe(listener) {
      const own = (): void => listener(); // one function may subscribe twice
      listeners.add(own);
      if (listeners.size === 1) {
        env.clearTimeout(linger);
        keeper.kept();
        watched.start();
      }
      return () => {
        if (listeners.delete(own) && !isWatched()) linger = env.setTimeout(close, LINGER_MS);
      };
    },
    // What subscribers were told of; where there are none, the newest.
    getSnapshot() {
      if (value === undefined || (stale && !scheduled)) renew();
      return value as T;
    },
    changed() {
      stale = true;
      if (scheduled || !isWatched()) return;
      scheduled = true;
      env.requestFrame(flush);
    },
  };
}
