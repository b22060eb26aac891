/** The client's public face. */

import type { ExecutionState, Level, LogRecord } from "./records.ts";
import type { Pool } from "./pool.ts";
import type { Gap, LogSnapshot, Notice, Reset, Store } from "./snapshot.ts";

export interface ClientOptions {
  /** Where the gateway is, with its path prefix; by default where the page came from. */
  readonly url?: string;
  /** Asked for a token before each connection, and again before the token expires. */
  readonly token?: () => string | null | Promise<string | null>;
  /** A share link's `share`, instead of a token. */
  readonly share?: string;
  /** "auto": WebSocket, and Server-Sent Events where it is blocked. */
  readonly transport?: "auto" | "websocket" | "events";
  /** Most records a window holds (10,000); 0: no bound (scripts). */
  readonly windowRecords?: number;
  /** Most bytes of them, counted as characters of JSON (16 MiB); 0: no bound. */
  readonly windowBytes?: number;
  /** Injected by tests, and by Node where there is no built-in. */
  readonly environment?: Partial<Environment>;
}

/** What the client takes from its surroundings. */
export interface Environment {
  readonly WebSocket: typeof WebSocket;
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly random: () => number;
  readonly setTimeout: (run: () => void, ms: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
  /** Run once before the next frame is drawn; a timer where there are no frames or the page is hidden. */
  readonly requestFrame: (run: () => void) => unknown;
  /** Tell when the network came back or the page became visible; answers how to stop telling. */
  readonly onWake: (wake: () => void) => () => void;
}

export interface LogOptions {
  /** The last so many records first, then live; absent: from the beginning. */
  readonly tail?: number;
  /** Only logs of these levels, or these steps; other kinds pass as the gateway has it. */
  readonly level?: readonly Level[];
  readonly step?: readonly string[];
  /** Cursor(s) to resume after, newest first; "$": only what is new. */
  readonly after?: string | readonly string[];
  /** Wait for an execution that does not exist yet (default true). */
  readonly wait?: boolean;
}

export type LogEvent =
  | { readonly type: "record"; readonly record: LogRecord; readonly cursor: string | null }
  | Gap
  | Reset
  | { readonly type: "end"; readonly snapshot: LogSnapshot };

/**
 * One execution, watched. It connects with its first subscriber (or iterator) and lets go a moment
 * after the last one left. Two callers that ask for the same execution with the same options share it.
 */
export interface LogStore extends Store<LogSnapshot> {
  readonly executionId: string;
  /** Connect again at once. */
  reconnect(): void;
  /** Every record and notice from the beginning of the subscription, in order, until `end`. */
  events(): AsyncIterableIterator<LogEvent>;
}

export interface ListFilter {
  readonly status?: readonly string[];
  readonly workflow?: readonly string[];
  readonly limit?: number;
}

export interface ListSnapshot {
  readonly version: number;
  readonly connectionStatus: LogSnapshot["connectionStatus"];
  readonly link: LogSnapshot["link"];
  /** The newest first. */
  readonly executions: readonly ExecutionState[];
  /** Whether the list was heard at least once. */
  readonly loaded: boolean;
  /** For the page behind the last one: `RestApi.executions({cursor})`; null: there is none. */
  readonly next: string | null;
  /** Rises when the list begins anew (a cut, too many changes): what was added to it is gone. */
  readonly begun: number;
}

export interface ListStore extends Store<ListSnapshot> {
  reconnect(): void;
  /**
   * Keep *executions* up to date too, which a request answered. With *next* they are the page behind the last
   * one, `RestApi.executions({ cursor })`, and *next* is that page's; without, they may be any.
   */
  add(executions: readonly ExecutionState[], next?: string | null): void;
}

export interface LogPage {
  readonly records: readonly LogRecord[];
  readonly notices: readonly Notice[];
  /** `before` of the page before this one; null: it begins at the first record kept. */
  readonly before: number | null;
  readonly cursor: string | null;
  /** Searches only: seqs that matched, and how far it looked. */
  readonly matches: readonly number[];
  readonly looked: { readonly firstSeq: number; readonly lastSeq: number } | null;
}

export interface PageQuery {
  readonly around?: number;
  readonly before?: number;
  readonly after?: string;
  readonly tail?: number;
  readonly limit?: number;
  readonly q?: string;
  readonly level?: readonly Level[];
  readonly step?: readonly string[];
  readonly context?: number;
  readonly signal?: AbortSignal;
}

/** A refusal over HTTP, from its problem+json. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  /** What is wrong where, if the gateway says so: `path` is as JavaScript would spell it, `steps[3].after[0]`. */
  readonly errors?: readonly Misfit[];
}

export interface Misfit {
  readonly path: string;
  readonly message: string;
}

export interface StepStatistic {
  readonly step_name: string;
  readonly step_type: string | null;
  readonly status: string;
  readonly runs: number;
  readonly attempts: number;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly duration_ms: number | null;
  readonly waited_ms: number | null;
  readonly records: number;
  readonly levels: Readonly<Partial<Record<Level, number>>>;
}

/** What a request says beside its path. */
export interface AskedRequest {
  readonly method?: string;
  readonly query?: object;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** Requests, each answered once; refusals are thrown as `RequestFailed`, which carries the `Problem`. */
export interface RestApi {
  execution(id: string, signal?: AbortSignal): Promise<ExecutionState>;
  executions(query?: ListFilter & { cursor?: string; from?: string; until?: string }, signal?: AbortSignal): Promise<{ executions: readonly ExecutionState[]; next: string | null }>;
  logs(id: string, query: PageQuery): Promise<LogPage>;
  /** All pages of step statistics, added up. */
  steps(id: string, signal?: AbortSignal): Promise<readonly StepStatistic[]>;
  cancel(id: string, reason?: string): Promise<void>;
  remove(id: string, force?: boolean): Promise<void>;
  /** Any other request of the gateway: *path* below its address, answered by its JSON (204: null). */
  ask<T>(path: string, request?: AskedRequest): Promise<T>;
  startDemo(id: string): Promise<void>;
  /** Address of a download: "ndjson" or "txt". */
  downloadUrl(id: string, format: "ndjson" | "txt"): string;
}

export interface RuntailClient {
  log(executionId: string, options?: LogOptions): LogStore;
  list(filter?: ListFilter): ListStore;
  readonly rest: RestApi;
  /** For the modules of this package that are loaded when they are needed. */
  readonly pool: Pool;
  /** Let go of everything. */
  close(): void;
}
