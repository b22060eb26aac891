/** A store and a gateway in memory, for tests of what stands upon them. */

import type { LogRecord } from "@runtail/client";
import { MemoryLog, type MemoryOptions } from "../../browser/memory_log.ts";
import { record } from "./snapshots.ts";

/** Every tenth line is an error. */
export const tenth = (seq: number): LogRecord => record(seq, { level: seq % 10 === 0 ? "error" : "info", step_name: seq % 2 === 0 ? "even" : "odd" });

export function memory(records: number, more: Partial<MemoryOptions> = {}): MemoryLog {
  return new MemoryLog({ records, window: 100, latencyMs: 0, make: tenth, ended: false, ...more });
}

/** Wait until *holds*; fails after two seconds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 2000; i += 1) {
    if (holds()) return;
    await new Promise((done) => setTimeout(done, 1));
  }
  throw new Error(`not within two seconds: ${String(holds)}`);
}
