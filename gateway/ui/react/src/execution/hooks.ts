/** What the parts of the page know of their execution, as React reads it. */

import type { ExecutionState, LogSnapshot, LogStore, Note, NotesStore } from "@runtail/client";
import { useContext, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { blankLog } from "../blank.ts";
import { ClockContext, useNow } from "../context.ts";
import { isFinal } from "../status.ts";
import { type StoreSource, useSelected } from "../stores.ts";
import { ExecutionFeed, type FeedSnapshot } from "./feed.ts";
import { estimate, type Shown, steadied, type Usual } from "./remaining.ts";
import type { ExecutionServices } from "./services.ts";
import { type ExecutionView, NOTHING_YET, timeOf } from "./view.ts";

const NO_FEED: FeedSnapshot = { view: NOTHING_YET, loaded: false, failure: null };

/** The view of *log*, as it grows. */
export function useFeed(id: string, log: StoreSource<LogStore>, services: () => ExecutionServices): FeedSnapshot {
  const feed = useMemo(() => ({ made: null as ExecutionFeed | null, make: () => new ExecutionFeed(log(), services().overview(id)) }), [id, log, services]);
  const source = useMemo(() => () => (feed.made ??= feed.make()), [feed]);
  return useSyncExternalStore(
    useMemo(() => (listener: () => void) => source().subscribe(listener), [source]),
    () => source().getSnapshot(),
    () => NO_FEED,
  );
}

/** What of a log's snapshot the page shows beside its lines. */
export type Head = Pick<LogSnapshot, "execution" | "workers" | "viewers" | "lastRecordAt" | "link">;

const SAME: readonly (keyof Head)[] = ["execution", "workers", "viewers", "link"];

/** The head of *source*; another one when it says another thing, not with every record. */
export function useHead(source: StoreSource<LogStore>, id: string): Head {
  const blank = useMemo(() => blankLog(id), [id]);
  const last = useRef<Head | null>(null);
  return useSelected<LogSnapshot, Head>(source, blank, (snapshot) => {
    const known = last.current;
    const quiet = known !== null && Math.abs(known.lastRecordAt - snapshot.lastRecordAt) < 1_000;
    if (known !== null && quiet && SAME.every((key) => known[key] === snapshot[key])) return known;
    const { execution, workers, viewers, lastRecordAt, link } = snapshot;
    return (last.current = { execution, workers, viewers, lastRecordAt, link });
  });
}

/** How often what only the state tells is asked for while it runs. */
const STATE_MS = 10_000;

/** The newest state: the live one, with what records do not tell (`cancellable`, `last_error`) as it was asked for last. */
export function useFullState(id: string, live: ExecutionState | null, services: () => ExecutionServices): ExecutionState | null {
  const [asked, setAsked] = useState<ExecutionState | null>(null);
  const over = live !== null && isFinal(live.status);
  const known = live !== null;
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = (): void => {
      services().state(id, leaving.signal).then(setAsked, () => {}).finally(() => {
        if (!over && !leaving.signal.aborted) timer = setTimeout(ask, STATE_MS);
      });
    };
    if (known) ask();
    return () => {
      leaving.abort();
      clearTimeout(timer);
    };
  }, [id, known, over, services]);
  return useMemo(() => {
    if (live === null || asked === null || asked.id !== live.id) return live;
    const { workflow_id = null, cancellable, last_error, cancel_requested } = asked;
    return {
      ...live,
      workflow_id: live.workflow_id ?? workflow_id, // records alone do not tell it
      ...(cancellable === undefined ? {} : { cancellable }),
      ...(last_error === undefined ? {} : { last_error }),
      ...(cancel_requested === true ? { cancel_requested } : {}),
    };
  }, [live, asked]);
}

/** What the workflow usually takes; null: not known. */
export function useUsual(workflowId: string | null, services: () => ExecutionServices): Usual | null {
  const [usual, setUsual] = useState<{ readonly of: string; readonly usual: Usual | null } | null>(null);
  useEffect(() => {
    if (workflowId === null) return undefined;
    const leaving = new AbortController();
    services().usual(workflowId, leaving.signal).then((known) => setUsual({ of: workflowId, usual: known }), () => {});
    return () => leaving.abort();
  }, [workflowId, services]);
  return usual?.of === workflowId ? usual.usual : null;
}

/** The remaining time that is shown: it changes when it is clearly wrong. null: nothing goes on, or on a server. */
export function useRemaining(view: ExecutionView, execution: ExecutionState | null, usual: Usual | null): { readonly shown: Shown; readonly ms: number | null } | null {
  const runs = execution !== null && execution.status === "running";
  const now = useNow(runs);
  const before = useRef<{ readonly id: string; readonly shown: Shown } | null>(null);
  if (!runs || now === null) return null;
  const startedAt = timeOf(execution.started_at) ?? timeOf(execution.created_at);
  const known = before.current?.id === execution.id ? before.current.shown : null;
  const shown = steadied(known, estimate({ samples: view.progress, startedAt, now, usual }), now);
  before.current = { id: execution.id, shown };
  return { shown, ms: shown.endsAt === null ? null : Math.max(0, shown.endsAt - now) };
}

export interface Notes {
  readonly store: NotesStore | null;
  readonly notes: readonly Note[];
  readonly loaded: boolean;
  readonly refused: string | null;
}

const NO_NOTES: Notes = { store: null, notes: [], loaded: false, refused: null };

/** The notes of *id*, live. Their part of the client is loaded with the first of them. */
export function useNotes(id: string, services: () => ExecutionServices): Notes {
  const [notes, setNotes] = useState<Notes>(NO_NOTES);
  useEffect(() => {
    let leave: (() => void) | null = null;
    let gone = false;
    const take = (store: NotesStore): void => {
      if (gone) return;
      const show = (): void => {
        const { notes: all, loaded, refused } = store.getSnapshot();
        setNotes({ store, notes: all, loaded, refused });
      };
      leave = store.subscribe(show);
      show();
    };
    services().notes(id).then(take, () => {});
    return () => {
      gone = true;
      leave?.();
      setNotes(NO_NOTES);
    };
  }, [id, services]);
  return notes;
}

/** The time in ms now, for what is drawn once. */
export const useClockNow = (): (() => number) => useContext(ClockContext).now;
