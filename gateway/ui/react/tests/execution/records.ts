/** Records and answers of an execution, from short descriptions. */

import type { LogRecord } from "@runtail/client";
import type { OverviewAnswer, RunAnswer } from "../../src/execution/overview.ts";

export const T0 = Date.parse("2026-11-25T12:00:00Z");

/** The record *seq*, made *seconds* after the beginning. */
export function record(seq: number, seconds: number, fields: object): LogRecord {
  const ms = T0 + seconds * 1000;
  return { id: `${ms}-0`, seq, timestamp: new Date(ms).toISOString(), ...fields } as unknown as LogRecord;
}

export const said = (seq: number, seconds: number, message: string, more: object = {}): LogRecord =>
  record(seq, seconds, { level: "info", message, ...more });

export const step = (seq: number, seconds: number, name: string, status: string, more: object = {}): LogRecord =>
  record(seq, seconds, { kind: "step", step_name: name, step_id: name, status, ...more });

export const NO_OVERVIEW: OverviewAnswer = {
  plan: null, steps: [], runs: [], links: [], metrics: [], progress: [], parts: [], last_error: null, cursor: "0-0:0:-", more: false,
};

export const overview = (upTo: number, more: Partial<OverviewAnswer> = {}): OverviewAnswer => ({
  ...NO_OVERVIEW, cursor: `${T0}-0:${upTo}:00000000`, ...more,
});

export const run = (name: string, more: Partial<RunAnswer> = {}): RunAnswer => ({
  step_id: name, step_name: name, step_type: null, parent_step_id: null, status: "running", started_at: new Date(T0).toISOString(), ended_at: null,
  duration_ms: null, waited_ms: null, attempt: null, attempts: null, first_seq: 1, last_seq: 1, error_message: null, ...more,
});
