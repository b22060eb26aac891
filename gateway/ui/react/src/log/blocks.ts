/** Records outside the store's window, asked for in blocks when they are looked at; a bounded number is kept. */

import type { LogRecord } from "@runtail/client";
import { weightOf } from "./weight.ts";

/** Records of a block; `whole`: no more of them will come, those that are not here are not kept any more. */
export interface Loaded {
  readonly records: readonly LogRecord[];
  readonly whole: boolean;
}

/** Load the records from *first* to *last*. */
export type LoadBlock = (first: number, last: number, signal: AbortSignal) => Promise<Loaded>;

export type Found = LogRecord | "loading" | "absent" | "failed";

export interface BlockBounds {
  /** Records in a block. */
  readonly size: number;
  /** Blocks that are kept, and about how many characters of records; those on screen always are. */
  readonly most: number;
  readonly weight: number;
  /** Loads at one time. */
  readonly parallel: number;
  /** How long a load that failed is not tried again. */
  readonly retryMs: number;
}

export const BLOCKS: BlockBounds = { size: 400, most: 60, weight: 16_000_000, parallel: 4, retryMs: 2_000 };

type Block =
  | { readonly state: "loading"; readonly abort: AbortController }
  | { readonly state: "failed"; readonly at: number }
  | { readonly state: "loaded"; readonly records: ReadonlyMap<number, LogRecord>; readonly whole: boolean; readonly at: number; readonly weight: number };

export class Blocks {
  readonly #blocks = new Map<number, Block>(); // in the order of use: the first goes first
  readonly #load: LoadBlock;
  readonly #now: () => number;
  readonly #loaded: (records: readonly LogRecord[]) => void;
  readonly #bounds: BlockBounds;
  #wanted: ReadonlySet<number> = new Set();

  constructor(load: LoadBlock, now: () => number, loaded: (records: readonly LogRecord[]) => void, bounds: BlockBounds = BLOCKS) {
    this.#load = load;
    this.#now = now;
    this.#loaded = loaded;
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#blocks.size;
  }

  /** Look up *seq*; does not ask for it. */
  get(seq: number): Found {
    const block = this.#blocks.get(this.#of(seq));
    if (!block) return "loading";
    switch (block.state) {
      case "loading":
        return "loading";
      case "failed":
        return "failed";
      case "loaded":
        return block.records.get(seq) ?? (block.whole ? "absent" : "loading");
    }
  }

  /** The lines *seqs* are on screen: ask for what is missing, leave off asking for what is not wanted any more. */
  want(seqs: Iterable<number>): void {
    const wanted = new Set<number>();
    for (const seq of seqs) wanted.add(this.#of(seq));
    for (const [at, block] of this.#blocks) {
      if (block.state !== "loading" || wanted.has(at)) continue;
      block.abort.abort();
      this.#blocks.delete(at);
    }
    this.#wanted = wanted;
    for (const at of wanted) this.#use(at);
    this.#trim();
  }

  /** Forget everything: the stream holds something else. */
  clear(): void {
    for (const block of this.#blocks.values()) if (block.state === "loading") block.abort.abort();
    this.#blocks.clear();
  }

  #of(seq: number): number {
    return Math.floor((seq - 1) / this.#bounds.size);
  }

  #use(at: number): void {
    const block = this.#blocks.get(at);
    if (block) {
      this.#blocks.delete(at);
      this.#blocks.set(at, block);
    }
    const unfinished = block?.state === "failed" || (block?.state === "loaded" && !block.whole);
    const again = unfinished && this.#now() - block.at >= this.#bounds.retryMs;
    if ((!block || again) && this.#loading() < this.#bounds.parallel) void this.#begin(at);
  }

  #loading(): number {
    let count = 0;
    for (const block of this.#blocks.values()) if (block.state === "loading") count += 1;
    return count;
  }

  async #begin(at: number): Promise<void> {
    const abort = new AbortController();
    const mine: Block = { state: "loading", abort };
    this.#blocks.set(at, mine);
    const first = at * this.#bounds.size + 1;
    let done: Block;
    let records: readonly LogRecord[] = [];
    try {
      const loaded = await this.#load(first, first + this.#bounds.size - 1, abort.signal);
      records = loaded.records;
      done = { state: "loaded", records: new Map(records.map((record) => [record.seq, record])), whole: loaded.whole, at: this.#now(), weight: weightOf(records) };
    } catch {
      done = { state: "failed", at: this.#now() }; // shown in its rows, and tried again
    }
    if (this.#blocks.get(at) !== mine) return; // aborted, or void since
    this.#blocks.set(at, done);
    this.#trim();
    this.#loaded(records);
  }

  #trim(): void {
    let weight = 0;
    for (const block of this.#blocks.values()) weight += weightIn(block);
    for (const [at, block] of this.#blocks) {
      if (this.#blocks.size <= this.#bounds.most && weight <= this.#bounds.weight) return;
      if (this.#wanted.has(at)) continue;
      this.#blocks.delete(at);
      weight -= weightIn(block);
    }
  }
}

const weightIn = (block: Block): number => (block.state === "loaded" ? block.weight : 0);
