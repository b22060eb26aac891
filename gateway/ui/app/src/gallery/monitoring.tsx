/** States of the list of executions, of figures, alerts, and of starting something. */

import { RequestFailed, type ExecutionState, type ListSnapshot } from "@runtail/client";
import {
  AlertBanner, ALL_EXECUTIONS, EmptyState, ExecutionsView, type Figures, FigureStrip, type ListQuery, RuntailProvider, StartDialog, STATUSES, type ToldAlert,
} from "@runtail/react";
import { type ReactElement, useState } from "react";
import { MemoryClient } from "./memory.ts";
import { ago, execution, NOW } from "./records.ts";
import type { GalleryGroup, GalleryState } from "./states.tsx";

const LONG = `import-of-everything-${"that-has-a-very-long-name-".repeat(8)}end`;
const ERROR = { seq: 1_180, step_name: "store", message: 'UniqueViolation: duplicate key value violates unique constraint "orders_pkey"', at: ago(30) };
const isOver = (status: string): boolean => ["completed", "failed", "cancelled"].includes(status);

const SOME: readonly ExecutionState[] = [
  ...STATUSES.map((status, n) =>
    execution(`${status}-${n + 1}`, {
      status: status === "stalled" ? "running" : status,
      workers: { open: 1, silent: status === "stalled" ? 1 : 0 },
      created_at: ago(60 * n + 30), started_at: ago(60 * n + 29), ended_at: isOver(status) ? ago(20 * n) : null,
      ...(status === "failed" ? { last_error: ERROR, notes: 2 } : {}),
      ...(status === "cancelled" ? { reason: "asked for by \u202Enomis\u202C <b>himself</b>" } : {}),
    }),
  ),
  execution("slow-1", { created_at: ago(900), started_at: ago(900), notes: 1 }),
  execution("no-progress", { progress: null, workflow_id: null, created_at: ago(950), started_at: ago(950), last_error: { ...ERROR, step_name: null } }),
  execution(LONG, { workflow_id: LONG, created_at: ago(100_000), started_at: ago(100_000), last_error: { ...ERROR, message: ERROR.message.repeat(4) } }),
];

/** *count* executions, a few of them failed. */
const many = (count: number): readonly ExecutionState[] =>
  Array.from({ length: count }, (_, n) => {
    const status = n < 12 ? "running" : n % 17 === 0 ? "failed" : "completed";
    const began = ago(n * 20 + 5);
    return execution(`nightly-${String(count - n).padStart(5, "0")}`, {
      status, workflow_id: ["nightly-import", "report", "train"][n % 3]!, created_at: began, started_at: began, ended_at: status === "running" ? null : ago(Math.max(0, n * 20 - 60)),
      progress: (n * 37) % 100, last_seq: 100 + ((n * 73) % 5_000), ...(status === "failed" ? { last_error: ERROR } : {}),
    });
  });

const USUAL: ReadonlyMap<string, number> = new Map([["nightly-import", 290_000]]);

function List({ client, query: first = ALL_EXECUTIONS }: { readonly client: MemoryClient; readonly query?: ListQuery }): ReactElement {
  const [query, setQuery] = useState(first);
  return (
    <RuntailProvider client={client}>
      <div className="gallery-list">
        <ExecutionsView query={query} onQuery={setQuery} hrefOf={(id) => `#${id}`} onOpen={() => {}} onOpenSeveral={() => {}} usual={USUAL} empty={<EmptyState gateway="https://logs.example.org/runtail" />} />
      </div>
    </RuntailProvider>
  );
}

function list(id: string, title: string, executions: readonly ExecutionState[], changed: Partial<ListSnapshot> = {}, query: Partial<ListQuery> = {}): GalleryState {
  let client: MemoryClient | null = null;
  return { id, title, show: () => <List client={(client ??= new MemoryClient([], executions, changed))} query={{ ...ALL_EXECUTIONS, ...query }} /> };
}

