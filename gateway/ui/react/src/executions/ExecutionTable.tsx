import type { ExecutionState } from "@runtail/client";
import { type KeyboardEvent, type ReactElement, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { destination } from "./destination.ts";
import { ExecutionRow, type RowActions } from "./ExecutionRow.tsx";
import { type ListQuery, type SortKey, SORTS } from "./query.ts";
import { scrolledTo, windowOf } from "./window.ts";

/** As in the style sheet; all rows are as high. */
export const ROW_HEIGHT = 48;
/** Rows asked for beyond those in sight. */
const AHEAD = 60;

export interface ExecutionTableProps {
  readonly rows: readonly ExecutionState[];
  readonly query: ListQuery;
  readonly onSort: (sort: SortKey) => void;
  /** Told how many rows should be known by now: more than are in sight. */
  readonly onWanted: (rows: number) => void;
  /** Medians by workflow, in ms. */
  readonly usual: ReadonlyMap<string, number>;
  readonly chosen: ReadonlySet<string>;
  readonly actions: RowActions;
  /** The execution that keys act on; null: none. */
  readonly active: string | null;
  readonly onMove: (executionId: string) => void;
}

interface Scrolling {
  readonly top: number;
  readonly height: number;
}

/** Executions by the thousand: only the rows in sight are drawn. One stop of the Tab key, then arrows. */
export function ExecutionTable(props: ExecutionTableProps): ReactElement {
  const { rows, usual, chosen, actions, active, onWanted } = props;
  const { list } = useStrings();
  const name = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const { top, height } = useScrolling(scroller);
  const { first, end } = windowOf(rows.length, ROW_HEIGHT, top, height);
  const wanted = Math.ceil((top + height) / ROW_HEIGHT) + AHEAD;
  useEffect(() => onWanted(wanted), [onWanted, wanted]);
  useAnchor(scroller, rows, top);
  const at = active === null ? -1 : rows.findIndex(({ id }) => id === active);
  useInSight(scroller, active, at);
  const rowId = (index: number): string => `${name}-${index}`;
  return (
    <div
      className="runtail-table" role="grid" aria-label={list.title} aria-rowcount={rows.length + 1} aria-multiselectable="true" tabIndex={0} ref={scroller}
      onKeyDown={(event) => moveByKey(event, props, at, height)} {...(at >= first && at < end ? { "aria-activedescendant": rowId(at) } : {})}
    >
      <TableHead {...props} />
      <div role="rowgroup" className="runtail-rows" style={{ height: `${rows.length * ROW_HEIGHT}px` }}>
        {rows.slice(first, end).map((state, n) => (
          <ExecutionRow
            key={state.id} id={rowId(first + n)} index={first + n} state={state} top={(first + n) * ROW_HEIGHT} active={first + n === at}
            chosen={chosen.has(state.id)} usual={usual.get(state.workflow_id ?? "") ?? null} actions={actions}
          />
        ))}
      </div>
    </div>
  );
}

function TableHead({ query, onSort }: Pick<ExecutionTableProps, "query" | "onSort">): ReactElement {
  const { list } = useStrings();
  return (
    <div className="runtail-table-head" role="row" aria-rowindex={1}>
      <span role="columnheader" className="runtail-cell-choose">
        <span className="runtail-spoken">{list.choice}</span>
      </span>
      {(["status", "execution", "progress", "duration", "started"] satisfies readonly SortKey[]).map((sort) => (
        <span key={sort} role="columnheader" className={`runtail-cell-${sort}`} aria-sort={query.sort === sort ? direction(query) : "none"}>
          <button type="button" title={list.sortBy(list.columns[sort])} onClick={() => onSort(sort)}>
            {list.columns[sort]}
            {query.sort === sort && <Icon name={direction(query) === "ascending" ? "up" : "down"} />}
          </button>
        </span>
      ))}
    </div>
  );
}

// Times and amounts begin with the greatest.
const GREATEST_FIRST: ReadonlySet<SortKey> = new Set(/* @__PURE__ */ SORTS.filter((sort) => sort !== "execution" && sort !== "status"));
const direction = ({ sort, turned }: ListQuery): "ascending" | "descending" => (GREATEST_FIRST.has(sort) === turned ? "ascending" : "descending");

/** Where *scroller* stands and how high it is; told once a frame at most. */
function useScrolling(scroller: { readonly current: HTMLElement | null }): Scrolling {
  const [scrolling, setScrolling] = useState<Scrolling>({ top: 0, height: 600 });
  useLayoutEffect(() => {
    const box = scroller.current;
    if (box === null) return;
    const measure = (): void => {
      const next = { top: Math.max(0, box.scrollTop), height: box.clientHeight || 600 };
      setScrolling((before) => (before.top === next.top && before.height === next.height ? before : next));
    };
    measure();
    box.addEventListener("scroll", measure, { passive: true });
    const resized = new ResizeObserver(measure);
    resized.observe(box);
    return () => {
      box.removeEventListener("scroll", measure);
      resized.disconnect();
    };
  }, [scroller]);
  return scrolling;
}

/** What comes in above moves nothing that is read: the first row in sight stays where it is. */
function useAnchor(scroller: { readonly current: HTMLElement | null }, rows: readonly ExecutionState[], top: number): void {
  const before = useRef<{ readonly rows: readonly ExecutionState[]; readonly id: string; readonly index: number } | null>(null);
  useLayoutEffect(() => {
    const box = scroller.current;
    const kept = before.current;
    if (box !== null && kept !== null && kept.rows !== rows && top > 0) {
      const index = rows.findIndex(({ id }) => id === kept.id);
      if (index > kept.index) box.scrollTop += (index - kept.index) * ROW_HEIGHT;
    }
    const index = Math.floor((box?.scrollTop ?? 0) / ROW_HEIGHT);
    const first = rows[index];
    before.current = first === undefined ? null : { rows, id: first.id, index };
  }, [scroller, rows, top]);
}

/** Bring the row that keys act on in sight when it becomes another one. */
function useInSight(scroller: { readonly current: HTMLElement | null }, active: string | null, at: number): void {
  const shown = useRef<string | null>(null);
  useLayoutEffect(() => {
    const box = scroller.current;
    if (shown.current === active || at < 0 || box === null) return;
    shown.current = active;
    const head = box.firstElementChild?.clientHeight ?? 0; // it stays above the rows
    const to = scrolledTo(at, ROW_HEIGHT, box.scrollTop, box.clientHeight - head);
    if (to !== null) box.scrollTop = to;
  });
}

function moveByKey(event: KeyboardEvent, { rows, actions, active, onMove }: ExecutionTableProps, at: number, height: number): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return;
  const page = Math.max(1, Math.floor(height / ROW_HEIGHT) - 1);
  const to = destination(event.key, at, rows.length, page);
  if (to !== null) {
    const row = rows[to];
    if (row !== undefined) onMove(row.id);
  } else if (event.key === "Enter" && active !== null) actions.open(active);
  else if ((event.key === " " || event.key === "x") && active !== null) actions.choose(active);
  else return;
  event.preventDefault();
  event.stopPropagation();
}
