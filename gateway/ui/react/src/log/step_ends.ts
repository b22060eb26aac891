/** How steps ended whose beginning is in sight and whose end is far away: asked for once they are looked at. */

import type { LogRecord, RestApi, StepRecord } from "@runtail/client";

/** Steps asked for at one time. */
const MOST_AT_ONCE = 4;
/** How long after an answer without an end it is not asked for again. */
const AGAIN_MS = 10_000;
const PAGE = 10;

export class StepEnds {
  /** By name: when it was asked for. */
  readonly #asked = new Map<string, number>();
  readonly #loaded: (records: readonly LogRecord[]) => void;
  #asking = 0;
  #abort = new AbortController();

  constructor(loaded: (records: readonly LogRecord[]) => void) {
    this.#loaded = loaded;
  }

  /** Ask for the end of the step that began with *start*, in a log whose newest line is *last*. */
  want(start: StepRecord, rest: RestApi, executionId: string, last: number, now: number): void {
    const name = start.step_name;
    if (this.#asking >= MOST_AT_ONCE || now - (this.#asked.get(name) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return;
    this.#asked.set(name, now);
    void this.#ask(name, rest, executionId, last);
  }

  close(): void {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#asked.clear();
  }

  /** The last records of a step are those of its end: of steps that share a name, those of the last one. */
  async #ask(name: string, rest: RestApi, executionId: string, last: number): Promise<void> {
    const { signal } = this.#abort;
    this.#asking += 1;
    try {
      const { records } = await rest.logs(executionId, { step: [name], before: last + 1, limit: PAGE, signal });
      if (!signal.aborted) this.#loaded(records.filter(({ kind }) => kind === "step"));
    } catch {
      // its header goes on without; it is asked for again while it is looked at
    } finally {
      this.#asking -= 1;
    }
  }
}
