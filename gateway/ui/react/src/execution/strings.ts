/** Every word of the page of one execution. */

import { spellDuration } from "../duration.ts";
import type { Concern } from "./concerns.ts";
import type { MergeWords } from "./merge.ts";
import type { Estimate } from "./remaining.ts";

export interface ExecutionStrings {
  readonly page: (id: string) => string;
  readonly title: (statusWord: string, name: string, percent: string | null) => string;
  readonly tabs: Readonly<Record<"plan" | "steps" | "time" | "values" | "notes" | "log", string>>;
  readonly tabsLabel: string;
  readonly stepStatus: Readonly<Record<string, string>>;
  readonly pastFailed: (message: string) => string;
  readonly loading: string;
  readonly absent: (id: string) => string;
  readonly watching: (count: number) => string;
  readonly failedIn: (step: string) => string;
  readonly failed: string;
  readonly toLine: (seq: number) => string;
  readonly wholeError: string;
  readonly concern: (concern: Concern) => string;
  readonly remaining: (estimate: Estimate, ms: number | null) => string;
  readonly remainingHow: (estimate: Estimate) => string;
  readonly stepsDone: (done: number, total: number) => string;
  readonly cancel: string;
  readonly cancelAsk: string;
  readonly cancelYes: string;
  readonly cancelNo: string;
  readonly cancelAsked: string;
  readonly cancelFailed: (message: string) => string;
  readonly share: string;
  readonly shareTitle: string;
  readonly shareText: (expires: string) => string;
  readonly shareMaking: string;
  readonly shareFailed: (message: string) => string;
  readonly shareLink: string;
  readonly close: string;
  readonly planLabel: string;
  readonly treeLabel: string;
  readonly noSteps: string;
  readonly noStepsYet: string;
  readonly planNote: (note: string) => string;
  /** Read out behind the step's name. */
  readonly stepSpoken: (facts: readonly string[]) => string;
  readonly after: (names: readonly string[]) => string;
  readonly attempt: (attempt: number, of: number | null) => string;
  readonly waited: (spelled: string) => string;
  readonly times: (count: number) => string;
  readonly parts: (count: number) => string;
  readonly errors: (count: number) => string;
  readonly warnings: (count: number) => string;
  readonly forgotten: (count: number) => string;
  readonly timeLabel: string;
  readonly timeEmpty: string;
  readonly noteAt: (text: string) => string;
  readonly progressLabel: (name: string) => string;
  readonly partOf: (done: string, total: string) => string;
  readonly valuesEmpty: string;
  readonly metrics: string;
  readonly partsTitle: string;
  readonly links: string;
  readonly chart: (name: string, value: string, least: string, most: string) => string;
  readonly leastMost: (least: string, most: string) => string;
  readonly value: (value: number, unit: string | null) => string;
  readonly notesLabel: string;
  readonly notesEmpty: string;
  readonly notesHow: string;
  readonly notesFailed: (message: string) => string;
  readonly noteAdd: string;
  readonly noteFor: (first: number, last: number) => string;
  readonly noteText: string;
  readonly noteAuthor: string;
  readonly notePost: string;
  readonly noteSave: string;
  readonly noteCancel: string;
  readonly noteEdit: string;
  readonly noteRemove: string;
  readonly noteRemoveAsk: string;
  readonly noteEdited: string;
  readonly noteBy: (author: string | null, when: string) => string;
  readonly noteFailed: (message: string) => string;
  readonly noteMark: (count: number, text: string) => string;
  readonly several: (count: number) => string;
  readonly sideBySide: string;
  readonly merged: string;
  readonly arrange: string;
  readonly mergedLabel: (count: number) => string;
  readonly mergedBound: (count: number) => string;
  readonly shown: (id: string) => string;
  readonly mergedNone: string;
  readonly mergedWords: MergeWords;
}

const NUMBER = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
const COUNT = new Intl.NumberFormat("en-US");
const VALUE = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 4 });

const plural = (count: number, one: string, more = `${one}s`): string => `${COUNT.format(count)} ${count === 1 ? one : more}`;
const lines = (first: number, last: number): string => (first === last ? `line ${COUNT.format(first)}` : `lines ${COUNT.format(first)}–${COUNT.format(last)}`);

function concern(told: Concern): string {
  switch (told.kind) {
    case "lost":
      return told.reason?.startsWith("worker lost") ? `W${told.reason.slice(1)}` : `Worker lost${told.reason ? `: ${told.reason}` : ""}`;
    case "silent": {
      const who = told.silent < told.open ? `${told.silent} of ${told.open} workers are silent` : "the worker has been silent";
      return told.ms === null || told.silent < told.open ? `Stalled: ${who}` : `Stalled: ${who} for ${spellDuration(told.ms)}`;
    }
    case "slow":
      return `${told.times >= 10 ? Math.floor(told.times) : told.times} × slower than usual: half of its last ${plural(told.usual.finished, "run")} took at most ${spellDuration(told.usual.medianMs)}`;
  }
}

