/** Every state of every component, the ugly ones too. */

import {
  ExecutionLogViewer, type ExecutionLogViewerProps, type MonitoredExecution, RealtimeMonitoringDemo, RuntailProvider, StatusBadge, STATUSES, StatusDot, WorkflowExecutionMonitor,
} from "@runtail/react";
import type { ExecutionState, Link } from "@runtail/client";
import type { ReactElement } from "react";
import { DRIVEN } from "./driven.tsx";
import { EXECUTION_PAGES } from "./executions.tsx";
import { LOGS } from "./logs.ts";
import { MemoryClient, MemoryLog } from "./memory.ts";
import { MONITORING } from "./monitoring.tsx";
import { ago, execution, NOW } from "./records.ts";

export interface GalleryState {
  /** Names it in the address: `?only=<id>`. */
  readonly id: string;
  readonly title: string;
  readonly show: () => ReactElement;
  /** It is as large as a page: shown on one of its own. */
  readonly page?: boolean;
}

export interface GalleryGroup {
  readonly title: string;
  readonly states: readonly GalleryState[];
}

const LINKS: readonly (readonly [string, "connected" | "connecting" | "disconnected" | "error", Link, number])[] = [
  ["connecting", "connecting", { phase: "connecting", attempt: 0 }, 0],
  ["reconnecting", "connecting", { phase: "connecting", attempt: 2 }, 40],
  ["retrying", "connecting", { phase: "retrying", attempt: 3, retryAt: NOW + 5_000, code: 1006 }, 40],
  ["replaying", "connected", { phase: "replaying", upTo: 12_431 }, 40],
  ["waiting", "connected", { phase: "live" }, 0],
  ["live", "connected", { phase: "live" }, 1],
  ["quiet", "connected", { phase: "live" }, 40],
  ["signed-out", "error", { phase: "signed_out", code: 4401, message: "no token" }, 40],
  ["refused", "error", { phase: "refused", code: 4403, reason: "forbidden", message: "the token does not allow it" }, 40],
  ["ended", "disconnected", { phase: "ended" }, 40],
  ["closed", "disconnected", { phase: "closed" }, 0],
];

function Dots(): ReactElement {
  return (
    <ul className="gallery-dots">
      {LINKS.map(([name, connectionStatus, link, lastSeq]) => (
        <li key={name} data-name={name}>
          <StatusDot
            connectionStatus={connectionStatus}
            link={link}
            lastSeq={lastSeq}
            lastHeardAt={NOW - 4_000}
            lastRecordAt={name === "live" ? NOW : NOW - 60_000}
            workers={{ open: 1, silent: 0 }}
            completeness={{ state: "complete", records: 12_431 }}
          />
        </li>
      ))}
    </ul>
  );
}

function Badges(): ReactElement {
  return (
    <p className="gallery-badges">
      {[...STATUSES, "hibernating", "\u202Edesrever"].map((status) => (
        <StatusBadge key={status} status={status} />
      ))}
    </p>
  );
}

const LONG_ID = `import-of-everything-${"that-has-a-very-long-name-".repeat(8)}end`;

const MONITORED: readonly (readonly [string, MonitoredExecution])[] = [
  ...STATUSES.map((status): readonly [string, MonitoredExecution] => [
    status,
    // The five fields that were asked for, and no more.
    { id: `${status}-1`, workflow_id: "nightly-import", status, created_at: ago(185), progress: status === "pending" ? null : 42 },
  ]),
  ["unknown-progress", execution("unknown-progress", { progress: null })],
  ["no-time", { id: "no-time", workflow_id: null, status: "running", created_at: "yesterday", progress: 5 }],
  ["long-id", execution(LONG_ID, { workflow_id: LONG_ID })],
  ["long-reason", execution("long-reason", { status: "failed", ended_at: ago(1), reason: `UniqueViolation: ${"duplicate key value violates unique constraint ".repeat(6)}` })],
  ["bidi-reason", execution("bidi-reason", { status: "cancelled", ended_at: ago(1), reason: "asked for by \u202Enomis\u202C <b>himself</b>" })],
  ["unknown-word", { id: "unknown-word", workflow_id: "x", status: "hibernating", created_at: ago(5), progress: null }],
];

function Monitors(): ReactElement {
  return (
    <div className="gallery-stack">
      {MONITORED.map(([name, one]) => (
        <WorkflowExecutionMonitor key={name} execution={one} />
      ))}
    </div>
  );
}

/** A viewer of *log*, with whatever else is asked of it by REST answered from the same records. */
function viewer(id: keyof typeof LOGS, title: string): GalleryState {
  return { id: `viewer-${id}`, title, show: () => <OneViewer make={LOGS[id]} /> };
}

const made = new WeakMap<() => MemoryLog, MemoryLog>();

function OneViewer({ make, ...viewing }: Pick<ExecutionLogViewerProps, "line" | "filter"> & { readonly make: () => MemoryLog }): ReactElement {
  const log = made.get(make) ?? make();
  made.set(make, log);
  const rest = new MemoryClient([log]).rest;
  return (
    <div className="gallery-log">
      <ExecutionLogViewer log={log} rest={rest} onSignIn={() => {}} {...viewing} />
    </div>
  );
}

