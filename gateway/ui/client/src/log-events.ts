/**
 * An execution's events, one after another, for scripts.
 *
 * A WebSocket knows no back pressure: what comes is either held or dropped. So an iterator that lags
 * behind lets its subscription go when it holds enough, and resumes by its cursor when most of
 * that was taken: nothing is lost, and what it holds is bounded.
 */

import type { LogEvent, LogOptions } from "./client.ts";
import type { Happening } from "./log-model.ts";
import { type LogPart, logPart } from "./log-part.ts";
import type { Pool } from "./pool.ts";
import { RequestFailed } from "./problem.ts";
import type { WindowBounds } from "./record-window.ts";

const MOST = 10_000;
const LEAST = 2_500;

/** Begins with the first `next()`; *left* is run when it is over. Raises RequestFailed (status: the close code). */
export function logEvents(
  pool: Pool, executionId: string, options: LogOptions, window: WindowBounds, left: () => void,
): AsyncIterableIterator<LogEvent> & { return(): Promise<IteratorResult<LogEvent>> } {
  let held: LogEvent[] = [];
  let taken = 0; // of held
  let state: "new" | "watching" | "paused" | "over" = "new";
  let waiting: { resolve(result: IteratorResult<LogEvent>): void; reject(error: unknown): void }[] = [];
  const part: LogPart = logPart(pool, executionId, options, window, (happened) => changed(happened));

  function changed(happened: readonly Happening[]): void {
    if (state === "over") return;
    for (const each of happened) add(each);
    answer();
    if (state === "watching" && held.length - taken >= MOST) {
      state = "paused";
      part.stop();
    }
  }

  function add(happening: Happening): void {
    if (happening.type === "end") held.push({ type: "end", snapshot: part.snapshot(1) });
    else if (happening.type !== "records") held.push(happening);
    else {
      const { records, cursor } = happening;
      records.forEach((record, i) => held.push({ type: "record", record, cursor: i === records.length - 1 ? cursor : null }));
    }
  }

  function answer(): void {
    while (waiting.length > 0) {
      const value = held[taken];
      if (value !== undefined) {
        taken += 1;
        waiting.shift()?.resolve({ value, done: false });
      } else if (!settle()) return;
    }
    if (taken > LEAST) {
      held = held.slice(taken);
      taken = 0;
    }
  }

  // Nothing is held: is there anything to come?
  function settle(): boolean {
    const { link } = part;
    if (link.phase === "ended" || state === "over") finish();
    else if (link.phase === "signed_out" || link.phase === "refused") {
      const { code, message } = link;
      const failed = new RequestFailed({ status: code, code: link.phase === "refused" ? link.reason : link.phase, detail: message });
      const [first, ...others] = waiting;
      waiting = others;
      finish();
      first?.reject(failed);
    } else return false;
    return true;
  }

  function finish(): void {
    state = "over";
    held = [];
    taken = 0;
    for (const { resolve } of waiting) resolve({ value: undefined, done: true });
    waiting = [];
    part.stop();
    left();
  }

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        if (state === "new" || (state === "paused" && held.length - taken <= LEAST)) {
          state = "watching";
          part.start();
        }
        answer();
      });
    },
    return() {
      finish();
      return Promise.resolve({ value: undefined, done: true });
    },
  };
}
