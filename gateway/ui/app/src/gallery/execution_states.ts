/** Executions for the page of one: what their overview tells, without a gateway. */

import type { ExecutionState, LogSnapshot, Note, NotesSnapshot, NotesStore } from "@runtail/client";
import type { ExecutionServices } from "@runtail/react";
import { MemoryClient, MemoryLog } from "./memory.ts";
import { ago, type Draft, execution, log, NOW, numbered, ordinary, TRACEBACK } from "./records.ts";

type Overview = Awaited<ReturnType<ReturnType<ExecutionServices["overview"]>>>;
type Run = Overview["runs"][number];

/** What one execution of the gallery is. */
export interface Sample {
  readonly state: ExecutionState;
  readonly overview: Partial<Overview>;
  readonly lines: readonly Draft[];
  readonly notes?: readonly Note[];
  readonly usual?: { readonly medianMs: number; readonly finished: number };
  readonly changed?: Partial<LogSnapshot>;
}

/** A run that began *from* and ended *until* seconds ago (null: it goes on). */
function ran(name: string, status: string, from: number, until: number | null, more: Partial<Run> = {}): Run {
  return {
    step_id: name, step_name: name, step_type: null, parent_step_id: null, status, started_at: ago(from), ended_at: until === null ? null : ago(until),
    duration_ms: until === null ? null : (from - until) * 1000, waited_ms: null, attempt: null, attempts: null,
    first_seq: Math.round((300 - from) * 4) + 1, last_seq: Math.round((300 - (until ?? 0)) * 4), error_message: null, ...more,
  };
}

const planned = (name: string, ...after: string[]) => ({ name, after });

const TWELVE = [
  planned("fetch orders"), planned("fetch customers"), planned("fetch prices"), planned("clean orders", "fetch orders"),
  planned("clean customers", "fetch customers"), planned("join", "clean orders", "clean customers"), planned("convert currencies", "join", "fetch prices"),
  planned("score", "convert currencies"), planned("find outliers", "convert currencies"), planned("report", "score", "find outliers"),
  planned("publish", "report"), planned("notify", "publish", "find outliers"),
];

const TWELVE_RUNS: readonly Run[] = [
  ran("fetch orders", "completed", 298, 240, { waited_ms: 2_000 }), ran("fetch customers", "completed", 298, 262, { waited_ms: 2_000 }),
  ran("fetch prices", "completed", 290, 281, { waited_ms: 10_000 }), ran("clean orders", "completed", 239, 190),
  ran("clean customers", "completed", 261, 236), ran("join", "completed", 189, 150, { waited_ms: 1_200 }),
  ran("convert 1", "retried", 149, 131, { step_id: "c1", step_name: "convert currencies", attempt: 1, attempts: 3 }),
  ran("convert 2", "completed", 127, 100, { step_id: "c2", step_name: "convert currencies", attempt: 2, attempts: 3 }),
  ran("score", "running", 98, null, { step_type: "model" }), ran("find outliers", "running", 99, null, { waited_ms: 800 }),
  ran("window 1", "completed", 97, 70, { parent_step_id: "find outliers" }), ran("window 2", "completed", 70, 31, { parent_step_id: "find outliers" }),
  ran("window 3", "running", 31, null, { parent_step_id: "find outliers" }),
];

const counted = (name: string, records: number, levels: object) => ({
  step_name: name, step_type: null, status: "", runs: 1, attempts: 1, started_at: null, ended_at: null, duration_ms: null, waited_ms: null, records, levels,
});

const wave = (n: number, of: (i: number) => number): (readonly [number, number])[] => Array.from({ length: n }, (_, i) => [NOW - 1000 * 2 * (n - i), of(i)] as const);

