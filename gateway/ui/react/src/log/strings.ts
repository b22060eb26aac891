/** Every word the log view says, so that a page can say it in its own language. */

import type { StepStatus } from "@runtail/client";
import type { TimeFormat } from "./times.ts";

export interface LogStrings {
  readonly lines: (count: number) => string;
  readonly newLines: (count: number) => string;
  readonly follow: string;
  readonly following: string;
  readonly skipped: (count: number) => string;
  readonly backToSkipped: string;
  readonly dismiss: string;
  readonly loading: string;
  readonly absent: string;
  readonly failedToLoad: string;
  readonly empty: string;
  readonly gap: (first: number, last: number, lost: number | null, reason: string) => string;
  readonly trimmed: (count: number) => string;
  readonly reset: (after: number, withdrawn: number, reason: string) => string;
  readonly lost: (count: number, reason: string | null) => string;
  readonly status: (status: string, reason: string | null) => string;
  readonly ended: (status: string) => string;
  readonly complete: (records: number) => string;
  readonly missing: (records: number, lost: number | null, ranges: string) => string;
  readonly dropped: (count: number) => string;
  readonly truncated: (field: string, bytes: number) => string;
  /** Between the two ends of a text that was too long. */
  readonly cutBetween: (gone: number, of: number) => string;
  readonly step: (name: string, status: StepStatus) => string;
  readonly attempt: (attempt: number, of: number | null) => string;
  readonly waited: (duration: string) => string;
  readonly took: (duration: string) => string;
  readonly linesFolded: (count: number) => string;
  readonly fold: string;
  readonly unfold: string;
  readonly foldSteps: string;
  readonly unfoldSteps: string;
  readonly expand: string;
  readonly collapse: string;
  readonly moreLines: (count: number) => string;
  readonly moreCharacters: (count: number) => string;
  readonly showMore: string;
  readonly levels: Readonly<Record<"debug" | "info" | "warning" | "error", string>>;
  readonly shownOf: (shown: number, all: number, filter: string, exact: boolean) => string;
  readonly filteredBy: (levels: string, steps: string) => string;
  readonly clear: string;
  readonly lookedBack: (seq: number) => string;
  readonly lookFurther: string;
  readonly context: string;
  readonly allSteps: string;
  readonly search: string;
  readonly searchPlaceholder: string;
  readonly searchNext: string;
  readonly searchPrevious: string;
  readonly searchCount: (at: number, count: number, exact: boolean) => string;
  readonly searchNone: (exact: boolean) => string;
  readonly searching: (percent: number) => string;
  readonly searchBound: (count: number) => string;
  readonly searchFailed: string;
  readonly nextError: string;
  readonly noError: (after: number) => string;
  readonly close: string;
  readonly selected: (count: number) => string;
  readonly copy: string;
  readonly copyJson: string;
  readonly copying: (done: number, count: number) => string;
  readonly copied: (count: number) => string;
  readonly copiedPart: (count: number, of: number) => string;
  readonly copyFailed: string;
  readonly download: string;
  readonly downloadText: string;
  readonly downloadJson: string;
  readonly downloadShown: string;
  readonly raw: string;
  readonly wrap: string;
  readonly time: string;
  readonly times: Readonly<Record<TimeFormat, string>>;
  readonly more: string;
  readonly help: string;
  readonly keys: readonly (readonly [keys: string, meaning: string])[];
  readonly log: string;
  readonly lineLink: (seq: number) => string;
  readonly announced: (count: number, errors: number, last: string) => string;
  readonly items: (count: number) => string;
  readonly fields: (count: number) => string;
}

const NUMBER = new Intl.NumberFormat("en-US");
export const number = (value: number): string => NUMBER.format(value);
const lines = (count: number): string => `${number(count)} ${count === 1 ? "line" : "lines"}`;
const because = (reason: string | null): string => (reason ? `: ${reason}` : "");
const range = (first: number, last: number): string => (first === last ? `line ${number(first)}` : `lines ${number(first)} to ${number(last)}`);

const REASONS: Readonly<Record<string, string>> = {
  removed: "they are no longer kept",
  unannounced: "they never came, and the gateway did not say why",
};

