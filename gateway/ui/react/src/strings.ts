/** Every word that the components say. Replace any of them through `StringsProvider`. */

import type { Completeness } from "@runtail/client";
import { ALERT_STRINGS, type AlertStrings } from "./alerts/strings.ts";
import { FIGURE_STRINGS, type FigureStrings } from "./figures/strings.ts";
import { START_STRINGS, type StartStrings } from "./start/strings.ts";
import { LIST_STRINGS, type ListStrings } from "./executions/strings.ts";
import { type LogStrings, STRINGS as LOG_STRINGS } from "./log/strings.ts";
import { EXECUTION_STRINGS, type ExecutionStrings } from "./execution/strings.ts";
import type { StatusName } from "./status.ts";
import { spellDuration } from "./duration.ts";

export interface Strings {
  readonly number: (value: number) => string;
  readonly percent: (value: number) => string;
  readonly lines: (count: number) => string;
  /** `exact`: it does not tick any more, so parts of a second may be told. */
  readonly duration: (ms: number, exact: boolean) => string;
  readonly status: Readonly<Record<StatusName, string>>;
  readonly link: LinkStrings;
  readonly viewer: ViewerStrings;
  readonly monitor: MonitorStrings;
  readonly demo: DemoStrings;
  readonly list: ListStrings;
  readonly figures: FigureStrings;
  readonly alerts: AlertStrings;
  /** Of starting an execution. */
  readonly start: StartStrings;
  /** Those of the page of one execution. */
  readonly execution: ExecutionStrings;
  /** Those of the log itself. */
  readonly log: LogStrings;
}

export interface LinkStrings {
  readonly connecting: string;
  readonly reconnecting: (attempt: number) => string;
  readonly retryIn: (attempt: number, seconds: number) => string;
  readonly catchingUp: (line: number, of: number) => string;
  readonly waiting: string;
  readonly live: string;
  /** Connected, and nothing came for a while; `ago` ms since anything was heard of the gateway. */
  readonly quiet: (ago: number) => string;
  /** `ms` since the newest record; 0: not known, or not to be told. */
  readonly workerSilent: (ms: number) => string;
  readonly signedOut: string;
  readonly refused: (message: string) => string;
  readonly ended: (completeness: Completeness) => string;
  readonly closed: string;
}

export interface ViewerStrings {
  readonly label: (executionId: string) => string;
  readonly progress: string;
  readonly progressUnknown: string;
  readonly reconnect: string;
  readonly signIn: string;
  readonly nothing: string;
}

export interface MonitorStrings {
  readonly label: (executionId: string) => string;
  readonly duration: string;
  readonly waited: (spelled: string) => string;
  readonly showLogs: string;
  readonly hideLogs: string;
}

export interface DemoStrings {
  readonly title: string;
  readonly list: string;
  readonly start: string;
  readonly starting: string;
  readonly startFailed: (message: string) => string;
  readonly tooMany: (most: number) => string;
  readonly close: (executionId: string) => string;
  readonly listEmpty: string;
  readonly listLoading: string;
  readonly emptyTitle: string;
  readonly emptyText: string;
  readonly emptyWorker: string;
  readonly workerLabel: string;
  readonly copy: string;
  readonly copied: string;
}

const NUMBER = /* @__PURE__ */ new Intl.NumberFormat("en-US");
const number = (value: number): string => NUMBER.format(value);
const lines = (count: number): string => `${number(count)} ${count === 1 ? "line" : "lines"}`;
const ago = (ms: number): string => (ms < 1000 ? "just now" : `${spellDuration(ms)} ago`);

function endedWords(completeness: Completeness): string {
  switch (completeness.state) {
    case "running":
      return "ended";
    case "complete":
      return `ended · complete, ${lines(completeness.records)}`;
    case "missing":
      return completeness.lost === null
        ? "ended · some lines are missing"
        : `ended · ${number(completeness.lost)} of ${lines(completeness.records)} missing`;
  }
}

export const ENGLISH: Strings = {
  number,
  percent: (value) => `${Math.floor(value)} %`,
  lines,
  duration: spellDuration,
  status: {
    pending: "pending",
    running: "running",
    completed: "completed",
    failed: "failed",
    cancelled: "cancelled",
    stalled: "stalled",
    lost: "worker lost",
  },
  link: {
    connecting: "connecting",
    reconnecting: (attempt) => `reconnecting, try ${attempt}`,
    retryIn: (attempt, seconds) => `reconnecting, try ${attempt} in ${seconds} s`,
    catchingUp: (line, of) => `catching up, line ${number(line)} of ${number(of)}`,
    waiting: "live · waiting for the first record",
    live: "live",
    quiet: (ms) => `live · quiet, last heard ${ago(ms)}`,
    workerSilent: (ms) => (ms < 1000 ? "worker silent" : `worker silent · last record ${ago(ms)}`),
    signedOut: "signed out",
    refused: (message) => (message === "" ? "refused" : `refused: ${message}`),
    ended: endedWords,
    closed: "not connected",
  },
  viewer: {
    label: (id) => `Log of ${id}`,
    progress: "Progress",
    progressUnknown: "Progress, not known",
    reconnect: "Reconnect",
    signIn: "Sign in",
    nothing: "No execution is chosen.",
  },
  monitor: {
    label: (id) => `Execution ${id}`,
    duration: "Duration",
    waited: (spelled) => `waiting for ${spelled}`,
    showLogs: "Show logs",
    hideLogs: "Hide logs",
  },
  demo: {
    title: "Watched executions",
    list: "Executions",
    start: "Start new execution",
    starting: "Starting …",
    startFailed: (message) => `The gateway did not start it: ${message}`,
    tooMany: (most) => `${most} executions are open, which is the most. Close one first.`,
    close: (id) => `Close ${id}`,
    listEmpty: "None yet. What workers publish shows up here by itself.",
    listLoading: "Reading the list …",
    emptyTitle: "Nothing is being watched yet",
    emptyText:
      "Start the demo run and its log appears here line by line, or choose an execution from the list. Several can be watched side by side.",
    emptyWorker: "Your own worker shows up here with ten lines of Python:",
    workerLabel: "Worker example",
    copy: "Copy",
    copied: "Copied",
  },
  list: LIST_STRINGS,
  figures: FIGURE_STRINGS,
  alerts: ALERT_STRINGS,
  start: START_STRINGS,
  execution: EXECUTION_STRINGS,
  log: LOG_STRINGS,
};

/** Whole values: nothing in them is replaced by itself. */
type Leaf = string | readonly unknown[] | ((...values: never[]) => unknown);

/** Some of the strings, as deep as needed. */
export type SomeStrings<T = Strings> = {
  readonly [K in keyof T]?: T[K] extends Leaf ? T[K] : SomeStrings<T[K]>;
};

const isGroup = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

/** Take *some* in place of those of *base*. */
export function replaceStrings<T extends object>(base: T, some: SomeStrings<T> | undefined): T {
  if (some === undefined) return base;
  const replaced: Record<string, unknown> = { ...(base as Record<string, unknown>) };
  for (const [key, value] of Object.entries(some as Record<string, unknown>)) {
    const before = replaced[key];
    if (value !== undefined) replaced[key] = isGroup(value) && isGroup(before) ? replaceStrings(before, value) : value;
  }
  return replaced as T;
}