const isFinal = (status: string): boolean => ["completed", "failed", "cancelled"].includes(status);

const LISTED: readonly ExecutionState[] = [
  ...STATUSES.map((status, at) =>
    execution(`${status}-${at + 1}`, {
      status: status === "stalled" ? "running" : status,
      created_at: ago(60 * at + 30),
      started_at: ago(60 * at + 29),
      ended_at: isFinal(status) ? ago(20 * at) : null,
      last_seq: 37 * at * at,
    }),
  ),
  execution(LONG_ID, { workflow_id: LONG_ID, progress: null }),
];

function page(id: string, title: string, client: () => MemoryClient, watched: readonly string[] = []): GalleryState {
  let kept: MemoryClient | null = null;
  const show = (): ReactElement => (
    <RuntailProvider client={(kept ??= client())}>
      <RealtimeMonitoringDemo brand={<strong>runtail</strong>} openNewest={false} defaultWatched={watched} />
    </RuntailProvider>
  );
  return { id, title, show, page: true };
}

export const GROUPS: readonly GalleryGroup[] = [
  ...MONITORING,
  { title: "StatusDot", states: [{ id: "dots", title: "Every state of a connection", show: () => <Dots /> }] },
  { title: "StatusBadge", states: [{ id: "badges", title: "Every status", show: () => <Badges /> }] },
  {
    title: "WorkflowExecutionMonitor",
    states: [
      { id: "monitors", title: "Every status, from plain objects", show: () => <Monitors /> },
      {
        id: "monitor-open",
        title: "With its log shown",
        show: () => (
          <RuntailProvider client={OPENED}>
            <WorkflowExecutionMonitor execution={execution("monitor-open")} defaultOpen />
          </RuntailProvider>
        ),
      },
    ],
  },
  {
    title: "ExecutionLogViewer",
    states: [
      viewer("live", "Live"),
      viewer("steps", "Steps: retried, skipped, waiting, running"),
      viewer("failed", "Failed, with a traceback"),
      viewer("completed", "Completed, proved whole"),
      viewer("missing", "Ended, a range is missing"),
      viewer("waiting", "Empty: nothing has come yet"),
      viewer("unknownProgress", "Progress not known"),
      viewer("connecting", "Connecting"),
      viewer("replaying", "History is coming"),
      viewer("retrying", "The link is cut"),
      viewer("signedOut", "Signed out"),
      viewer("refused", "Refused"),
      viewer("workerSilent", "The worker is silent"),
      viewer("lost", "Records dropped, worker lost"),
      viewer("gap", "A gap of 100 records"),
      viewer("gapUnknown", "A gap of unknown size"),
      viewer("reset", "Records taken back"),
      viewer("trimmed", "The beginning is no longer kept"),
      viewer("truncated", "A record that was cut"),
      viewer("bigLine", "A line of 1 MB"),
      viewer("longLines", "Long lines beside short ones"),
      viewer("bidi", "Writing from right to left, controls, zero width"),
      viewer("markup", "Markup in messages, names, links"),
      viewer("ansi", "Colours and other sequences of a terminal"),
      viewer("wide", "Data of 10,000 keys"),
      viewer("deep", "Data 10,000 deep"),
      { id: "viewer-filtered", title: "A filter that hides everything", show: () => <OneViewer make={LOGS.filtered} filter={{ levels: ["error"], steps: [] }} /> },
      { id: "viewer-line", title: "A link to lines 20 to 24", show: () => <OneViewer make={LINKED} line={[20, 24]} /> },
      { id: "viewer-none", title: "No execution chosen", show: () => <ExecutionLogViewer executionId={null} /> },
    ],
  },
  { title: "LogView, as its reader has it", states: DRIVEN },
  { title: "ExecutionPage", states: EXECUTION_PAGES },
  {
    title: "RealtimeMonitoringDemo",
    states: [
      page("demo-empty", "Empty", () => new MemoryClient([])),
      page("demo-loading", "The list is being read", () => new MemoryClient([], [], { loaded: false, connectionStatus: "connecting" })),
      page("demo-list", "Executions, none is watched", () => new MemoryClient([], LISTED)),
      page("demo-offline", "The list is not live", () => new MemoryClient([], LISTED, { connectionStatus: "connecting", link: { phase: "retrying", attempt: 2, retryAt: NOW + 3_000, code: 1006 } })),
      page("demo-one", "One is watched", () => new MemoryClient([named("running-2", "steps")], LISTED), ["running-2"]),
      page("demo-several", "Several at once", () => new MemoryClient([named("running-2", "live"), named("failed-4", "failed"), named("completed-3", "completed")], LISTED), ["running-2", "failed-4", "completed-3"]),
    ],
  },
];

const LINKED = (): MemoryLog => LOGS.live();
const OPENED = new MemoryClient([named("monitor-open", "steps")]);

/** One of the logs under another name. */
function named(id: string, of: keyof typeof LOGS): MemoryLog {
  const shown = LISTED.find((state) => state.id === id) ?? execution(id);
  return new MemoryLog(id, [], { ...LOGS[of]().getSnapshot(), executionId: id, execution: shown });
}