const RUNNING: Partial<Overview> = {
  plan: { steps: TWELVE },
  runs: TWELVE_RUNS,
  steps: [counted("clean orders", 240, { warning: 3 }), counted("convert currencies", 81, { error: 1, warning: 1 })],
  progress: wave(130, (i) => 8 + i / 2),
  links: [{ name: "dashboard", url: "https://grafana.example/d/orders" }, { name: "pull request 4711", url: "https://git.example/shop/etl/pull/4711" }, { name: "odd", url: "javascript:alert(1)" }],
  metrics: [
    { name: "rows_per_second", unit: "rows/s", samples: wave(120, (i) => 900 + 300 * Math.sin(i / 9) + ((i * 37) % 50)) },
    { name: "memory", unit: "MB", samples: wave(120, (i) => 210 + i * 1.4) },
    { name: "queue", unit: null, samples: wave(120, (i) => Math.max(0, 40 - i / 2) + (i % 7)) },
    { name: "workers", unit: null, samples: wave(3, () => 4) },
  ],
  parts: [{ name: "orders", progress: 100, done: 84_000, total: 84_000 }, { name: "outliers", progress: 62, done: 31, total: 50 }, { name: "model", progress: null }],
};

const FAILED_RUNS = [...TWELVE_RUNS.slice(0, 8), ran("score", "failed", 98, 61, { step_type: "model", last_seq: 957, error_message: TRACEBACK }), ran("find outliers", "cancelled", 99, 60)];

const LINES = ordinary(300, "score");

const note = (id: string, seq: number, text: string, author: string, more: Partial<Note> = {}): Note => ({
  id, seq, to_seq: null, text, author, created_at: ago(60), edited_at: null, removed: false, ...more,
});

const NOTES = [
  note("1", 962, "Prices are in cents from here on: see pull request 4711.", "Maria"),
  note("2", 1_190, "Slower than yesterday?\nThe model is the new one.", "Jo", { to_seq: 1_196, edited_at: ago(20) }),
];

const HUNDRED = Array.from({ length: 100 }, (_, i) => {
  const layer = Math.floor(i / 8);
  const after = layer === 0 ? [] : [`task ${(layer - 1) * 8 + (i % 8) + 1}`, `task ${(layer - 1) * 8 + ((i * 3 + 1) % 8) + 1}`];
  return { name: `task ${i + 1}`, after: [...new Set(after)] };
});

const TREE: readonly Run[] = [
  ran("region north", "completed", 290, 180), ran("extract", "completed", 289, 250, { step_id: "n1", parent_step_id: "region north" }), ran("load", "completed", 249, 181, { step_id: "n2", parent_step_id: "region north" }),
  ran("region south", "running", 178, null), ran("extract", "completed", 177, 120, { step_id: "s1", parent_step_id: "region south" }),
  ran("load", "running", 119, null, { step_id: "s2", parent_step_id: "region south" }), ran("page 1", "completed", 118, 60, { parent_step_id: "s2" }), ran("page 2", "running", 60, null, { parent_step_id: "s2" }),
];

