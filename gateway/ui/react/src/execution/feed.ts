/**
 * The view of one execution as a store: what the gateway tells of the past, once, and then every record that
 * the log's store brings. It asks for the past again whenever records are missing between the two.
 */

import type { LogSnapshot, LogStore, Store } from "@runtail/client";
import { fold } from "./fold.ts";
import { type OverviewAnswer, withOverview } from "./overview.ts";
import { type ExecutionView, NOTHING_YET } from "./view.ts";

export interface FeedSnapshot {
  readonly view: ExecutionView;
  /** Whether the past is in the view, as far as it is kept. */
  readonly loaded: boolean;
  /** Why it is not; null: it is, or is on its way. */
  readonly failure: string | null;
}

/** A page of the past: of the records after *cursor*. */
export type AskOverview = (after: string | null, signal: AbortSignal) => Promise<OverviewAnswer>;

/** How often listeners hear of new records at most; of many steps, which take longer to draw, less often. */
const TELL_MS = 150;
const TELL_MS_PER_RUN = 0.25;
const RETRY_MS = 4_000;
/** A past that takes more pages than this is not read to its end: its newest part is live anyway. */
const MOST_PAGES = 200;

export class ExecutionFeed implements Store<FeedSnapshot> {
  readonly #log: LogStore;
  readonly #ask: AskOverview;
  readonly #listeners = new Set<() => void>();
  #snapshot: FeedSnapshot = { view: NOTHING_YET, loaded: false, failure: null };
  #resets = 0;
  #cursor: string | null = null;
  /** The view leaves something out that is kept, or holds what was withdrawn. */
  #partial = false;
  #asking: AbortController | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #leave: (() => void) | null = null;

  constructor(log: LogStore, ask: AskOverview) {
    this.#log = log;
    this.#ask = ask;
  }

  getSnapshot = (): FeedSnapshot => this.#snapshot;

  subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener();
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#open();
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#close();
    };
  };

  #open(): void {
    this.#leave = this.#log.subscribe(() => this.#take());
    this.#resets = this.#log.getSnapshot().resets;
    if (!this.#snapshot.loaded) void this.#load();
    this.#take();
  }

  #close(): void {
    this.#leave?.();
    this.#leave = null;
    this.#asking?.abort();
    this.#asking = null;
    clearTimeout(this.#retry);
    clearTimeout(this.#telling);
    this.#telling = undefined;
  }

  /** What the log's store has that is not in the view. */
  #take(): void {
    const log = this.#log.getSnapshot();
    if (log.resets !== this.#resets) return this.#again(log);
    const { view, loaded, failure } = this.#snapshot;
    if (!continues(view, log)) return this.#missing(log);
    const next = fold(view, newest(log, view.seq));
    const whole = !this.#partial && (loaded || (view.seq === 0 && next.seq > 0));
    if (next === view && loaded === whole) return;
    if (whole) clearTimeout(this.#retry);
    this.#cursor = log.records.at(-1)?.id ?? this.#cursor;
    this.#stand({ view: next, loaded: whole, failure: whole ? null : failure });
  }

  /** Records lie between the view and the store's window. */
  #missing(log: LogSnapshot): void {
    if (this.#asking === null && this.#snapshot.failure === null) void this.#load();
    else if (this.#snapshot.failure !== null) this.#patch(log);
  }

  /** Without the past, what is here is shown. */
  #patch(log: LogSnapshot): void {
    this.#partial = true;
    const view = fold({ ...this.#snapshot.view, seq: log.windowFirst - 1 }, log.records);
    this.#stand({ ...this.#snapshot, view, loaded: false });
  }

  /** Records were withdrawn: the view is made anew. What was shown stays until then. */
  #again(log: LogSnapshot): void {
    this.#resets = log.resets;
    this.#partial = true;
    this.#asking?.abort();
    this.#asking = null;
    void this.#load();
  }

  /** Ask for the past behind the view; of a view that is not whole, for all of it. */
  async #load(): Promise<void> {
    if (this.#asking !== null) return;
    clearTimeout(this.#retry);
    const asking = (this.#asking = new AbortController());
    // what comes live meanwhile is shown, and folded once more behind the answer
    let [view, cursor] = this.#partial ? [NOTHING_YET, null] : [this.#snapshot.view, this.#cursor];
    try {
      for (let page = 0, more = true; more && page < MOST_PAGES; page += 1) {
        const answer = await this.#ask(cursor, asking.signal);
        if (this.#asking !== asking) return;
        view = withOverview(view, answer);
        more = answer.more && answer.cursor !== cursor;
        ({ cursor } = answer);
      }
      this.#asking = null;
      this.#partial = false;
      this.#cursor = cursor;
      this.#stand({ view, loaded: true, failure: null });
      this.#take();
    } catch (error) {
      if (this.#asking !== asking) return;
      this.#asking = null;
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const log = this.#log.getSnapshot();
    this.#stand({ ...this.#snapshot, failure: error instanceof Error ? error.message : String(error) });
    if (this.#leave === null || log.link.phase === "refused") return;
    this.#retry = setTimeout(() => void this.#load(), RETRY_MS);
    this.#take();
  }

  #stand(snapshot: FeedSnapshot): void {
    const wasLoaded = this.#snapshot.loaded;
    this.#snapshot = snapshot;
    if (snapshot.loaded !== wasLoaded) this.#tell();
    else this.#telling ??= setTimeout(() => this.#tell(), TELL_MS + TELL_MS_PER_RUN * snapshot.view.runs.size);
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    for (const listener of this.#listeners) listener();
  }
}

/** Whether the store's records go on where the view stands, or nothing that is kept lies between. */
function continues(view: ExecutionView, log: LogSnapshot): boolean {
  const first = log.windowFirst;
  return first === 0 ? log.lastSeq <= view.seq : first <= Math.max(view.seq + 1, log.firstSeq);
}

/** The records after *seq*, found from the end. */
function newest({ records }: LogSnapshot, seq: number): LogSnapshot["records"] {
  let from = records.length;
  while (from > 0 && records[from - 1]!.seq > seq) from -= 1;
  return records.slice(from);
}
