/** The logs of several executions as the store of one, so that a log view can show it. */

import type { LogEvent, LogPage, LogSnapshot, LogStore, PageQuery, RestApi } from "@runtail/client";
import { blankLog } from "../blank.ts";
import { NO_REST } from "../log/no_rest.ts";
import { holds, passes } from "../log/matching.ts";
import { merge, type Merged, type MergeWords, NOTHING_MERGED } from "./merge.ts";

/** Most lines of all together. */
export const MOST_MERGED = 20_000;
const TELL_MS = 40;

export class MergedStore implements LogStore {
  readonly executionId: string;
  readonly #stores: readonly LogStore[];
  readonly #words: MergeWords;
  readonly #most: number;
  readonly #listeners = new Set<() => void>();
  #merged: Merged = NOTHING_MERGED;
  #snapshot: LogSnapshot;
  #leave: readonly (() => void)[] = [];
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(stores: readonly LogStore[], words: MergeWords, most = MOST_MERGED) {
    this.executionId = stores.map(({ executionId }) => executionId).join(" ");
    this.#stores = stores;
    this.#words = words;
    this.#most = most;
    this.#snapshot = blankLog(this.executionId);
  }

  subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener();
    this.#listeners.add(own);
    if (this.#listeners.size === 1) {
      this.#leave = this.#stores.map((store) => store.subscribe(() => this.#heard()));
      this.#take();
    }
    return () => {
      if (!this.#listeners.delete(own) || this.#listeners.size > 0) return;
      for (const leave of this.#leave) leave();
      clearTimeout(this.#telling);
      this.#telling = undefined;
    };
  };

  getSnapshot = (): LogSnapshot => this.#snapshot;

  reconnect(): void {
    for (const store of this.#stores) store.reconnect();
  }

  async *events(): AsyncIterableIterator<LogEvent> {
    // a view of a screen: scripts read each execution by itself
  }

  /** Searches and filters, in the lines that are here. */
  readonly rest: RestApi = { ...NO_REST, logs: async (_id, query) => pageOf(this.#merged, query) };

  // Several stores tell in one turn; lines that came together are put together by time.
  #heard(): void {
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      this.#take();
      for (const listener of this.#listeners) listener();
    }, TELL_MS);
  }

  #take(): void {
    const logs = this.#stores.map((store) => store.getSnapshot());
    this.#merged = merge(this.#merged, logs, this.#most, this.#words);
    this.#snapshot = snapshotOf(this.executionId, this.#merged, logs, this.#snapshot.version + 1);
  }
}

/** The worst that any link is in stands for all; it ended when all did. */
function linkOf(logs: readonly LogSnapshot[]): Pick<LogSnapshot, "link" | "connectionStatus"> {
  const phases = ["signed_out", "retrying", "connecting", "replaying", "live", "refused", "closed", "ended"] as const;
  const worst = phases.map((phase) => logs.find(({ link }) => link.phase === phase)).find((log) => log !== undefined);
  return worst ?? { link: { phase: "closed" }, connectionStatus: "disconnected" };
}

function snapshotOf(executionId: string, { records, last, rebuilds }: Merged, logs: readonly LogSnapshot[], version: number): LogSnapshot {
  const first = records[0]?.seq ?? 0;
  const { link, connectionStatus } = linkOf(logs);
  return {
    ...blankLog(executionId),
    version, link, connectionStatus, records, resets: rebuilds, windowFirst: first, firstSeq: first, lastSeq: last,
    lastHeardAt: Math.max(0, ...logs.map(({ lastHeardAt }) => lastHeardAt)),
    lastRecordAt: Math.max(0, ...logs.map(({ lastRecordAt }) => lastRecordAt)),
  };
}

function pageOf({ records }: Merged, { before = Infinity, limit = 1_000, q, level, step }: PageQuery): LogPage {
  const older = records.filter(({ seq }) => seq < before);
  const filter = { levels: level ?? [], steps: step ?? [] };
  const found = older.filter((record) => passes(record, filter) && (q === undefined || holds(record, q.toLowerCase())));
  const filtered = q !== undefined || filter.levels.length + filter.steps.length > 0;
  return { records: filtered ? found : older.slice(-limit), notices: [], before: null, cursor: null, matches: filtered ? found.map(({ seq }) => seq) : [], looked: null };
}
