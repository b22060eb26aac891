import { type ReactElement, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useStrings } from "../context.ts";
import { Dialog } from "../Dialog.tsx";
import { ListTrouble } from "../ListTrouble.tsx";
import { StatusDot } from "../StatusDot.tsx";
import { told } from "../Told.tsx";
import { type Choosing, useChoosing } from "./choosing.ts";
import type { RowActions } from "./ExecutionRow.tsx";
import { ExecutionTable } from "./ExecutionTable.tsx";
import { destination } from "./destination.ts";
import { FilterBar } from "./FilterBar.tsx";
import { usePageKeys } from "./keys.ts";
import { type Listed, useListed } from "./loading.ts";
import { ALL_EXECUTIONS, type ListQuery, narrows, type SortKey } from "./query.ts";

export interface ExecutionsViewProps {
  readonly query: ListQuery;
  /** *typing*: the address should follow, without a step back for each letter. */
  readonly onQuery: (query: ListQuery, typing: boolean) => void;
  readonly hrefOf: (executionId: string) => string;
  readonly onOpen: (executionId: string) => void;
  /** Open several at once. */
  readonly onOpenSeveral: (executionIds: readonly string[], merged: boolean) => void;
  /** Medians by workflow, in ms. */
  readonly usual?: ReadonlyMap<string, number>;
  /** What helps where nothing was ever run. */
  readonly empty?: ReactNode;
  /** Told what is listed: for whoever looks at changes. */
  readonly onListed?: (listed: Listed) => void;
}

/** Rows wanted before anybody scrolls. */
const AT_FIRST = 60;
const NO_MEDIANS: ReadonlyMap<string, number> = new Map();

/** All executions: live, filtered, in order, by mouse and by keys. */
export function ExecutionsView(props: ExecutionsViewProps): ReactElement {
  const { query, onQuery, hrefOf, onOpen, usual = NO_MEDIANS, empty, onListed } = props;
  const [wanted, setWanted] = useState(AT_FIRST);
  const listed = useListed(query, wanted);
  const { rows, known, loaded } = listed;
  const choosing = useChoosing();
  const search = useRef<HTMLInputElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const help = useListKeys({ ...props, listed, choosing, search, active, setActive });
  useEffect(() => onListed?.(listed), [onListed, listed.known, listed.link]);
  const actions = useActions({ hrefOf, open: onOpen, choose: choosing.turn });
  const workflows = useWorkflows(known);
  const sort = (key: SortKey): void => onQuery({ ...query, sort: key, turned: query.sort === key && !query.turned }, false);
  return (
    <section className="runtail runtail-executions">
      <FilterBar query={query} onQuery={onQuery} workflows={workflows} search={search} />
      <ListTrouble list={listed} />
      {rows.length > 0 ? (
        <ExecutionTable rows={rows} query={query} onSort={sort} onWanted={setWanted} usual={usual} chosen={choosing.ids} actions={actions} active={active} onMove={setActive} />
      ) : (
        <Nothing listed={listed} onQuery={onQuery} empty={loaded && known.length === 0 ? empty : undefined} />
      )}
      <ChosenBar choosing={choosing} open={props.onOpenSeveral} />
      <StatusLine listed={listed} query={query} />
      {help}
    </section>
  );
}

/** The same functions always: a row is drawn again only when something about it changed. */
function useActions(actions: RowActions): RowActions {
  const newest = useRef(actions);
  newest.current = actions;
  return useMemo(
    () => ({
      hrefOf: (id) => newest.current.hrefOf(id),
      open: (id) => newest.current.open(id),
      choose: (id) => newest.current.choose(id),
    }),
    [],
  );
}

function useWorkflows(known: Listed["known"]): readonly string[] {
  const names = [...new Set(known.map(({ workflow_id }) => workflow_id ?? "").filter((name) => name !== ""))].toSorted();
  const key = names.join("\n");
  return useMemo(() => (key === "" ? [] : key.split("\n")), [key]);
}

interface Keyed extends ExecutionsViewProps {
  readonly listed: Listed;
  readonly choosing: Choosing;
  readonly search: { readonly current: HTMLInputElement | null };
  readonly active: string | null;
  readonly setActive: (id: string) => void;
}

