/** Which executions are listed, in which order, and how an address spells that. Pure. */

import type { ExecutionState } from "@runtail/client";
import { shownStatus } from "../status.ts";

/** What may be asked for; the gateway chooses by these too. */
export const CHOSEN_STATUSES = ["running", "failed", "lost", "completed", "cancelled"] as const;

export type ChosenStatus = (typeof CHOSEN_STATUSES)[number];

/** Times back from now, in seconds, as the address spells them. */
export const SPANS = { "15m": 900, "1h": 3_600, "24h": 86_400, "7d": 604_800 } as const;

export type Span = keyof typeof SPANS;

export const SORTS = ["started", "status", "execution", "progress", "duration"] as const;

export type SortKey = (typeof SORTS)[number];

export interface ListQuery {
  /** Empty: all. */
  readonly status: readonly ChosenStatus[];
  readonly workflow: string | null;
  /** Created within that time; null: whenever. */
  readonly within: Span | null;
  /** Looked for in ids, workflows, reasons and errors; upper and lower case alike. */
  readonly text: string;
  readonly sort: SortKey;
  /** Against the order in which one usually wants it: the newest, the longest, A first. */
  readonly turned: boolean;
}

export const ALL_EXECUTIONS: ListQuery = { status: [], workflow: null, within: null, text: "", sort: "started", turned: false };

/** Whether *query* leaves anything out. */
export const narrows = ({ status, workflow, within, text }: ListQuery): boolean =>
  status.length > 0 || workflow !== null || within !== null || text !== "";

/** Whether all must be known before the first may be shown: the order is another, or a text is looked for. */
export const needsAll = ({ text, sort, turned }: ListQuery): boolean => text !== "" || sort !== "started" || turned;

const isOneOf = <T extends string>(all: readonly T[], word: string | null): word is T => (all as readonly (string | null)[]).includes(word);

/** Read *parameters*; what makes no sense is left out. */
export function queryOf(parameters: URLSearchParams): ListQuery {
  const words = parameters.getAll("status").flatMap((value) => value.split(","));
  const within = parameters.get("within");
  const [, turned = "", sort = ""] = /^(-?)(.*)$/.exec(parameters.get("sort") ?? "") ?? [];
  return {
    status: CHOSEN_STATUSES.filter((status) => words.includes(status)),
    workflow: parameters.get("workflow") || null,
    within: within !== null && Object.hasOwn(SPANS, within) ? (within as Span) : null,
    text: parameters.get("q") ?? "",
    ...(isOneOf(SORTS, sort) ? { sort, turned: turned !== "" } : { sort: "started", turned: false }),
  };
}

/** Spell *query* for an address; what is as usual is not said. */
export function queryParameters(query: ListQuery): readonly (readonly [string, string])[] {
  const sort = `${query.turned ? "-" : ""}${query.sort}`;
  const all = [
    ["status", query.status.join()],
    ["workflow", query.workflow ?? ""],
    ["within", query.within ?? ""],
    ["q", query.text],
    ["sort", sort === ALL_EXECUTIONS.sort ? "" : sort],
  ] as const;
  return all.filter(([, value]) => value !== "");
}

const haystacks = new WeakMap<ExecutionState, string>();

function haystackOf(state: ExecutionState): string {
  const known = haystacks.get(state);
  if (known !== undefined) return known;
  const { id, workflow_id, reason, last_error } = state;
  const made = [id, workflow_id, reason, last_error?.message, last_error?.step_name].filter(Boolean).join("\n").toLowerCase();
  haystacks.set(state, made);
  return made;
}

/** Make what tells whether *query* keeps an execution, at *now* (ms). */
export function keeperOf(query: ListQuery, now: number): (state: ExecutionState) => boolean {
  const since = sinceOf(query, now);
  const text = query.text.trim().toLowerCase();
  const statuses = new Set<string>(query.status);
  return (state) =>
    (statuses.size === 0 || statuses.has(state.status)) &&
    (query.workflow === null || state.workflow_id === query.workflow) &&
    (since === null || Date.parse(state.created_at) >= since) &&
    (text === "" || haystackOf(state).includes(text));
}

/** Since when executions are wanted, in ms; null: whenever. */
export const sinceOf = ({ within }: ListQuery, now: number): number | null => (within === null ? null : now - SPANS[within] * 1000);

const at = (text: string | null | undefined): number => Date.parse(text ?? "");

/** How long it ran, or runs, in ms; -1: it has not begun. */
function ran(state: ExecutionState, now: number): number {
  const began = at(state.started_at ?? state.created_at);
  const ended = at(state.ended_at);
  if (Number.isNaN(began)) return -1;
  return (Number.isNaN(ended) ? now : ended) - began;
}

// What needs somebody first: lost and stalled, then what failed, what runs, what is over.
const URGENCY = ["lost", "stalled", "failed", "running", "pending", "cancelled", "completed"];
const urgency = (state: ExecutionState): number => URGENCY.indexOf(shownStatus(state));

function valueFor(sort: SortKey, now: number): ((state: ExecutionState) => number) | null {
  switch (sort) {
    case "started":
    case "execution":
      return null;
    case "status":
      return urgency;
    case "progress":
      return (state) => -(state.progress ?? -1);
    case "duration":
      return (state) => -ran(state, now);
  }
}

/** Put *executions*, which come the newest first, in the order that *query* asks for. */
export function sorted(executions: readonly ExecutionState[], { sort, turned }: ListQuery, now: number): readonly ExecutionState[] {
  const value = valueFor(sort, now);
  const sign = turned ? -1 : 1;
  if (sort === "execution") return executions.toSorted((a, b) => sign * (a.id < b.id ? -1 : 1));
  if (value === null) return turned ? executions.toReversed() : executions;
  const values = new Map(executions.map((state) => [state, value(state)]));
  return executions.toSorted((a, b) => sign * ((values.get(a) ?? 0) - (values.get(b) ?? 0)));
}