export const STRINGS: LogStrings = {
  lines,
  newLines: (count) => `${number(count)} new ${count === 1 ? "line" : "lines"}`,
  follow: "Follow",
  following: "Following",
  skipped: (count) => `${lines(count)} skipped in view to keep up`,
  backToSkipped: "show them",
  dismiss: "Dismiss",
  loading: "loading …",
  absent: "no longer kept",
  failedToLoad: "could not be loaded, trying again",
  empty: "No lines yet",
  gap: (first, last, lost, reason) => {
    const count = lost === null ? "an unknown number of lines is" : `${lines(lost)} ${lost === 1 ? "is" : "are"}`;
    return `${range(first, last)}: ${count} missing: ${REASONS[reason] ?? reason}`;
  },
  trimmed: (count) => `${lines(count)} before this one ${count === 1 ? "is" : "are"} no longer kept`,
  reset: (after, withdrawn, reason) => `${lines(withdrawn)} after line ${number(after)} withdrawn${because(reason)}; the log goes on with what the stream holds`,
  lost: (count, reason) => `${lines(count)} lost before they reached the log${because(reason)}`,
  status: (status, reason) => (status === "lost" ? `worker lost${because(reason?.replace(/^worker lost: ?/, "") || null)}` : `${status}${because(reason)}`),
  ended: (status) => `ended, ${status}`,
  complete: (records) => `complete, ${lines(records)}`,
  missing: (records, lost, ranges) => `ended, ${lines(records)}, ${lost === null ? "an unknown number" : number(lost)} missing${ranges ? `: ${ranges}` : ""}`,
  dropped: (count) => `${number(count)} dropped by the worker`,
  truncated: (field, bytes) => `${field} was cut: ${number(bytes)} bytes as written`,
  cutBetween: (gone, of) => `… ${number(gone)} of ${number(of)} bytes cut …`,
  step: (name) => name,
  attempt: (attempt, of) => `attempt ${attempt}${of === null ? "" : ` of ${of}`}`,
  waited: (duration) => `waited ${duration}`,
  took: (duration) => duration,
  linesFolded: (count) => `${lines(count)} folded`,
  fold: "Fold",
  unfold: "Unfold",
  foldSteps: "Fold all steps",
  unfoldSteps: "Unfold all steps",
  expand: "Show all of this record",
  collapse: "Show one line of this record",
  moreLines: (count) => `+${lines(count)}`,
  moreCharacters: (count) => `… ${number(count)} more characters`,
  showMore: "Show more",
  levels: { debug: "debug", info: "info", warning: "warning", error: "error" },
  shownOf: (shown, all, filter, exact) => `${number(shown)}${exact ? "" : "+"} of ${number(all)} shown — filter: ${filter}`,
  filteredBy: (levels, steps) => [levels, steps].filter(Boolean).join(" · "),
  clear: "clear",
  lookedBack: (seq) => `looked back to line ${number(seq)}`,
  lookFurther: "looking further back …",
  context: "Show in context",
  allSteps: "All steps",
  search: "Search",
  searchPlaceholder: "Search the whole log",
  searchNext: "Next match (n)",
  searchPrevious: "Previous match (N)",
  searchCount: (at, count, exact) => `${at === 0 ? "" : `${number(at)} of `}${number(count)}${exact ? "" : "+"}`,
  searchNone: (exact) => (exact ? "nothing found" : "nothing found yet"),
  searching: (percent) => `searching, ${percent} %`,
  searchBound: (count) => `stopped at ${number(count)} matches`,
  searchFailed: "the search was cut off",
  nextError: "Next error (e)",
  noError: (after) => `no error after line ${number(after)}`,
  close: "Close",
  selected: (count) => `${lines(count)} selected`,
  copy: "Copy",
  copyJson: "Copy JSON",
  copying: (done, count) => `copying ${number(done)} of ${lines(count)} …`,
  copied: (count) => `${lines(count)} copied`,
  copiedPart: (count, of) => `the first ${lines(count)} of ${number(of)} copied; a download has them all`,
  copyFailed: "could not be copied",
  download: "Download",
  downloadText: "Text, whole log",
  downloadJson: "NDJSON, whole log",
  downloadShown: "Text, as shown",
  raw: "Raw, in a tab",
  wrap: "Wrap",
  time: "Time",
  times: { local: "local time", utc: "UTC", ago: "ago", start: "since start", none: "no time" },
  more: "More",
  help: "Keys",
  keys: [
    ["/ or Ctrl+F", "search (Ctrl+F again: the browser's)"],
    ["n, N", "next and previous match"],
    ["e", "next error"],
    ["j, k", "next and previous line"],
    ["Shift+j, Shift+k", "select lines"],
    ["g, G", "first and last line"],
    ["f", "follow"],
    ["w", "wrap long lines"],
    ["t", "change how times are shown"],
    ["z", "fold or unfold all steps"],
    ["Enter", "show all of the current line"],
    ["c", "show the current line in context"],
    ["Ctrl+A, Ctrl+C", "select all, copy"],
    ["Esc", "close, clear"],
    ["?", "these keys"],
  ],
  log: "Log",
  lineLink: (seq) => `Line ${number(seq)}`,
  announced: (count, errors, last) => `${lines(count)} new${errors > 0 ? `, ${number(errors)} ${errors === 1 ? "error" : "errors"}` : ""}. ${last}`,
  items: (count) => `${number(count)} ${count === 1 ? "item" : "items"}`,
  fields: (count) => `${number(count)} ${count === 1 ? "field" : "fields"}`,
};
