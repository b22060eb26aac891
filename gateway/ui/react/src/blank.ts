/** What is shown before anything is known: on a server, and where nothing is watched. */

import type { Link, ListSnapshot, LogSnapshot } from "@runtail/client";

const CONNECTING: Link = { phase: "connecting", attempt: 0 };
const CLOSED: Link = { phase: "closed" };

/** Of no execution (null), or of one whose first answer has not come. */
export function blankLog(executionId: string | null): LogSnapshot {
  return {
    executionId: executionId ?? "",
    version: 0,
    connectionStatus: executionId === null ? "disconnected" : "connecting",
    link: executionId === null ? CLOSED : CONNECTING,
    records: [],
    notices: [],
    windowFirst: 0,
    firstSeq: 0,
    lastSeq: 0,
    resets: 0,
    execution: null,
    workers: null,
    totals: null,
    completeness: { state: "running" },
    lastHeardAt: 0,
    lastRecordAt: 0,
    error: null,
    omitted: 0,
  };
}

export const BLANK_LIST: ListSnapshot = {
  version: 0,
  connectionStatus: "connecting",
  link: CONNECTING,
  executions: [],
  loaded: false,
  next: null,
  begun: 0,
};
