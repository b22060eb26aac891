/** A log that is made up as it is read: a store and a gateway's answers for as many lines as a test wants. */

import type { ExecutionState, LogPage, LogRecord, LogSnapshot, LogStore, Notice, PageQuery, RestApi } from "@runtail/client";

export interface MemoryOptions {
  readonly records: number;
  /** Most records in the store's window. */
  readonly window: number;
  /** How long an answer takes. */
  readonly latencyMs: number;
  readonly make: (seq: number) => LogRecord;
  readonly ended: boolean;
  readonly notices?: readonly Notice[];
  /** Records before this seq are no longer kept. */
  readonly first?: number;
  /** Most records in one page, whatever is asked for: more would be too large. */
  readonly pageRecords?: number;
}

const LOOKED = 50_000;
const START = Date.UTC(2026, 10, 25, 12, 0, 0);

export class MemoryLog implements LogStore {
  readonly executionId = "memory";
  readonly #listeners = new Set<() => void>();
  readonly #options: MemoryOptions;
  #snapshot: LogSnapshot;
  #extra: LogRecord[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  /** How many requests were answered. */
  requests = 0;

  constructor(options: MemoryOptions) {
    this.#options = options;
    const { records, window, first = 1 } = options;
    const from = Math.max(first, records - window + 1);
    this.#snapshot = this.#of(Array.from({ length: records - from + 1 }, (_, i) => options.make(from + i)), options.ended, 1, 0);
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  getSnapshot = (): LogSnapshot => this.#snapshot;

  reconnect(): void {}

  // eslint-disable-next-line require-yield
  async *events(): AsyncIterableIterator<never> {}

  /** Add *records* that are made as those before, or those given. */
  append(count: number, given: readonly Partial<LogRecord>[] = []): void {
    const { records, lastSeq, version, resets } = this.#snapshot;
    const news = Array.from({ length: count + given.length }, (_, i) => {
      const seq = lastSeq + 1 + i;
      return { ...this.#options.make(seq), ...(i >= count ? given[i - count] : {}), seq, id: `${seq}-0` } as LogRecord;
    });
    if (given.length > 0) this.#extra.push(...news);
    const all = records.concat(news);
    this.#tell(this.#of(all.length > this.#options.window ? all.slice(all.length - this.#options.window) : all, false, version + 1, resets));
  }

  /** Add so many records a second, in every frame some. */
  stream(perSecond: number): void {
    clearInterval(this.#timer);
    if (perSecond === 0) return;
    let before = performance.now();
    let owed = 0;
    const step = (): void => {
      const now = performance.now();
      owed += ((now - before) / 1000) * perSecond;
      before = now;
      if (owed >= 1) this.append(Math.floor(owed));
      owed %= 1;
    };
    this.#timer = setInterval(step, 16);
  }

  end(): void {
    this.#tell(this.#of(this.#snapshot.records, true, this.#snapshot.version + 1, this.#snapshot.resets));
  }

  /** The stream holds nothing after *seq*: what was there is withdrawn. */
  reset(seq: number): void {
    const { records, resets, version, notices, lastSeq } = this.#snapshot;
    const left = this.#of(records.filter((record) => record.seq <= seq), false, version + 1, resets + 1);
    this.#tell({ ...left, notices: [...notices, { type: "reset", afterSeq: seq, withdrawn: lastSeq - seq, reason: "failover" }] });
  }

  /** The gateway keeps nothing before *seq* any more. */
  trim(seq: number): void {
    this.#tell({ ...this.#snapshot, firstSeq: seq, version: this.#snapshot.version + 1, records: this.#snapshot.records.filter((record) => record.seq >= seq), windowFirst: Math.max(seq, this.#snapshot.windowFirst) });
  }

  #tell(snapshot: LogSnapshot): void {
    this.#snapshot = snapshot;
    for (const listener of this.#listeners) listener();
  }

  #of(records: readonly LogRecord[], ended: boolean, version: number, resets: number): LogSnapshot {
    const last = records.at(-1)?.seq ?? 0;
    const first = this.#options.first ?? 1;
    const execution: ExecutionState = { id: this.executionId, status: ended ? "completed" : "running", created_at: new Date(START).toISOString(), started_at: new Date(START).toISOString(), first_seq: first, last_seq: 0, levels: {} };
    const levels = { info: last };
    return {
      executionId: this.executionId, version, resets, records,
      connectionStatus: ended ? "disconnected" : "connected",
      link: ended ? { phase: "ended" } : { phase: "live" },
      notices: this.#options.notices ?? [],
      windowFirst: records[0]?.seq ?? 0, firstSeq: last === 0 ? 0 : first, lastSeq: last,
      execution, workers: null, omitted: 0, error: null, lastHeardAt: START, lastRecordAt: START,
      totals: ended ? { first, last, records: last, levels, dropped: 0, bytes: 0 } : null,
      completeness: ended ? { state: "complete", records: last } : { state: "running" },
    };
  }

  record(seq: number): LogRecord {
    return this.#extra.find((record) => record.seq === seq) ?? this.#options.make(seq);
  }

  readonly rest: RestApi = {
    logs: (_id, query) => this.#answer(query),
    execution: () => Promise.resolve(this.#snapshot.execution!),
    executions: () => Promise.resolve({ executions: [], next: null }),
    steps: () => Promise.resolve([]),
    cancel: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    ask: () => Promise.reject(new Error("nothing else is answered")),
    startDemo: () => Promise.resolve(),
    downloadUrl: (id, format) => `/executions/${id}/logs.${format}`,
  };

  async #answer(query: PageQuery): Promise<LogPage> {
    this.requests += 1;
    await new Promise((done) => setTimeout(done, this.#options.latencyMs));
    query.signal?.throwIfAborted();
    const { lastSeq, firstSeq } = this.#snapshot;
    const limit = query.limit ?? 1000;
    const filtered = query.q !== undefined || query.level !== undefined || query.step !== undefined;
    if (query.around !== undefined) return this.#page(Math.max(firstSeq, query.around - (limit >> 1)), Math.min(lastSeq, query.around + (limit >> 1)));
    if (query.after !== undefined) return this.#forwards(Number(query.after.split("-")[0]), query, limit, filtered);
    const last = Math.min(lastSeq, (query.before ?? lastSeq + 1) - 1);
    if (!filtered) return this.#page(Math.max(firstSeq, last - Math.min(limit, this.#options.pageRecords ?? limit) + 1), last);
    const found: LogRecord[] = [];
    let seq = last;
    for (; seq >= firstSeq && found.length < limit && last - seq < LOOKED; seq -= 1) if (this.#keeps(this.record(seq), query)) found.unshift(this.record(seq));
    return { records: found, notices: [], cursor: null, before: seq < firstSeq ? null : seq + 1, matches: found.map((record) => record.seq), looked: { firstSeq: seq + 1, lastSeq: last } };
  }

  #forwards(after: number, query: PageQuery, limit: number, filtered: boolean): LogPage {
    const { lastSeq } = this.#snapshot;
    if (!filtered) return this.#page(after + 1, Math.min(lastSeq, after + limit));
    const found: LogRecord[] = [];
    let seq = after + 1;
    for (; seq <= lastSeq && found.length < limit && seq - after <= LOOKED; seq += 1) if (this.#keeps(this.record(seq), query)) found.push(this.record(seq));
    return { records: found, notices: [], cursor: `${seq - 1}-0`, before: null, matches: found.map((record) => record.seq), looked: seq === after + 1 ? null : { firstSeq: after + 1, lastSeq: seq - 1 } };
  }

  #page(first: number, last: number): LogPage {
    const records = Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => this.record(first + i));
    return { records, notices: [], cursor: `${last}-0`, before: first > this.#snapshot.firstSeq ? first : null, matches: [], looked: null };
  }

  #keeps(record: LogRecord, { q, level, step }: PageQuery): boolean {
    if (level && level.length > 0 && (record.kind !== undefined || !level.some((each) => each === record.level))) return false;
    if (step && step.length > 0 && !step.some((each) => each === record["step_name"])) return false;
    return q === undefined || `${String(record["message"] ?? "")}\n${String(record["error_message"] ?? "")}`.toLowerCase().includes(q.toLowerCase());
  }
}
