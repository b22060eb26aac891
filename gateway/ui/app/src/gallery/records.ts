/** Records for the gallery, from short descriptions. */

import type { ExecutionState, LogRecord } from "@runtail/client";

/** When the gallery's clock stands. */
export const NOW = Date.parse("2026-11-25T12:00:00Z");

/** So many seconds before that, as RFC 3339. */
export const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

/** A record without what makes it one of a log. */
export type Draft = { readonly kind?: string; readonly [field: string]: unknown };

/** Number *drafts* from *first* on, a quarter of a second apart, the last of them 2 s ago. */
export function numbered(executionId: string, drafts: readonly Draft[], first = 1): readonly LogRecord[] {
  return drafts.map((draft, at) => {
    const ms = NOW - 2_000 - 250 * (drafts.length - 1 - at);
    const record = { execution_id: executionId, timestamp: new Date(ms).toISOString(), ...draft, id: `${ms}-0`, seq: first + at };
    return record as unknown as LogRecord;
  });
}

export const log = (message: string, more: Draft = {}): Draft => ({ level: "info", message, ...more });

export const step = (step_name: string, status: string, more: Draft = {}): Draft => ({ kind: "step", step_name, status, step_id: step_name, ...more });

/** *count* lines as a worker writes them. */
export function ordinary(count: number, step_name = "load"): readonly Draft[] {
  return Array.from({ length: count }, (_, i) => {
    const page = i + 1;
    if (page % 17 === 0) return log(`page ${page}: retried once, the answer took 2.3 s`, { level: "warning", step_name });
    if (page % 5 === 0) return log(`page ${page} stored`, { level: "debug", step_name, duration_ms: 12 });
    return log(`page ${page} of ${count}: ${(page * 37) % 400} orders`, { step_name });
  });
}

export const TRACEBACK = `Traceback (most recent call last):
  File "/srv/etl/load.py", line 88, in load
    store(rows)
  File "/srv/etl/store.py", line 31, in store
    connection.execute(statement, rows)
  File "/srv/venv/lib/python3.11/site-packages/psycopg/connection.py", line 880, in execute
    raise ex.with_traceback(None)
psycopg.errors.UniqueViolation: duplicate key value violates unique constraint "orders_pkey"
DETAIL:  Key (id)=(4711) already exists.`;

/** The state of an execution, running for five minutes, with *changed* in its place. */
export function execution(id: string, changed: Partial<ExecutionState> = {}): ExecutionState {
  return {
    id,
    workflow_id: "nightly-import",
    status: "running",
    reason: null,
    created_at: ago(302),
    started_at: ago(300),
    ended_at: null,
    progress: 42,
    last_seq: 1_204,
    ...changed,
  };
}
