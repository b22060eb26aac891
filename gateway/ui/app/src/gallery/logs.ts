/** The logs that the gallery shows. */

import type { ExecutionLog, Gap, Level, Link, LogRecord, LogSnapshot, Reset, Totals } from "@runtail/client";
import { MemoryLog } from "./memory.ts";
import { type Draft, execution, log, NOW, numbered, ordinary, step, TRACEBACK } from "./records.ts";

type Changed = Partial<LogSnapshot>;

/** How many logs of each level are among *records*. */
function levelsOf(records: readonly LogRecord[]): Partial<Record<Level, number>> {
  const counts: Partial<Record<Level, number>> = {};
  for (const { level } of records as readonly ExecutionLog[]) if (level !== undefined) counts[level] = (counts[level] ?? 0) + 1;
  return counts;
}

/** A live log of *drafts*; heard 4 s ago. */
function live(id: string, drafts: readonly Draft[], changed: Changed = {}, first = 1): MemoryLog {
  const records = numbered(id, drafts, first);
  return new MemoryLog(id, records, {
    execution: execution(id, { levels: levelsOf(changed.records ?? records) }),
    lastHeardAt: NOW - 4_000,
    lastRecordAt: NOW - 2_000,
    ...changed,
  });
}

/** What *changed* of a connection makes of an ordinary log. */
const linked = (id: string, connectionStatus: LogSnapshot["connectionStatus"], link: Link, changed: Changed = {}): MemoryLog =>
  live(id, ordinary(40), { connectionStatus, link, ...changed });

function totals(records: readonly LogRecord[], changed: Partial<Totals> = {}): Totals {
  const last = records.at(-1)?.seq ?? 0;
  return { first: records[0]?.seq ?? 0, last, records: last, levels: levelsOf(records), dropped: 0, bytes: last * 180, ...changed };
}

/** A log that is over. */
function over(id: string, status: "completed" | "failed" | "cancelled", drafts: readonly Draft[], changed: Changed = {}): MemoryLog {
  const all = [...drafts, { kind: "status", status, reason: null }, { kind: "end", status }];
  const records = numbered(id, all);
  const sum = totals(records);
  const ended = records.map((record, at) => (at === records.length - 1 ? ({ ...record, totals: sum } as LogRecord) : record));
  return new MemoryLog(id, ended, {
    connectionStatus: "disconnected",
    link: { phase: "ended" },
    execution: execution(id, { status, ended_at: new Date(NOW - 2_000).toISOString(), progress: status === "completed" ? 100 : 42, ended: true, levels: sum.levels }),
    totals: sum,
    completeness: { state: "complete", records: sum.records },
    lastHeardAt: NOW - 2_000,
    lastRecordAt: NOW - 2_000,
    ...changed,
  });
}

const gap = (afterSeq: number, beforeSeq: number, lost: number | null, reason: string): Gap => ({ type: "gap", afterSeq, beforeSeq, lost, proved: true, reason });
const reset = (afterSeq: number, withdrawn: number, reason: string): Reset => ({ type: "reset", afterSeq, withdrawn, reason });

/** Two stretches of a log with nothing between them. */
function holed(id: string, lost: number | null, changed: Changed = {}): MemoryLog {
  const before = numbered(id, ordinary(12), 1);
  const after = numbered(id, ordinary(20), 113);
  return live(id, [], { records: [...before, ...after], windowFirst: 1, firstSeq: 1, lastSeq: 132, notices: [gap(12, 113, lost, "removed")], ...changed });
}

const keys = (count: number): Record<string, unknown> => Object.fromEntries(Array.from({ length: count }, (_, i) => [`key_${i}`, { value: i, ok: i % 3 === 0 }]));

function deep(levels: number): unknown {
  let data: unknown = "the bottom";
  for (let i = levels; i > 0; i -= 1) data = { [`level_${i}`]: data };
  return data;
}

const STEPS: readonly Draft[] = [
  { kind: "plan", steps: [{ name: "extract" }, { name: "transform", after: ["extract"] }, { name: "load", after: ["transform"] }] },
  step("extract", "running", { step_type: "http", attempt: 1, attempts: 3, waited_ms: 1_200 }),
  log("asking the interface for yesterday's orders", { step_name: "extract", input_data: { url: "https://example.org/orders?day=2026-11-24" } }),
  step("extract", "retried", { attempt: 1, attempts: 3, duration_ms: 5_000, reason: "503 Service Unavailable" }),
  step("extract", "running", { attempt: 2, attempts: 3, waited_ms: 800 }),
  ...ordinary(14, "extract"),
  step("extract", "completed", { attempt: 2, attempts: 3, duration_ms: 4_210, output_data: { rows: 5_180 } }),
  step("transform", "skipped", { reason: "nothing new since yesterday" }),
  { kind: "link", name: "dashboard", url: "https://example.org/d/orders" },
  { kind: "metric", name: "rows_per_second", value: 1_232.5, unit: "1/s" },
  step("load", "running", { step_type: "sql" }),
  ...ordinary(9, "load"),
];

const FAILED: readonly Draft[] = [
  ...STEPS,
  log("the store refused a row", { level: "error", step_name: "load", error_message: TRACEBACK }),
  step("load", "failed", { duration_ms: 2_310, error_message: TRACEBACK, reason: "UniqueViolation" }),
];

