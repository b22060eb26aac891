/** What a screen draws: immutable values, shared structurally from one snapshot to the next. */

import type { ExecutionState, LogRecord, Totals, Workers } from "./records.ts";

/** The four words that were asked for; `link` says more. After `end` it is "disconnected". */
export type ConnectionStatus = "connecting" | "connected" | "disconnected" | "error";

/** How the viewer stands with its gateway. Exactly one of these at a time. */
export type Link =
  /** No answer yet. `attempt` 0: the first time. */
  | { readonly phase: "connecting"; readonly attempt: number }
  /** Connected, history is coming. `upTo`: the seq at which it becomes live. */
  | { readonly phase: "replaying"; readonly upTo: number }
  /** Connected, everything delivered; what comes now is new. */
  | { readonly phase: "live" }
  /** The link is cut; the next try begins at `retryAt` (ms, of the client's clock). */
  | { readonly phase: "retrying"; readonly attempt: number; readonly retryAt: number; readonly code: number }
  /** No token, or one that is not valid or not any more. What is held stays. */
  | { readonly phase: "signed_out"; readonly code: number; readonly message: string }
  /** Refused for good: bad request, forbidden, not found, deleted. */
  | { readonly phase: "refused"; readonly code: number; readonly reason: string; readonly message: string }
  /** `end` was seen: there is nothing more to come. */
  | { readonly phase: "ended" }
  /** Nobody watches: closed by its owner. */
  | { readonly phase: "closed" };

/** A place in the log where records are missing, and by whose word. */
export interface Gap {
  readonly type: "gap";
  /** Both exclusive. */
  readonly afterSeq: number;
  readonly beforeSeq: number;
  /** null: unknown. */
  readonly lost: number | null;
  readonly proved: boolean;
  /** As the gateway tells it; "unannounced": it told nothing (its promise is broken). */
  readonly reason: string;
}

/** The stream held something else after `afterSeq`: `withdrawn` records were taken back. */
export interface Reset {
  readonly type: "reset";
  readonly afterSeq: number;
  readonly withdrawn: number;
  readonly reason: string;
}

/** The viewer's bounded window no longer holds the records after and before these (exclusive). */
export type Notice = Gap | Reset;

/** Whether the log is known to be whole. */
export type Completeness =
  | { readonly state: "running" }
  /** Proved from the totals: every record from 1 to the last was received or is held by the gateway. */
  | { readonly state: "complete"; readonly records: number }
  /** `ranges`: [first, last] inclusive, of what is gone; `lost` in all, null: unknown. */
  | { readonly state: "missing"; readonly records: number; readonly lost: number | null; readonly ranges: readonly (readonly [number, number])[] };

/**
 * One execution's log as far as it is held. `records` is the window's: ascending, consecutive but for
 * `notices`; when the window is full the oldest leave it (`windowFirst` rises), and are asked for
 * again through `LogPages` by whoever needs them.
 */
export interface LogSnapshot {
  readonly executionId: string;
  /** Rises by one with each snapshot. */
  readonly version: number;
  readonly connectionStatus: ConnectionStatus;
  readonly link: Link;
  readonly records: readonly LogRecord[];
  /** Gaps and resets, ascending by `afterSeq`. */
  readonly notices: readonly Notice[];
  /** seq of the first record of the window; 0: it is empty. */
  readonly windowFirst: number;
  /** seq of the first record that the gateway keeps (as far as known) and of the newest one known. 0: none. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Rises at a reset: whatever was remembered of records beyond its seq is void. */
  readonly resets: number;
  readonly execution: ExecutionState | null;
  readonly workers: Workers | null;
  /** How many watch it now, over all gateways, as far as that was told. */
  readonly viewers?: number | undefined;
  readonly totals: Totals | null;
  readonly completeness: Completeness;
  /** When anything was heard of the gateway, and when the newest record came (ms, client's clock; 0: never). */
  readonly lastHeardAt: number;
  readonly lastRecordAt: number;
  readonly error: { readonly code: string; readonly message: string } | null;
  /** Filtered viewers: how many records were left out on purpose. */
  readonly omitted: number;
}

/** An external store, as `useSyncExternalStore` wants it. */
export interface Store<T> {
  subscribe(listener: () => void): () => void;
  getSnapshot(): T;
}
