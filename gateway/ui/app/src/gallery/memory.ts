/** Stores and answers without a gateway: what they show is what they were given. */

import type {
  AskedRequest, ExecutionState, ListFilter, ListSnapshot, ListStore, LogEvent, LogPage, LogRecord, LogSnapshot, LogStore, PageQuery, RestApi,
  RuntailClient, StepStatistic, Store,
} from "@runtail/client";

class MemoryStore<S extends { readonly version: number }> implements Store<S> {
  reconnects = 0;
  readonly #listeners = new Set<() => void>();
  #snapshot: S;

  constructor(snapshot: S) {
    this.#snapshot = snapshot;
  }

  /** How many watch it now. */
  get watchers(): number {
    return this.#listeners.size;
  }

  subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  };

  getSnapshot = (): S => this.#snapshot;

  reconnect(): void {
    this.reconnects += 1;
  }

  change(changed: Partial<S>): void {
    this.#snapshot = { ...this.#snapshot, ...changed, version: this.#snapshot.version + 1 };
    for (const listener of this.#listeners) listener();
  }
}

/** A log that shows *records* as they are, live. */
export class MemoryLog extends MemoryStore<LogSnapshot> implements LogStore {
  readonly executionId: string;

  constructor(executionId: string, records: readonly LogRecord[], changed: Partial<LogSnapshot> = {}) {
    const first = records[0]?.seq ?? 0;
    super({
      executionId,
      version: 1,
      connectionStatus: "connected",
      link: { phase: "live" },
      records,
      notices: [],
      windowFirst: first,
      firstSeq: first,
      lastSeq: records.at(-1)?.seq ?? 0,
      resets: 0,
      execution: null,
      workers: { open: 1, silent: 0 },
      totals: null,
      completeness: { state: "running" },
      lastHeardAt: 0,
      lastRecordAt: 0,
      error: null,
      omitted: 0,
      ...changed,
    });
    this.executionId = executionId;
  }

  add(...records: readonly LogRecord[]): void {
    const all = [...this.getSnapshot().records, ...records];
    this.change({ records: all, lastSeq: all.at(-1)?.seq ?? 0, firstSeq: all[0]?.seq ?? 0, windowFirst: all[0]?.seq ?? 0 });
  }

  async *events(): AsyncIterableIterator<LogEvent> {
    for (const record of this.getSnapshot().records) yield { type: "record", record, cursor: null };
  }
}

export class MemoryList extends MemoryStore<ListSnapshot> implements ListStore {
  constructor(executions: readonly ExecutionState[], changed: Partial<ListSnapshot> = {}) {
    super({ version: 1, connectionStatus: "connected", link: { phase: "live" }, executions, loaded: true, next: null, begun: 1, ...changed });
  }

  add = (executions: readonly ExecutionState[], next: string | null = this.getSnapshot().next): void =>
    this.change({ executions: [...this.getSnapshot().executions, ...executions], next });
}

const text = (record: LogRecord): string => JSON.stringify(record).toLowerCase();

function passes(record: LogRecord, { q, level, step }: PageQuery): boolean {
  if (q !== undefined && !text(record).includes(q.toLowerCase())) return false;
  if (level !== undefined && !level.some((one) => one === record["level"])) return false;
  return step === undefined || step.some((one) => one === record["step_name"]);
}

/** The page of *all* that *query* asks for. */
function pageOf(all: readonly LogRecord[], query: PageQuery): LogPage {
  const found = all.filter((record) => passes(record, query));
  const limit = query.limit ?? query.tail ?? 1000;
  const { around, before } = query;
  const after = query.after === undefined ? null : Number(query.after.split(":")[1] ?? 0);
  let records = found;
  if (around !== undefined) records = found.filter(({ seq }) => Math.abs(seq - around) <= limit / 2);
  else if (before !== undefined) records = found.filter(({ seq }) => seq < before).slice(-limit);
  else if (after !== null) records = found.filter(({ seq }) => seq > after).slice(0, limit);
  else records = query.tail === undefined ? found.slice(0, limit) : found.slice(-limit);
  const last = records.at(-1);
  const first = records[0];
  return {
    records,
    notices: [],
    before: first === undefined || first.seq <= (all[0]?.seq ?? 1) ? null : first.seq,
    cursor: last === undefined ? null : `${last.id}:${last.seq}:-`,
    matches: query.q === undefined ? [] : records.map(({ seq }) => seq),
    looked: { firstSeq: all[0]?.seq ?? 0, lastSeq: all.at(-1)?.seq ?? 0 },
  };
}

/** Requests answered from what the logs hold; changes are taken and change nothing. */
export class MemoryRest implements RestApi {
  readonly #records: (id: string) => readonly LogRecord[];
  readonly started: string[] = [];

  constructor(records: (id: string) => readonly LogRecord[]) {
    this.#records = records;
  }

  execution = async (id: string): Promise<ExecutionState> => ({ id, status: "running", created_at: "" });
  executions = async (): Promise<{ executions: readonly ExecutionState[]; next: null }> => ({ executions: [], next: null });
  logs = async (id: string, query: PageQuery): Promise<LogPage> => pageOf(this.#records(id), query);
  steps = async (): Promise<readonly StepStatistic[]> => [];
  cancel = async (): Promise<void> => {};
  remove = async (): Promise<void> => {};
  /** Answers any other request; null: nobody does. */
  others: ((path: string, request: AskedRequest) => unknown) | null = null;
  ask = async <T>(path: string, request: AskedRequest = {}): Promise<T> => {
    if (this.others === null) throw new Error(`nobody answers ${path}`);
    return this.others(path, request) as T;
  };
  startDemo = async (id: string): Promise<void> => void this.started.push(id);
  downloadUrl = (id: string, format: "ndjson" | "txt"): string => `executions/${encodeURIComponent(id)}/logs.${format}`;
}

/** Where parts of the client connect to: nothing ever comes. */
const NO_CONNECTION: RuntailClient["pool"] = {
  env: {
    WebSocket: globalThis.WebSocket,
    fetch: () => Promise.reject(new Error("there is no network")),
    now: Date.now,
    random: Math.random,
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer as number),
    requestFrame: (run) => setTimeout(run, 0),
    onWake: () => () => {},
  },
  attach() {},
  detach() {},
  reconnect() {},
  again() {},
};

/** A client over stores in memory; an execution nobody gave is an empty log that connects for ever. */
export class MemoryClient implements RuntailClient {
  readonly logs: Map<string, MemoryLog>;
  readonly lists: MemoryList;
  readonly rest: MemoryRest;
  readonly pool: RuntailClient["pool"] = NO_CONNECTION;

  constructor(logs: readonly MemoryLog[], executions: readonly ExecutionState[] = [], list: Partial<ListSnapshot> = {}) {
    this.logs = new Map(logs.map((log) => [log.executionId, log]));
    this.lists = new MemoryList(executions, list);
    this.rest = new MemoryRest((id) => this.log(id).getSnapshot().records);
  }

  log(executionId: string): MemoryLog {
    const known = this.logs.get(executionId);
    if (known !== undefined) return known;
    const made = new MemoryLog(executionId, [], { connectionStatus: "connecting", link: { phase: "connecting", attempt: 0 } });
    this.logs.set(executionId, made);
    return made;
  }

  list(_filter?: ListFilter): MemoryList {
    return this.lists;
  }

  close(): void {
    this.logs.clear();
  }
}