/** Obey the keys of the list, wherever the focus is; answers the list of them, when it was asked for. */
function useListKeys({ listed, choosing, search, active, setActive, query, onQuery, onOpen, onOpenSeveral }: Keyed): ReactNode {
  const { list } = useStrings();
  const [asked, setAsked] = useState(false);
  const close = useCallback(() => setAsked(false), []);
  const { rows } = listed;
  const move = (key: string): void => {
    const to = destination(key, rows.findIndex(({ id }) => id === active), rows.length, 1);
    const row = to === null ? undefined : rows[to];
    if (row !== undefined) setActive(row.id);
  };
  const together = (merged: boolean): void | boolean => (choosing.ids.size === 0 ? true : onOpenSeveral([...choosing.ids], merged));
  const back = (): void | boolean => {
    if (choosing.ids.size > 0) return choosing.clear();
    if (narrows(query)) return onQuery({ ...ALL_EXECUTIONS, sort: query.sort, turned: query.turned }, false);
    return true;
  };
  usePageKeys({
    j: () => move("j"),
    k: () => move("k"),
    x: () => (active === null ? true : choosing.turn(active)),
    Enter: () => (active === null || !isFree(document.activeElement) ? true : onOpen(active)),
    o: () => together(false),
    m: () => together(true),
    "/": () => search.current?.focus(),
    f: () => onQuery({ ...query, status: query.status.join() === "failed,lost" ? [] : ["failed", "lost"] }, false),
    Escape: back,
    "?": () => setAsked(true),
  });
  useSearchKeys(search);
  if (!asked) return null;
  return (
    <Dialog title={list.help} onClose={close}>
      <dl className="runtail-keys">
        {list.keys.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

/** Whether Enter means nothing to what has the focus. */
const isFree = (element: Element | null): boolean => element === null || !element.matches("a, button, summary");

/** Escape leaves the search field: the keys of the list count again. */
function useSearchKeys(search: { readonly current: HTMLInputElement | null }): void {
  useEffect(() => {
    const field = search.current;
    const leave = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && field?.value === "") field.blur();
    };
    field?.addEventListener("keydown", leave);
    return () => field?.removeEventListener("keydown", leave);
  }, [search]);
}

interface NothingProps extends Pick<ExecutionsViewProps, "onQuery" | "empty"> {
  readonly listed: Listed;
}

/** Why there is no row, and what can be done. */
function Nothing({ listed: { loaded, looking, more }, onQuery, empty }: NothingProps): ReactElement {
  const { list } = useStrings();
  if (empty !== undefined) return <div className="runtail-nothing-yet">{empty}</div>;
  if (!loaded || looking || more) return <div className="runtail-nothing-yet" aria-busy="true"><p className="runtail-faint">{list.loading}</p></div>;
  return (
    <div className="runtail-nothing-yet">
      <p>{list.noMatch}</p>
      <button type="button" className="runtail-button" onClick={() => onQuery(ALL_EXECUTIONS, false)}>
        {list.clear}
      </button>
    </div>
  );
}

function ChosenBar({ choosing, open }: { readonly choosing: Choosing; readonly open: ExecutionsViewProps["onOpenSeveral"] }): ReactElement {
  const { list } = useStrings();
  const ids = [...choosing.ids];
  return (
    <div className="runtail-chosen" role="status">
      {ids.length > 0 && (
        <>
          <span>{list.chosen(ids.length)}</span>
          <button type="button" className="runtail-button" onClick={() => open(ids, false)}>
            {list.sideBySide}
          </button>
          <button type="button" className="runtail-button" onClick={() => open(ids, true)}>
            {list.merged}
          </button>
          <button type="button" className="runtail-button runtail-quiet" onClick={choosing.clear}>
            {list.unchoose}
          </button>
          {choosing.full && <span className="runtail-faint">{list.tooMany(ids.length)}</span>}
        </>
      )}
    </div>
  );
}

/** The words of a connection that watches no log. */
const LIVE_STANDING = { lastSeq: 1, lastHeardAt: Infinity, lastRecordAt: Infinity, workers: null, completeness: { state: "running" } } as const;

/** How many there are, how far was looked, and what is wrong with it. */
function StatusLine({ listed, query }: { readonly listed: Listed; readonly query: ListQuery }): ReactElement {
  const { list } = useStrings();
  const { rows, known, looking, more, capped, trouble, loaded, link, connectionStatus } = listed;
  const count = narrows(query) ? list.someOf(rows.length, known.length) : list.count(rows.length);
  const parts = [
    loaded ? count : null,
    looking ? list.looking(known.length) : more ? list.older : null,
    capped ? list.capped(known.length) : null,
    trouble === null ? null : list.notLoaded(told(trouble)),
  ];
  return (
    <p className="runtail-status-line">
      <StatusDot connectionStatus={connectionStatus} link={link} {...LIVE_STANDING} />
      <span>{parts.filter((part) => part !== null).join(" · ")}</span>
    </p>
  );
}
