/** A run that had failed before anybody looked opens at the last lines of the step that failed. */

import type { LogRecord, RestApi, StepRecord } from "@runtail/client";
import type { LogEngine } from "./engine.ts";

/** Pages that are asked for to find where a step failed. */
const MOST_PAGES = 20;
const PAGE = 100;

const hasFailed = (record: LogRecord): record is StepRecord => record.kind === "step" && record.status === "failed";

/** The record with which a step of *records* (ascending) failed: the last one, and of steps within steps the innermost; null: none. */
export function failureIn(records: readonly LogRecord[]): StepRecord | null {
  const failed = records.filter(hasFailed);
  let found = failed.at(-1) ?? null;
  for (let inner = found; inner !== null; ) {
    found = inner;
    const { step_id, seq } = inner;
    inner = failed.findLast((each) => step_id !== undefined && each.parent_step_id === step_id && each.seq < seq) ?? null;
  }
  return found;
}

/** The line at which a step failed, as far as the gateway can tell; null: there is none. */
export async function failureOf(rest: RestApi, executionId: string, last: number, signal: AbortSignal): Promise<number | null> {
  const failed = (await rest.steps(executionId, signal)).filter(({ status }) => status === "failed");
  const latest = failed.toSorted((a, b) => Date.parse(a.ended_at ?? "") - Date.parse(b.ended_at ?? "")).at(-1);
  let before: number | null = last + 1;
  for (let page = 0; latest && before !== null && page < MOST_PAGES; page += 1) {
    const found = await rest.logs(executionId, { step: [latest.step_name], before, limit: PAGE, signal });
    const failure = failureIn(found.records);
    if (failure) return failure.seq;
    before = found.before;
  }
  return null;
}

/** Looks out for such a run, once. */
export class FailedStep {
  #over = false;
  #asking: AbortController | null = null;

  /** There is something new in *engine*. */
  look(engine: LogEngine): void {
    const { execution, link, records } = engine.snapshot;
    if (this.#over || execution === null) return;
    // whoever saw it fail, went somewhere or chose something else to see stays there
    if (execution.status !== "failed" || engine.follow.mode === "reading" || engine.matches) this.#over = true;
    else if (link.phase === "ended" || link.phase === "live") {
      this.#over = true;
      const failure = failureIn(records);
      if (failure) engine.show(failure.seq, "end");
      else void this.#find(engine);
    }
  }

  /** The log is closed; it may be opened again. */
  stop(): void {
    if (this.#asking === null) return;
    this.#asking.abort();
    this.#asking = null;
    this.#over = false;
  }

  async #find(engine: LogEngine): Promise<void> {
    const asking = (this.#asking = new AbortController());
    const seq = await failureOf(engine.rest, engine.store.executionId, engine.last, asking.signal).catch(() => null); // then it stays at its end
    if (this.#asking !== asking) return;
    this.#asking = null;
    if (seq !== null && engine.follow.mode === "following" && !engine.matches) engine.show(seq, "end");
  }
}
