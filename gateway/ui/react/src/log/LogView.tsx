/** The log view: an adapter without logic around the engine, its screen and its reader. */

import type { LogStore, RestApi } from "@runtail/client";
import { type KeyboardEvent, type ReactElement, type ReactNode, type RefObject, useEffect, useInsertionEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { Announcer } from "./Announcer.tsx";
import { LogEngine } from "./engine.ts";
import type { LogViewState } from "./engine_state.ts";
import { Help } from "./Help.tsx";
import type { Dressing } from "./dressing.ts";
import { commandOf } from "./keys.ts";
import { EVERYTHING, hashOf, type LogFilter, type Place } from "./place.ts";
import { NO_REST } from "./no_rest.ts";
import { Reader } from "./reader.ts";
import type { Range } from "./rows.ts";
import { ScrollMarks } from "./ScrollMarks.tsx";
import { SearchBox } from "./SearchBox.tsx";
import { listenForSelection } from "./selecting.ts";
import { type LogStrings, STRINGS } from "./strings.ts";
import { FollowPill, SelectionBar, SkippedBar } from "./Bars.tsx";
import type { TimeFormat } from "./times.ts";
import { shownText, Toolbar } from "./Toolbar.tsx";
import { Viewport } from "./viewport.ts";

export interface LogViewProps {
  readonly store: LogStore;
  /** For older lines and searches; null: there is only what the store holds. */
  readonly rest: RestApi | null;
  /** A line, or first and last of several, to open at, highlighted and not following; absent: at the end, following. */
  readonly line?: number | Range | readonly [number, number] | null | undefined;
  readonly filter?: LogFilter;
  /** Told when the reader selects lines or filters: what an address should say. */
  readonly onLocationChange?: (place: Place) => void;
  readonly wrap?: boolean;
  readonly timeFormat?: TimeFormat;
  readonly strings?: Partial<LogStrings>;
  /** ms since 1970. */
  readonly now?: () => number;
  readonly className?: string;
  /** Without the bar of filters and search: a page has its own, or little room. */
  readonly bare?: boolean;
  /** What the page adds to lines. Another one is drawn at once. */
  readonly dressing?: Dressing | null;
  /** Beside the buttons for selected lines. */
  readonly selectionActions?: ((lines: Range) => ReactNode) | undefined;
  /** Given a way to move the view while it is there, and null when it is gone. */
  readonly onControls?: ((controls: LogControls | null) => void) | undefined;
}

/** What a page can do with a view that is there. */
export interface LogControls {
  /** Go to *place*, also if the reader has moved on since it was there. */
  readonly goTo: (place: Place) => void;
  readonly focus: () => void;
}

const isNarrow = (): boolean => typeof matchMedia === "function" && matchMedia("(max-width: 600px)").matches;
const smooth = (): boolean => !window.matchMedia("(prefers-reduced-motion: reduce)").matches;

export function LogView(props: LogViewProps): ReactElement {
  const { store, filter = EVERYTHING, bare = false } = props;
  const rest = props.rest ?? NO_REST;
  const line = rangeGiven(props.line);
  const strings = useMemo(() => ({ ...STRINGS, ...props.strings }), [props.strings]);
  const { now, wrap, timeFormat = isNarrow() ? "none" : "local" } = props;
  // the place and the looks are where it begins; what the reader does later is not undone by a new render
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const engine = useMemo(() => new LogEngine({ store, rest, strings, place: { line, filter }, ...(now && { now }), ...(wrap !== undefined && { wrap }), timeFormat }), [store, rest, strings]);
  const state = useSyncExternalStore(engine.subscribe, engine.getState, engine.getState);
  const scroller = useRef<HTMLDivElement>(null);
  const root = useRef<HTMLElement>(null);
  const [reader, setReader] = useState<Reader | null>(null);
  const [searching, setSearching] = useState(false);
  const [helping, setHelping] = useState(false);

  const chrome = useRef({ searching, helping });
  chrome.current = { searching, helping };
  const closeSearch = (): void => {
    setSearching(false);
    engine.find("");
    scroller.current?.focus({ preventScroll: true });
  };

  useEffect(() => {
    const host = scroller.current!;
    const viewport = new Viewport(host, engine, smooth);
    const made = new Reader(engine, viewport, {
      openSearch: () => {
        setSearching(true);
        root.current?.querySelector<HTMLInputElement>(".rt-search input")?.select();
      },
      toggleHelp: () => setHelping((open) => !open),
      closeAny: () => {
        const { searching: search, helping: help } = chrome.current;
        setHelping(false);
        if (!help && search) closeSearch();
        return help || search;
      },
    });
    const ends = [engine.open(), viewport.open(), listenForSelection(host, engine, viewport), () => made.close()];
    setReader(made);
    return () => {
      for (const end of ends) end();
      setReader(null);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [engine]);

  const { dressing = null } = props;
  useEffect(() => engine.dress(dressing), [engine, dressing]);
  useControls(engine, scroller, props.onControls);
  useGivenPlace(engine, { line, filter });
  useToldPlace(state, props.onLocationChange);

  const onKeyDown = (event: KeyboardEvent): void => {
    const inField = event.target instanceof HTMLElement && event.target.closest("input, select, textarea") !== null;
    const command = commandOf(event);
    if (command === null || reader === null) return;
    const findKey = command === "search" && (event.ctrlKey || event.metaKey);
    if (inField && command !== "escape" && !findKey) return;
    if (inField && findKey) return; // the second press is the browser's own
    if (event.target instanceof HTMLElement && event.target.closest("button") !== null && (event.key === "Enter" || event.key === " ")) return;
    event.preventDefault();
    reader.do(command);
  };
  const onCopy = (event: { preventDefault: () => void }): void => {
    const text = document.getSelection();
    if (!state.selection || (text && !text.isCollapsed)) return;
    event.preventDefault();
    void reader?.copy("text");
  };

  return (
    <section ref={root} className={["rt-log", props.className].filter(Boolean).join(" ")} aria-label={strings.log} onKeyDown={onKeyDown} onCopy={onCopy}>
      {bare ? null : <Toolbar state={state} engine={engine} reader={reader} onSearch={() => setSearching(true)} onHelp={() => setHelping((open) => !open)} />}
      {searching ? <SearchBox engine={engine} reader={reader} view={state.search} onEntered={() => scroller.current?.focus({ preventScroll: true })} onClose={closeSearch} /> : null}
      {state.skipped ? <SkippedBar engine={engine} count={state.skipped.count} seq={state.skipped.seq} /> : null}
      <div className="rt-stage">
        <div ref={scroller} className="rt-scroller" tabIndex={0} role="region" aria-label={strings.log} />
        {state.rows === 0 ? <p className="rt-empty">{emptyText(state, strings)}</p> : null}
        <ScrollMarks engine={engine} state={state} />
        <FollowPill engine={engine} state={state} />
        {helping ? <Help strings={strings} onClose={() => setHelping(false)} /> : null}
      </div>
      <SelectionBar engine={engine} reader={reader} state={state} actions={props.selectionActions} />
      <Announcer engine={engine} />
    </section>
  );
}

/** Why no line is there. */
function emptyText(state: LogViewState, strings: LogStrings): string {
  if (state.shown && state.last > 0) return shownText(state, strings);
  switch (state.phase) {
    case "connecting":
    case "replaying":
    case "retrying":
      return strings.loading;
    case "live":
    case "ended":
      return strings.empty;
    case "signed_out":
    case "refused":
    case "closed":
      return ""; // whoever shows the connection says why
  }
}

function rangeGiven(line: LogViewProps["line"]): Range | null {
  if (line === null || line === undefined) return null;
  if (typeof line === "number") return { first: line, last: line };
  return "first" in line ? line : { first: Math.min(...line), last: Math.max(...line) };
}

/** Hand the page what moves the view. */
function useControls(engine: LogEngine, scroller: RefObject<HTMLElement | null>, tell: LogViewProps["onControls"]): void {
  const latest = useRef(tell);
  useInsertionEffect(() => {
    latest.current = tell;
  });
  useEffect(() => {
    latest.current?.({ goTo: (place) => engine.goTo(place), focus: () => scroller.current?.focus({ preventScroll: true }) });
    return () => latest.current?.(null);
  }, [engine, scroller]);
}

/** Go where the page says, when it says something new. */
function useGivenPlace(engine: LogEngine, place: Place): void {
  const wish = hashOf(place);
  const given = useRef({ engine, wish });
  useEffect(() => {
    const before = given.current;
    given.current = { engine, wish };
    if (before.engine !== engine || before.wish === wish) return;
    const { selection, filter } = engine.getState();
    if (hashOf({ line: selection, filter }) !== wish) engine.goTo(place);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [engine, wish]);
}

/** Tell the page where the reader is, when that changes. */
function useToldPlace({ selection, filter }: { selection: Range | null; filter: LogFilter }, tell: ((place: Place) => void) | undefined): void {
  const hash = hashOf({ line: selection, filter });
  const told = useRef(hash);
  useEffect(() => {
    if (told.current === hash) return;
    told.current = hash;
    tell?.({ line: selection, filter });
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [hash]);
}
