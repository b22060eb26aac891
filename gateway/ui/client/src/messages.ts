/** What a gateway says, as `protocol.schema.json` describes it. */

import type { Note } from "./notes.ts";
import type { ExecutionState, ExecutionStatus, LogRecord, Totals, Workers } from "./records.ts";

interface Addressed {
  /** Absent where a connection serves one execution only. */
  readonly execution_id?: string;
}

export interface HelloMessage extends Addressed {
  readonly type: "hello";
  readonly execution: ExecutionState | null;
  readonly cursor: string;
  readonly first: number | null;
  readonly last: number | null;
  readonly viewers?: number;
}

export interface RecordsMessage extends Addressed {
  readonly type: "records";
  readonly records: readonly LogRecord[];
  readonly cursor: string;
  readonly omitted?: number;
  /** How many characters it came in; set by who reads it. */
  readonly size?: number;
}

export interface CaughtUpMessage extends Addressed {
  readonly type: "caught_up";
  readonly cursor: string;
}

export interface GapMessage extends Addressed {
  readonly type: "gap";
  readonly cursor?: string;
  readonly after_seq: number | null;
  readonly before_seq: number | null;
  readonly lost: number | null;
  readonly proved: boolean;
  readonly reason?: string;
}

export interface ResetMessage extends Addressed {
  readonly type: "reset";
  readonly reason: string;
  readonly cursor: string;
}

export interface BeatMessage extends Addressed {
  readonly type: "beat";
  readonly cursor: string;
  readonly quiet_ms: number;
  readonly workers: Workers | null;
  readonly viewers?: number;
}

export interface EndMessage extends Addressed {
  readonly type: "end";
  readonly status: ExecutionStatus;
  readonly totals: Totals;
}

export interface ErrorMessage extends Addressed {
  readonly type: "error";
  readonly code: string;
  readonly message: string;
  /** It concerns the list. */
  readonly watch?: true;
  /** It concerns the notes of the execution. */
  readonly notes?: true;
}

/** Of one execution. */
export type LogMessage =
  | HelloMessage
  | RecordsMessage
  | CaughtUpMessage
  | GapMessage
  | ResetMessage
  | BeatMessage
  | EndMessage
  | ErrorMessage;

/** People's notes: all there are first, then what changed. */
export interface NotesMessage extends Addressed {
  readonly type: "notes";
  readonly notes: readonly Note[];
  /** They are all that there are; those known before are not, unless they are among them. */
  readonly all: boolean;
  /** null: more of them follow. */
  readonly notes_cursor: string | null;
}

/** Of the list. */
export type ListMessage =
  | { readonly type: "watching"; readonly executions: readonly ExecutionState[]; readonly next: string | null }
  | { readonly type: "executions"; readonly executions: readonly ExecutionState[]; readonly removed: readonly string[] };

/** Of the connection itself. */
export type LinkMessage =
  | { readonly type: "auth"; readonly expires_at: number | null }
  | { readonly type: "auth"; readonly code: string; readonly message: string }
  | { readonly type: "expiring" }
  | { readonly type: "subscribed" | "subscribed_notes"; readonly execution_id: string }
  | { readonly type: "unsubscribed" | "unwatched" | "unsubscribed_notes"; readonly execution_id?: string };

export type GatewayMessage = LogMessage | ListMessage | NotesMessage | LinkMessage;
