/** Stores of the client, as React reads them. */

import type { Link, LogOptions, LogSnapshot, LogStore, Store } from "@runtail/client";
import { useCallback, useContext, useEffect, useMemo, useSyncExternalStore } from "react";
import { blankLog } from "./blank.ts";
import { TokenContext, useClient } from "./client-context.ts";
import { watchedOf } from "./watched.ts";

/** A store that is asked for when it is first needed. */
export type StoreSource<S> = () => S;

/** Make *make* run once, when it is needed. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/**
 * The store of *executionId*, from the client around. Not asked for before it is subscribed to or read
 * in a browser: rendering on a server makes no client.
 */
export function useLogStore(executionId: string | null, options?: LogOptions): StoreSource<LogStore> | null {
  const client = useClient();
  const key = options === undefined ? "" : JSON.stringify(options);
  const source = useMemo(() => {
    if (executionId === null) return null;
    return once(() => client().log(executionId, key === "" ? undefined : (JSON.parse(key) as LogOptions)));
  }, [client, executionId, key]);
  useSignIn(source);
  useEffect(() => source === null ? undefined : watchedOf(client()).add(source()), [client, source]);
  return source;
}

interface Connected extends Store<{ readonly link: Link }> {
  reconnect(): void;
}

/** Try again where one was signed out, once the provider has another token. */
export function useSignIn(source: StoreSource<Connected> | null): void {
  const token = useContext(TokenContext);
  useEffect(() => {
    if (token === null || source === null) return;
    if (source().getSnapshot().link.phase === "signed_out") source().reconnect();
  }, [token, source]);
}

const unwatched = (): (() => void) => () => {};

/** What *select* takes of the snapshots of *source*; rendered again only when that is another value. */
export function useSelected<S, T>(source: StoreSource<Store<S>> | null, blank: S, select: (snapshot: S) => T): T {
  const subscribe = useCallback((listener: () => void) => source?.().subscribe(listener) ?? unwatched(), [source]);
  return useSyncExternalStore(
    source === null ? unwatched : subscribe,
    () => select(source === null ? blank : source().getSnapshot()),
    () => select(blank),
  );
}

const whole = <S>(snapshot: S): S => snapshot;

/** The whole snapshot of *source*. */
export function useSnapshot<S>(source: StoreSource<Store<S>> | null, blank: S): S {
  return useSelected(source, blank, whole<S>);
}

/** The snapshot of a log; of none, a blank one. */
export function useLogSnapshot(source: StoreSource<LogStore> | null, executionId: string | null): LogSnapshot {
  const blank = useMemo(() => blankLog(executionId), [executionId]);
  return useSnapshot(source, blank);
}