const FIGURES: Figures = {
  since: ago(3_600), until: ago(0), counted: 812, complete: false, success_rate: 0.964, records_per_second: 183.4,
  per_minute: Array.from({ length: 60 }, (_, n) => ({
    minute: ago(3_600 - 60 * n), started: (n * 7) % 5, completed: (n * 5) % 4, failed: n % 13 === 0 ? 1 : 0, cancelled: n % 29 === 0 ? 1 : 0,
  })),
  workflows: ["nightly-import", "report", LONG].map((workflow_id, n) => ({
    workflow_id, finished: 40 + 31 * n, failed: 3 * n, success_rate: 0.9, p50_ms: 61_000 * (n + 1), p95_ms: n === 1 ? null : 240_000,
    history: Array.from({ length: 30 - 9 * n }, (_, k) => ({ id: `${n}-${k}`, ended_at: ago(k * 60), duration_ms: 20_000 + ((k * 7_919) % 60_000), status: k % 11 === 5 ? "failed" : "completed" })),
  })),
  steps: ["load", "store", "check"].map((step_name, n) => ({ workflow_id: "nightly-import", step_name, runs: 50, failed: 4 * n, p50_ms: 12_000 - 900 * n, p95_ms: 22_000 })),
};

function Strip({ figures, trouble = null, open = false }: { readonly figures: Figures | null; readonly trouble?: string | null; readonly open?: boolean }): ReactElement {
  const [shown, setShown] = useState(open);
  return <FigureStrip figures={figures} trouble={trouble} running={12} open={shown} onOpen={setShown} onWorkflow={() => {}} />;
}

const alert = (kind: ToldAlert["kind"], id: string, lines: readonly string[] = []): ToldAlert => ({ id, kind, lines, state: execution(id, { last_error: kind === "failed" ? ERROR : null }) });

function Alerts(): ReactElement {
  const [alerts, setAlerts] = useState<readonly ToldAlert[]>([
    alert("failed", "nightly-00421", ["page 17 of 20: 129 orders", "retrying once", "giving up"]), alert("stalled", LONG), alert("lost", "report-7"), alert("failed", "train-1"), alert("failed", "train-2"),
  ]);
  return <AlertBanner alerts={alerts} dismiss={(id) => setAlerts(id === null ? [] : alerts.filter((one) => one.id !== id))} hrefOf={(id) => `#${id}`} onOpen={() => {}} />;
}

/** A gateway that finds two things wrong with whatever it is sent. */
function objecting(): MemoryClient {
  const client = new MemoryClient([]);
  client.rest.others = () => {
    const errors = [{ path: "steps[3].after[1]", message: "is 'check', expected a step of this workflow" }, { path: "steps[1].seconds", message: "is 900, expected at most 600" }];
    throw new RequestFailed({ status: 400, code: "bad_request", detail: "the definition makes no sense", errors });
  };
  return client;
}

const start: GalleryState = {
  id: "start", title: "Starting an execution", page: true,
  show: () => (
    <RuntailProvider client={objecting()}>
      <main className="gallery gallery-one">
        <h1>Starting an execution</h1>
        <StartDialog onClose={() => {}} onStarted={() => {}} />
      </main>
    </RuntailProvider>
  ),
};

export const MONITORING: readonly GalleryGroup[] = [
  {
    title: "ExecutionsView",
    states: [
      list("list-states", "Every status, errors, notes, slower than usual", SOME),
      list("list-many", "Ten thousand", many(10_000)),
      list("list-empty", "Nothing was ever run", []),
      list("list-loading", "It is being read", [], { loaded: false, connectionStatus: "connecting", link: { phase: "connecting", attempt: 0 } }),
      list("list-none", "Nothing passes the filter", SOME, {}, { status: ["cancelled"], text: "no such thing" }),
      list("list-cut", "The link is cut", SOME, { connectionStatus: "connecting", link: { phase: "retrying", attempt: 3, retryAt: NOW + 5_000, code: 1006 } }),
    ],
  },
  {
    title: "FigureStrip",
    states: [
      { id: "figures", title: "Figures", show: () => <Strip figures={FIGURES} /> },
      { id: "figures-open", title: "With workflows and steps", show: () => <Strip figures={FIGURES} open /> },
      { id: "figures-waiting", title: "Before they come", show: () => <Strip figures={null} /> },
      { id: "figures-stale", title: "Not up to date", show: () => <Strip figures={FIGURES} trouble="the engine is away" /> },
    ],
  },
  { title: "AlertBanner", states: [{ id: "alerts", title: "Failed, stalled, lost, and more", show: () => <Alerts /> }] },
  { title: "StartDialog", states: [start] },
];
