/** A text, looked for in the whole log by the gateway, from its end to its beginning; new lines here. */

import type { LogRecord, RestApi } from "@runtail/client";
import { holds } from "./matching.ts";
import { lastWhere } from "./rows.ts";

const PAGE = 1_000;
/** Most matches that are remembered. */
export const MOST_MATCHES = 20_000;
/** Most pages that one search asks for. */
const MOST_PAGES = 1_000;

export type SearchState = "looking" | "done" | "bound" | "failed";

export class Search {
  readonly text: string;
  readonly #lower: string;
  readonly #changed: () => void;
  readonly #abort = new AbortController();
  #older: number[] = []; // descending
  #newer: number[] = [];
  #seqs: readonly number[] | null = null;
  #state: SearchState = "looking";
  #from: number;
  #to: number;
  readonly #started: number;

  /** Look for *text* in the lines up to *last*. */
  constructor(text: string, last: number, changed: () => void) {
    this.text = text;
    this.#lower = text.toLowerCase();
    this.#from = last + 1;
    this.#to = last;
    this.#started = last;
    this.#changed = changed;
  }

  get state(): SearchState {
    return this.#state;
  }

  /** Seqs that hold it, ascending. */
  get seqs(): readonly number[] {
    this.#seqs ??= [...this.#older.toReversed(), ...this.#newer];
    return this.#seqs;
  }

  get count(): number {
    return this.#older.length + this.#newer.length;
  }

  /** How much of the log was looked at, 0 … 1. */
  get progress(): number {
    if (this.#state === "done" || this.#started === 0) return 1;
    return (this.#started + 1 - this.#from) / this.#started;
  }

  /** Place of the match *seq* among all, from 1; 0: it is none. */
  placeOf(seq: number): number {
    const at = lastWhere(this.seqs, (each) => each <= seq);
    return this.seqs[at] === seq ? at + 1 : 0;
  }

  /** The match after *seq*, or before it; around the end if there is none. null: there are no matches. */
  next(seq: number, direction: 1 | -1): number | null {
    const seqs = this.seqs;
    if (seqs.length === 0) return null;
    if (direction === 1) return seqs[lastWhere(seqs, (each) => each <= seq) + 1] ?? seqs[0]!;
    return seqs[lastWhere(seqs, (each) => each < seq)] ?? seqs.at(-1)!;
  }

  /** The match nearest to *seq*. */
  nearest(seq: number): number | null {
    const seqs = this.seqs;
    const at = lastWhere(seqs, (each) => each <= seq);
    const [before, after] = [seqs[at], seqs[at + 1]];
    if (before === undefined || after === undefined) return before ?? after ?? null;
    return seq - before <= after - seq ? before : after;
  }

  /** Look through the log; returns when it is through, at a bound, or stopped. */
  async run(rest: RestApi, executionId: string): Promise<void> {
    for (let page = 0; this.#state === "looking" && !this.#abort.signal.aborted; page += 1) {
      if (page >= MOST_PAGES) this.#state = "bound";
      else await this.#page(rest, executionId);
      if (this.#abort.signal.aborted) return;
      this.#changed();
    }
  }

  /** Take new *records*, which came after it began. */
  take(records: readonly LogRecord[]): void {
    for (const record of records) {
      if (record.seq <= this.#to) continue;
      this.#to = record.seq;
      if (this.#newer.length < MOST_MATCHES && holds(record, this.#lower)) this.#newer.push(record.seq);
      else continue;
      this.#seqs = null;
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  async #page(rest: RestApi, executionId: string): Promise<void> {
    try {
      const page = await rest.logs(executionId, { q: this.text, before: this.#from, limit: PAGE, signal: this.#abort.signal });
      const room = MOST_MATCHES - this.#older.length;
      this.#older.push(...page.matches.filter((seq) => seq < this.#from).toReversed().slice(0, room));
      this.#seqs = null;
      this.#from = page.before ?? 1;
      if (page.before === null) this.#state = "done";
      else if (this.#older.length >= MOST_MATCHES) this.#state = "bound";
    } catch {
      this.#state = "failed"; // said beside the box; Enter looks again
    }
  }
}
