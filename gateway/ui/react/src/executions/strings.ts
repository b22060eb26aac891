/** The words of the list of executions. */

import type { ChosenStatus, SortKey, Span } from "./query.ts";
import { spellDuration } from "../duration.ts";

export interface ListStrings {
  readonly title: string;
  readonly columns: Readonly<Record<SortKey, string>>;
  readonly statuses: Readonly<Record<ChosenStatus, string>>;
  readonly spans: Readonly<Record<Span, string>>;
  readonly filters: string;
  readonly status: string;
  readonly workflow: string;
  readonly allWorkflows: string;
  readonly within: string;
  readonly anyTime: string;
  readonly search: string;
  readonly searchHint: string;
  readonly clear: string;
  readonly sortBy: (column: string) => string;
  readonly count: (shown: number) => string;
  readonly someOf: (shown: number, known: number) => string;
  readonly older: string;
  readonly looking: (known: number) => string;
  readonly capped: (known: number) => string;
  readonly noMatch: string;
  readonly loading: string;
  readonly notLoaded: (message: string) => string;
  readonly choice: string;
  readonly choose: (executionId: string) => string;
  readonly chosen: (count: number) => string;
  readonly sideBySide: string;
  readonly merged: string;
  readonly unchoose: string;
  readonly tooMany: (most: number) => string;
  readonly notes: (count: number) => string;
  readonly usually: (spelled: string) => string;
  readonly slower: (times: number) => string;
  /** Behind that, where there is room. */
  readonly thanUsual: string;
  readonly ago: (ms: number) => string;
  readonly help: string;
  readonly close: string;
  readonly keys: readonly (readonly [keys: string, meaning: string])[];
}

const NUMBER = /* @__PURE__ */ new Intl.NumberFormat("en-US");
const number = (value: number): string => NUMBER.format(value);
const executions = (count: number): string => `${number(count)} ${count === 1 ? "execution" : "executions"}`;

/** In its largest unit: one looks whether it was just now or days ago. */
function ago(ms: number): string {
  if (ms < 60_000) return "just now";
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ago`;
  return ms < 172_800_000 ? `${Math.floor(ms / 3_600_000)} h ago` : `${Math.floor(ms / 86_400_000)} d ago`;
}

export const LIST_STRINGS: ListStrings = {
  title: "Executions",
  columns: { status: "Status", execution: "Execution", progress: "Progress", duration: "Duration", started: "Started" },
  statuses: { running: "Running", failed: "Failed", lost: "Worker lost", completed: "Completed", cancelled: "Cancelled" },
  spans: { "15m": "Last 15 min", "1h": "Last hour", "24h": "Last 24 h", "7d": "Last 7 days" },
  filters: "Filter",
  status: "Status",
  workflow: "Workflow",
  allWorkflows: "All workflows",
  within: "Time",
  anyTime: "Any time",
  search: "Search executions",
  searchHint: "Search id, workflow, error",
  clear: "Clear filter",
  sortBy: (column) => `Sort by ${column.toLowerCase()}`,
  count: executions,
  someOf: (shown, known) => `${number(shown)} of ${executions(known)}`,
  older: "reading older ones …",
  looking: (known) => `looking through ${number(known)} so far …`,
  capped: (known) => `the newest ${number(known)} were looked at`,
  noMatch: "No execution passes the filter.",
  loading: "Reading the list …",
  notLoaded: (message) => `Older executions could not be read: ${message}`,
  choice: "Chosen",
  choose: (id) => `Choose ${id}`,
  chosen: (count) => `${number(count)} chosen`,
  sideBySide: "Open side by side",
  merged: "Open merged",
  unchoose: "Clear",
  tooMany: (most) => `At most ${most} can be open at once.`,
  notes: (count) => `${number(count)} ${count === 1 ? "note" : "notes"}`,
  usually: (spelled) => `usually ${spelled}`,
  slower: (times) => `${times < 10 ? times.toFixed(1).replace(/\.0$/, "") : Math.round(times)} × slower`,
  thanUsual: " than usual",
  ago,
  help: "Keys",
  close: "Close",
  keys: [
    ["j k ↓ ↑", "next, previous execution"],
    ["Home End", "first, last"],
    ["Enter", "open it"],
    ["x", "choose it, to open several"],
    ["o", "open the chosen ones side by side"],
    ["m", "open the chosen ones merged"],
    ["/", "search"],
    ["f", "only those that failed, or all again"],
    ["g", "figures"],
    ["n", "start a new execution"],
    ["Esc", "leave the search, drop the choice, clear the filter"],
    ["?", "these keys"],
  ],
};

/** Short, as a column of durations has them: `5 min`. */
export const roughly = (ms: number): string => (ms < 10_000 ? spellDuration(ms, true) : ms < 3_600_000 && ms >= 60_000 ? `${Math.round(ms / 60_000)} min` : spellDuration(ms));