/** Rounded as far as it can be trusted. */
function about(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${Math.round(seconds / 5) * 5} s`;
  if (seconds < 600) return `${Math.max(1, Math.round(seconds / 30) / 2)} min`.replace(".5", "½").replace(/^0½/, "½");
  return spellDuration(Math.round(seconds / 60) * 60_000).replace(/ 00 s$/, "");
}

function remaining(estimate: Estimate, ms: number | null): string {
  if (ms !== null) return ms < 10_000 ? "a few seconds left" : `about ${about(ms)} left`;
  return estimate.by === "nothing" && estimate.why === "longer" ? "longer than usual" : "time left unknown";
}

function remainingHow(estimate: Estimate): string {
  switch (estimate.by) {
    case "progress":
      return `From its progress: ${NUMBER.format(estimate.perSecond)} % a second over the last ${spellDuration(estimate.overMs)}`;
    case "usual":
      return `From its last ${plural(estimate.usual.finished, "run")}: half of them took at most ${spellDuration(estimate.usual.medianMs)}`;
    case "nothing":
      return {
        early: "Too early to tell from its progress",
        uneven: "Its progress is too uneven to tell",
        still: "Its progress stands still",
        none: "It tells no progress, and too few runs of its workflow are known",
        longer: "It tells no progress, and has taken longer than half of the runs before",
      }[estimate.why];
  }
}

export const EXECUTION_STRINGS: ExecutionStrings = {
  page: (id) => `Execution ${id}`,
  title: (word, name, percent) => `${word}${percent === null ? "" : ` ${percent}`} · ${name}`,
  tabs: { plan: "Plan", steps: "Steps", time: "Time line", values: "Values", notes: "Notes", log: "Log" },
  tabsLabel: "What to see of it",
  stepStatus: { pending: "not begun", running: "running", completed: "completed", failed: "failed", retried: "retried", skipped: "skipped", cancelled: "cancelled" },
  pastFailed: (message) => `Its steps so far could not be read (${message}); trying again. What comes now is shown.`,
  loading: "Reading its steps …",
  absent: (id) => `Waiting for ${id}: nothing has been published under this id yet.`,
  watching: (count) => `${count} watching`,
  failedIn: (step) => `Failed in ${step}`,
  failed: "Failed",
  toLine: (seq) => `Line ${COUNT.format(seq)}`,
  wholeError: "The whole error",
  concern,
  remaining,
  remainingHow,
  stepsDone: (done, total) => `${COUNT.format(done)} of ${plural(total, "step")}`,
  cancel: "Cancel",
  cancelAsk: "Ask it to stop?",
  cancelYes: "Yes, stop",
  cancelNo: "Let it run",
  cancelAsked: "Asked to stop",
  cancelFailed: (message) => `It was not asked to stop: ${message}`,
  share: "Share",
  shareTitle: "Share this execution",
  shareText: (expires) => `Whoever has this link can read this execution, and nothing else, until ${expires}.`,
  shareMaking: "Making a link …",
  shareFailed: (message) => `No link was made: ${message}`,
  shareLink: "Link",
  close: "Close",
  planLabel: "Plan: steps and what they come after",
  treeLabel: "Steps",
  noSteps: "It has no steps.",
  noStepsYet: "No step has begun yet.",
  planNote: (note) => `The plan is not sound: ${note}`,
  stepSpoken: (facts) => `, ${facts.join(", ")}`,
  after: (names) => (names.length > 4 ? `after ${names.length} steps` : `after ${names.join(", ")}`),
  attempt: (attempt, of) => `attempt ${attempt}${of === null ? "" : ` of ${of}`}`,
  waited: (spelled) => `waited ${spelled}`,
  times: (count) => `${COUNT.format(count)} times`,
  parts: (count) => plural(count, "part"),
  errors: (count) => plural(count, "error"),
  warnings: (count) => plural(count, "warning"),
  forgotten: (count) => `${plural(count, "older run")} of steps ${count === 1 ? "is" : "are"} not shown.`,
  timeLabel: "Time line of its steps",
  timeEmpty: "Nothing has begun yet.",
  noteAt: (text) => `Note: ${text}`,
  progressLabel: (name) => `Progress of ${name}`,
  partOf: (done, total) => `${done} of ${total}`,
  valuesEmpty: "It has told no metrics, links or progress of parts.",
  metrics: "Metrics",
  partsTitle: "Progress of parts",
  links: "Links",
  chart: (name, value, least, most) => `${name}: ${value} now, between ${least} and ${most}`,
  leastMost: (least, most) => `${least} to ${most}`,
  value: (value, unit) => `${VALUE.format(value)}${unit === null ? "" : ` ${unit}`}`,
  notesLabel: "Notes",
  notesEmpty: "Nobody has pinned a note yet.",
  notesHow: "Select a line of the log by its number (with Shift to another line: a range), then “Note”. Everybody who watches sees it at once.",
  notesFailed: (message) => `Notes could not be read: ${message}`,
  noteAdd: "Note",
  noteFor: (first, last) => `Note on ${lines(first, last)}`,
  noteText: "What is there to see?",
  noteAuthor: "Your name",
  notePost: "Pin it",
  noteSave: "Save",
  noteCancel: "Cancel",
  noteEdit: "Edit",
  noteRemove: "Remove",
  noteRemoveAsk: "Remove it?",
  noteEdited: "edited",
  noteBy: (author, when) => `${author ?? "somebody"}, ${when}`,
  noteFailed: (message) => `It was not kept: ${message}`,
  noteMark: (count, text) => (count === 1 ? `Note: ${text}` : `${count} notes: ${text}`),
  several: (count) => plural(count, "execution"),
  sideBySide: "Side by side",
  merged: "One log",
  arrange: "How to show them",
  mergedLabel: (count) => `Log of ${plural(count, "execution")}, merged`,
  mergedBound: (count) => `The newest ${plural(count, "line")} of all are shown.`,
  shown: (id) => `Lines of ${id}`,
  mergedNone: "No execution is chosen.",
  mergedWords: {
    gap: (first, last, lost, reason) => `${lines(first, last)} ${first === last ? "is" : "are"} missing${lost === null ? "" : ` (${COUNT.format(lost)})`}: ${reason}`,
    reset: (after, withdrawn, reason) => `${plural(withdrawn, "line")} after line ${COUNT.format(after)} withdrawn: ${reason}`,
    passed: (first, last) => `${lines(first, last)} came too fast to be shown here`,
  },
};
