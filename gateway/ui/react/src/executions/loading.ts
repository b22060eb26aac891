/** The list as it is shown: what is live, older pages as they are scrolled to, filtered and in order. */

import type { ExecutionState, ListFilter, ListSnapshot, RuntailClient } from "@runtail/client";
import { useContext, useEffect, useMemo, useRef, useState } from "react";
import { BLANK_LIST } from "../blank.ts";
import { useClient } from "../client-context.ts";
import { ClockContext, useSeconds } from "../context.ts";
import { once, useSignIn, useSnapshot } from "../stores.ts";
import { useReconnect } from "../useWebSocketLogs.ts";
import { keeperOf, type ListQuery, needsAll, sinceOf, sorted } from "./query.ts";

/** Newest executions that are watched from the first moment on. */
export const LIVE = 100;
/** Most executions that a page holds. */
export const MOST = 10_000;
const PAGE = 500;
const RETRY_MS = 5_000;
/** A filter by time moves on so often. */
const WITHIN_SECONDS = 10;

export interface Listed {
  /** What passes the filter, in order. */
  readonly rows: readonly ExecutionState[];
  /** All that are held, the newest first. */
  readonly known: readonly ExecutionState[];
  readonly loaded: boolean;
  /** Older ones are being asked for, or will be when they are wanted. */
  readonly more: boolean;
  readonly looking: boolean;
  /** As many are held as can be. */
  readonly capped: boolean;
  /** Why older ones could not be read; they are asked for again. */
  readonly trouble: string | null;
  readonly link: ListSnapshot["link"];
  readonly connectionStatus: ListSnapshot["connectionStatus"];
  readonly reconnect: () => void;
}

/** Where the pages are that a filter by status or workflow takes; undefined: before the first. */
interface Place {
  readonly of: string;
  readonly cursor: string | null | undefined;
}

export interface PageWish extends ListFilter {
  readonly cursor?: string;
  readonly from?: string;
}

/** Say which page to ask for next; null: what is held will do, or is all there is. */
export function pageToAsk(
  snapshot: Pick<ListSnapshot, "loaded" | "next" | "executions">, query: ListQuery, place: Place["cursor"], missing: boolean, since: number | null,
): PageWish | null {
  const { loaded, next, executions } = snapshot;
  if (!loaded || next === null || executions.length >= MOST || !(missing || needsAll(query))) return null;
  const from = since === null ? {} : { from: new Date(since).toISOString() };
  if (query.status.length > 0 || query.workflow !== null) {
    if (place === null) return null;
    const workflow = query.workflow === null ? {} : { workflow: [query.workflow] };
    return { status: query.status, ...workflow, ...from, limit: PAGE, ...(place === undefined ? {} : { cursor: place }) };
  }
  const oldest = executions.at(-1);
  if (since !== null && oldest !== undefined && Date.parse(oldest.created_at) < since) return null;
  return { limit: PAGE, cursor: next };
}

/** The executions that *query* asks for, at least *wanted* rows of them if there are so many. */
export function useListed(query: ListQuery, wanted: number): Listed {
  const client = useClient();
  const { now } = useContext(ClockContext);
  const source = useMemo(() => once(() => client().list({ limit: LIVE })), [client]);
  useSignIn(source);
  const snapshot = useSnapshot(source, BLANK_LIST);
  const ticks = useSeconds(query.within === null ? 0 : WITHIN_SECONDS);
  const rows = useMemo(() => {
    const keep = keeperOf(query, now());
    return sorted(snapshot.executions.filter(keep), query, now());
  }, [snapshot.executions, query, now, ticks]);
  const since = sinceOf(query, now());
  const { asking, trouble } = useOlder(client, source, snapshot, query, rows.length < wanted, since);
  return {
    rows: useKept(rows, query, snapshot, asking),
    known: snapshot.executions,
    loaded: snapshot.loaded,
    more: asking,
    looking: asking && needsAll(query),
    capped: snapshot.next !== null && snapshot.executions.length >= MOST,
    trouble,
    link: snapshot.link,
    connectionStatus: snapshot.connectionStatus,
    reconnect: useReconnect(source),
  };
}

/** Ask for older pages, one after another, while rows are missing. */
function useOlder(
  client: () => RuntailClient, source: () => ReturnType<RuntailClient["list"]>, snapshot: ListSnapshot, query: ListQuery, missing: boolean, since: number | null,
): { readonly asking: boolean; readonly trouble: string | null } {
  const key = JSON.stringify([snapshot.begun, query.status, query.workflow]);
  const [place, setPlace] = useState<Place>({ of: key, cursor: undefined });
  const [trouble, setTrouble] = useState<string | null>(null);
  const wish = pageToAsk(snapshot, query, place.of === key ? place.cursor : undefined, missing, since);
  const asked = wish === null || trouble !== null ? null : JSON.stringify({ ...wish, from: undefined });
  const newest = useRef(wish);
  newest.current = wish;
  useEffect(() => {
    const wanted = newest.current;
    if (asked === null || wanted === null) return;
    const leaving = new AbortController();
    const ask = async (): Promise<void> => {
      try {
        const { executions, next } = await client().rest.executions({ ...wanted }, leaving.signal);
        if (leaving.signal.aborted) return;
        setTrouble(null);
        if (wanted.status === undefined) return source().add(executions, next);
        source().add(executions);
        setPlace({ of: key, cursor: next });
      } catch (error) {
        if (!leaving.signal.aborted) setTrouble(error instanceof Error ? error.message : String(error));
      }
    };
    void ask();
    return () => leaving.abort();
  }, [client, source, key, asked]);
  useEffect(() => {
    if (trouble === null) return;
    const timer = setTimeout(() => setTrouble(null), RETRY_MS);
    return () => clearTimeout(timer);
  }, [trouble]);
  return { asking: wish !== null, trouble };
}

/** What was shown before, while a list that began anew is read as far as it was. */
function useKept(rows: readonly ExecutionState[], query: ListQuery, { begun }: ListSnapshot, asking: boolean): readonly ExecutionState[] {
  const kept = useRef({ rows, query, begun });
  const { current } = kept;
  const reading = asking && current.query === query && current.begun !== begun && rows.length < current.rows.length;
  if (!reading) kept.current = { rows, query, begun };
  return reading ? current.rows : rows;
}
