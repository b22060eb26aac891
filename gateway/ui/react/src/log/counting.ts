/** Logs by level: those the gateway counted, and those that came since. Pure. */

import type { ExecutionState, Level, LogRecord, Totals } from "@runtail/client";
import { indexAfter } from "./held.ts";
import { LEVELS } from "./place.ts";

type Counts = Record<Level, number>;

export class Counting {
  #base: ExecutionState["levels"];
  #since: Counts = none();
  #upTo = 0;

  /** Count up to the last of *records*, the window; *totals* settle it. */
  of(execution: ExecutionState | null, records: readonly LogRecord[], totals: Totals | null): Readonly<Counts> {
    if (totals) return { ...none(), ...totals.levels };
    const from = execution?.last_seq ?? 0;
    if (execution?.levels !== this.#base) { // other changes of the state leave its counts as they were told
      this.#base = execution?.levels;
      this.#since = none();
      this.#upTo = from;
    }
    this.#count(records);
    const base = execution?.levels ?? {};
    const sum = none();
    for (const level of LEVELS) sum[level] = (base[level] ?? 0) + this.#since[level];
    return sum;
  }

  #count(records: readonly LogRecord[]): void {
    for (let i = indexAfter(records, this.#upTo); i < records.length; i += 1) {
      const record = records[i]!;
      this.#upTo = record.seq;
      if (record.kind === undefined || record.kind === "log") this.#since[record.level ?? "info"] += 1;
    }
  }
}

function none(): Counts {
  return { debug: 0, info: 0, warning: 0, error: 0 };
}