export const SAMPLES = {
  running: { state: execution("running", { progress: 73, cancellable: true, workflow_id: "nightly-import", last_seq: 1_200 }), overview: RUNNING, lines: LINES, notes: NOTES, changed: { viewers: 3 } },
  failed: {
    state: execution("failed", { status: "failed", ended_at: ago(60), progress: 61, reason: "UniqueViolation: duplicate key value violates unique constraint" }),
    overview: { ...RUNNING, runs: FAILED_RUNS },
    lines: [...ordinary(50, "score"), log("row 4711 was not stored", { level: "error", step_name: "score", error_message: TRACEBACK })],
    notes: NOTES.slice(0, 1),
    changed: { link: { phase: "ended" }, connectionStatus: "disconnected", viewers: 1 },
  },
  completed: {
    state: execution("completed", { status: "completed", ended_at: ago(3), progress: 100 }),
    overview: { ...RUNNING, runs: TWELVE.map(({ name }, i) => ran(name, "completed", 298 - 24 * i, 276 - 24 * i, i % 4 === 1 ? { waited_ms: 9_000 } : {})) },
    lines: LINES,
    changed: { link: { phase: "ended" }, connectionStatus: "disconnected" },
  },
  tree: { state: execution("tree", { progress: null }), overview: { runs: TREE }, lines: LINES, usual: { medianMs: 420_000, finished: 31 } },
  one: { state: execution("one", { progress: null }), overview: { plan: { steps: [planned("load")] }, runs: [ran("load", "running", 290, null)] }, lines: LINES },
  hundred: {
    state: execution("hundred", { progress: 40 }),
    overview: { plan: { steps: HUNDRED }, runs: HUNDRED.slice(0, 44).map(({ name }, i) => ran(name, i < 36 ? (i === 20 ? "failed" : "completed") : "running", 290 - i * 5, i < 36 ? 270 - i * 5 : null)) },
    lines: LINES,
  },
  stalled: { state: execution("stalled", { progress: 42 }), overview: RUNNING, lines: LINES, changed: { workers: { open: 1, silent: 1 }, lastRecordAt: NOW - 40_000 } },
  slow: { state: execution("slow", { progress: null }), overview: { runs: TREE }, lines: LINES, usual: { medianMs: 100_000, finished: 48 } },
  lost: { state: execution("lost", { status: "lost", reason: "worker lost: silent for 15 s" }), overview: RUNNING, lines: LINES, changed: { workers: { open: 1, silent: 1 } } },
  asked: { state: execution("asked", { cancellable: true, cancel_requested: true, progress: 42 }), overview: RUNNING, lines: LINES },
  young: { state: execution("young", { status: "pending", started_at: null, progress: null, created_at: ago(4) }), overview: {}, lines: [] },
  odd: {
    state: execution("\u202Ereversed <b>id</b>", { workflow_id: "w".repeat(200), progress: 3 }),
    overview: {
      plan: { steps: [planned("a <script>", "b"), planned("b", "a <script>"), planned("x".repeat(150), "nowhere")], note: "a <script> and b come after each other" },
      runs: [ran("a <script>", "hibernating", 200, null), ran("y".repeat(300), "running", 100, null)],
    },
    lines: LINES,
  },
} as const satisfies Readonly<Record<string, Sample>>;

class MemoryNotes implements NotesStore {
  readonly #snapshot: NotesSnapshot;
  constructor(notes: readonly Note[]) {
    this.#snapshot = { version: 1, notes, loaded: true, refused: null };
  }
  getSnapshot = (): NotesSnapshot => this.#snapshot;
  subscribe = (): (() => void) => () => {};
  add = async (): Promise<never> => Promise.reject(new Error("the gallery keeps nothing"));
  edit = async (): Promise<never> => Promise.reject(new Error("the gallery keeps nothing"));
  remove = async (): Promise<void> => Promise.reject(new Error("the gallery keeps nothing"));
}

/** Services that tell of *samples*, each under its own id. */
export function servicesFor(samples: readonly Sample[]): { readonly client: MemoryClient; readonly services: ExecutionServices } {
  const byId = new Map(samples.map((sample) => [sample.state.id, sample]));
  const logs = samples.map(({ state, lines, changed = {} }) => new MemoryLog(state.id, numbered(state.id, lines, 901), { execution: state, lastRecordAt: NOW - 2_000, firstSeq: 1, ...changed }));
  const client = new MemoryClient(logs);
  const of = (id: string): Sample => byId.get(id) ?? samples[0]!;
  const services: ExecutionServices = {
    rest: client.rest,
    log: (id) => client.log(id),
    overview: (id) => async () => ({
      plan: null, steps: [], runs: [], links: [], metrics: [], progress: [], parts: [], last_error: null, more: false,
      cursor: `0-0:${900 + of(id).lines.length}:-`, ...of(id).overview,
    }),
    state: async (id) => of(id).state,
    usual: async () => [...byId.values()].find(({ usual }) => usual !== undefined)?.usual ?? null,
    notes: async (id) => new MemoryNotes(of(id).notes ?? []),
    share: async (id) => ({ href: `https://logs.example/monitoring/executions/${id}?share=eyJleGVjdXRpb24iOiJhIn0`, expiresAt: new Date(NOW + 86_400_000).toISOString() }),
    cancel: async () => {},
    authors: { author: () => ({ name: "Maria", key: "k" }), rename: () => {}, wrote: (id) => id === "1", remember: () => {} },
  };
  return { client, services };
}

