/** How a viewer stands with its gateway, in figures: what tells quiet from dead. Pure. */

import type { LogSnapshot } from "@runtail/client";

/** What those figures are made of. The result of `useWebSocketLogs` fits. */
export type Standing = Pick<
  LogSnapshot,
  "link" | "lastSeq" | "lastHeardAt" | "lastRecordAt" | "workers" | "completeness"
>;

export interface ConnectionDetails {
  /** Since anything was heard of the gateway; null: nothing was, or there is no clock (on a server). */
  readonly lastHeardMs: number | null;
  /** Until it tries again; null: it does not wait for that. */
  readonly retryInMs: number | null;
  /** Which try to connect again this is; 0: none. */
  readonly attempt: number;
  /** While a worker is silent: since the newest record of any; null: none is silent. */
  readonly workerSilentMs: number | null;
  readonly signedOut: boolean;
  /** Nothing more will come. */
  readonly ended: boolean;
}

/** Tell how *standing* is at *now*; `now` null: without what changes by time alone. */
export function connectionDetails(standing: Standing, now: number | null): ConnectionDetails {
  const { link, lastHeardAt, lastRecordAt, workers } = standing;
  const since = (at: number): number | null => (now === null || at === 0 ? null : Math.max(0, now - at));
  const silent = link.phase === "live" && (workers?.silent ?? 0) > 0;
  return {
    lastHeardMs: since(lastHeardAt),
    retryInMs: link.phase === "retrying" && now !== null ? Math.max(0, link.retryAt - now) : null,
    attempt: link.phase === "retrying" || link.phase === "connecting" ? link.attempt : 0,
    workerSilentMs: silent ? (since(lastRecordAt) ?? 0) : null,
    signedOut: link.phase === "signed_out",
    ended: link.phase === "ended",
  };
}