const BIDI: readonly Draft[] = [
  log("user \u202Egnp.exe\u202C wants in, and \u2066an isolate that never ends"),
  log("عربي ثم English ثم عربي 123"),
  log("שלום, line of a worker in Haifa", { level: "warning" }),
  log("zero\u200Bwidth, \u0000 null, \u0007 bell, \u009B31m C1, \uFEFF mark"),
  log("combining: Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘"),
  log("emoji: 👩‍👩‍👧‍👦 🏳️‍🌈 and a lone surrogate \uD83D"),
];

const MARKUP: readonly Draft[] = [
  log('<img src=x onerror="alert(1)"> <script>alert(2)</script>'),
  log("&lt;b&gt; stays as written, and so does <b>bold</b>"),
  log("[a link](javascript:alert(3)) javascript:alert(4) https://example.org/a?b=c&d=<e>"),
  { kind: "link", name: "<i>not a tag</i>", url: "javascript:alert(5)" },
  { kind: "link", name: "dashboard", url: "https://example.org/d/1" },
  step('<svg onload="alert(6)">', "running"),
  log("inside a step with markup in its name", { step_name: '<svg onload="alert(6)">' }),
];

const ANSI: readonly Draft[] = [
  log("\u001B[32mPASSED\u001B[0m test_a \u001B[1;31mFAILED\u001B[0m test_b \u001B[33;4mwarned\u001B[0m \u001B[38;5;208m256 colours\u001B[0m"),
  log("\u001B[48;2;30;60;90m\u001B[38;2;255;255;255m true colour \u001B[0m and \u001B]0;a title\u0007\u001B[2J what may not act"),
  log("\u001B[7minverse\u001B[0m \u001B[2mfaint\u001B[0m \u001B[3mitalic\u001B[0m \u001B[9mstruck\u001B[0m"),
];

const TRUNCATED: readonly Draft[] = [
  ...ordinary(3),
  log(`${"SELECT * FROM orders WHERE id IN (".padEnd(400, "4711, ")} … [1048154 of 1048576 bytes cut] … ) ORDER BY created_at`, { truncated: { message: 1_048_576 } }),
  log("what comes after it is whole", {}),
];

const BIG_LINE = `begins here ${"0123456789abcdef".repeat(65_536)} ends here`;

const LOST: readonly Draft[] = [
  ...ordinary(6),
  { kind: "lost", lost: 1_312, reason: "the buffer was full", publisher: "worker-3" },
  ...ordinary(4),
  { kind: "status", status: "lost", reason: "worker lost: silent for 15 s", publisher: "worker-3" },
];

const FILTERED: readonly Draft[] = Array.from({ length: 812 }, (_, i) => log(`page ${i + 1} stored`, { level: "debug" }));

/** Every log, made when it is shown: some are large. */
export const LOGS = {
  live: () => live("nightly-import-20261125-115500-7k3f9q", ordinary(60)),
  steps: () => live("steps", STEPS),
  waiting: () => live("waiting", [], { execution: execution("waiting", { status: "pending", progress: null, started_at: null }) }),
  unknownProgress: () => live("unknown-progress", ordinary(20), { execution: execution("unknown-progress", { progress: null }) }),
  connecting: () => live("connecting", [], { connectionStatus: "connecting", link: { phase: "connecting", attempt: 0 }, execution: null, workers: null }),
  replaying: () => linked("replaying", "connected", { phase: "replaying", upTo: 12_431 }),
  retrying: () => linked("retrying", "connecting", { phase: "retrying", attempt: 3, retryAt: NOW + 5_000, code: 4330 }, { error: { code: "unavailable", message: "the engine does not answer" } }),
  signedOut: () => linked("signed-out", "error", { phase: "signed_out", code: 4402, message: "the token expired at 11:58" }),
  refused: () => live("refused", [], { connectionStatus: "error", link: { phase: "refused", code: 4404, reason: "not_found", message: "there is no execution refused" }, execution: null, workers: null }),
  workerSilent: () => linked("worker-silent", "connected", { phase: "live" }, { workers: { open: 1, silent: 1 } }),
  completed: () => over("completed", "completed", ordinary(30)),
  failed: () => over("failed", "failed", FAILED, {}),
  missing: () => {
    const log = holed("missing", 100, { connectionStatus: "disconnected", link: { phase: "ended" } });
    log.change({ completeness: { state: "missing", records: 132, lost: 100, ranges: [[13, 112]] }, execution: execution("missing", { status: "cancelled", ended_at: new Date(NOW).toISOString() }) });
    return log;
  },
  gap: () => holed("gap", 100),
  gapUnknown: () => holed("gap-unknown", null),
  reset: () => live("reset", ordinary(30), { notices: [reset(18, 7, "failover")], resets: 1 }),
  lost: () => live("lost", LOST, { execution: execution("lost", { status: "lost", reason: "worker lost: silent for 15 s" }), workers: { open: 1, silent: 1 } }),
  truncated: () => live("truncated", TRUNCATED),
  trimmed: () => live("trimmed", ordinary(30), { firstSeq: 50_001, windowFirst: 50_001 }, 50_001),
  bigLine: () => live("big-line", [...ordinary(3), log(BIG_LINE), ...ordinary(2)]),
  bidi: () => live("bidi", BIDI),
  markup: () => live("markup", MARKUP),
  ansi: () => live("ansi", ANSI),
  wide: () => live("wide", [log("10,000 keys", { output_data: keys(10_000) })]),
  deep: () => live("deep", [log("10,000 deep", { output_data: deep(10_000) })]),
  longLines: () => live("long-lines", [log("short"), log(`one ${"very long line ".repeat(60)}end`), log("short again")]),
  filtered: () => live("filtered", FILTERED),
} as const satisfies Readonly<Record<string, () => MemoryLog>>;
