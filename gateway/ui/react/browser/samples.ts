/** Lines of made-up logs. */

import type { LogRecord } from "@runtail/client";

const START = Date.UTC(2026, 10, 25, 12, 0, 0);
const at = (seq: number): string => new Date(START + seq * 10).toISOString();
const common = (seq: number): { id: string; seq: number; execution_id: string; timestamp: string } => ({ id: `${seq}-0`, seq, execution_id: "memory", timestamp: at(seq) });

const TRACEBACK = `Traceback (most recent call last):
  File "/srv/etl/load.py", line 214, in load
    rows = fetch(table, since)
  File "/srv/etl/fetch.py", line 88, in fetch
    return cursor.execute(query).fetchall()
  File "/usr/lib/python3.11/sqlite3/__init__.py", line 12, in execute
    raise OperationalError(text)
sqlite3.OperationalError: no such table: orders_2026_11`;

/** Even lines, an error now and then. */
export function even(seq: number): LogRecord {
  const level = seq % 1000 === 0 ? "error" : seq % 97 === 0 ? "warning" : "info";
  return { ...common(seq), level, step_name: "load", message: `row ${seq} was read from orders, batch ${Math.floor(seq / 500)}` };
}

/** Lines of all lengths. */
export function uneven(seq: number): LogRecord {
  const words = (seq * 7919) % 113;
  return { ...common(seq), level: "info", message: `line ${seq} ${"lorem ipsum dolor ".repeat(words)}end` };
}

/** A run with steps, errors, data, colours and whatever else a log may hold. */
export function mixed(seq: number): LogRecord {
  const place = seq % 40;
  const round = Math.floor(seq / 40);
  const step = `stage ${round}`;
  const failed = round % 3 === 2;
  if (place === 1) return { ...common(seq), kind: "step", step_name: step, step_id: `s${round}`, status: "running", attempt: failed ? 2 : 1, attempts: 3, waited_ms: 1200 };
  if (place === 39) return { ...common(seq), kind: "step", step_name: step, step_id: `s${round}`, status: failed ? "failed" : "completed", duration_ms: 4200 + round };
  if (place === 5) return { ...common(seq), level: "info", step_name: step, message: "read \u001b[32m1,204\u001b[0m rows in \u001b[1;36m0.4 s\u001b[0m from https://example.org/orders?day=25", output_data: { rows: 1204, tables: ["orders", "customers"], deep: { a: { b: { c: 1 } } } } };
  if (place === 9) return { ...common(seq), level: "warning", step_name: step, message: "slow answer <img src=x onerror=alert(1)> \u202Eevil\u202C \u001b[2Jcleared \u0007" };
  if (place === 20 && failed) return { ...common(seq), level: "error", step_name: step, message: "load failed", error_message: TRACEBACK };
  if (place === 22) return { ...common(seq), kind: "progress", progress: round % 100, done: round, total: 100 };
  if (place === 24) return { ...common(seq), kind: "metric", name: "rows", value: 1204, unit: "rows/s" };
  if (place === 26) return { ...common(seq), kind: "link", name: "report", url: "https://example.org/report" };
  if (place === 30) return { ...common(seq), level: "info", step_name: step, message: `{"payload": "${"x".repeat(300)} … [64000 of 65000 bytes cut] … end"}`, truncated: { message: 65000 } };
  if (place === 33) return { ...common(seq), kind: "lost", lost: 37, reason: "buffer full" };
  if (place === 35) return { ...common(seq), kind: "status", status: "lost", reason: "worker lost: silent for 15 s", publisher: "p1" };
  if (place === 37) return { ...common(seq), kind: "status", status: "running", reason: "the worker speaks again" };
  return { ...common(seq), level: place % 7 === 0 ? "debug" : "info", step_name: step, message: `row ${seq} was read from orders` };
}

/** A line that holds what is hard to show. */
export function hard(seq: number): LogRecord {
  if (seq === 3) return { ...common(seq), level: "info", message: "x".repeat(1_000_000) };
  if (seq === 5) return { ...common(seq), level: "info", message: "deep", output_data: deep(10_000) };
  if (seq === 7) return { ...common(seq), level: "info", message: "wide", output_data: Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`key ${i}`, i])) };
  if (seq === 9) return { ...common(seq), level: "error", message: "failed", error_message: TRACEBACK };
  return even(seq);
}

function deep(levels: number): unknown {
  let value: unknown = "bottom";
  for (let i = 0; i < levels; i += 1) value = { down: value };
  return value;
}

export const SAMPLES: Readonly<Record<string, (seq: number) => LogRecord>> = { even, uneven, mixed, hard };
