/** Snapshots of a store, as tests want them. */

import type { LogRecord, LogSnapshot } from "@runtail/client";

export const record = (seq: number, more: object = {}): LogRecord => ({ id: `${seq}-0`, seq, level: "info", message: `line ${seq}`, ...more }) as LogRecord;

export function lines(first: number, last: number): LogRecord[] {
  return Array.from({ length: last - first + 1 }, (_, i) => record(first + i));
}

export function snapshot(records: readonly LogRecord[], more: Partial<LogSnapshot> = {}): LogSnapshot {
  const last = records.at(-1)?.seq ?? 0;
  return {
    executionId: "run", version: 1, connectionStatus: "connected", link: { phase: "live" }, records, notices: [],
    windowFirst: records[0]?.seq ?? 0, firstSeq: last === 0 ? 0 : 1, lastSeq: last, resets: 0, execution: null, workers: null,
    totals: null, completeness: { state: "running" }, lastHeardAt: 0, lastRecordAt: 0, error: null, omitted: 0, ...more,
  };
}
