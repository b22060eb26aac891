/** What a worker publishes, as the gateway hands it on. Unknown fields pass through untouched. */

export type Level = "debug" | "info" | "warning" | "error";

/** Of an execution, as the gateway tells it. */
export type ExecutionStatus = "pending" | "running" | "completed" | "failed" | "cancelled" | "lost";

export type StepStatus = "running" | "completed" | "failed" | "retried" | "skipped" | "cancelled";

/** What every record has. `seq` is its line number: 1, 2, 3 … without holes. */
interface Common {
  /** `<ms>-<n>`; rises with every record. */
  readonly id: string;
  readonly seq: number;
  readonly execution_id?: string;
  /** RFC 3339, UTC. Times are shown, never used for order. */
  readonly timestamp?: string;
  readonly [field: string]: unknown;
}

/** An `ExecutionLog`: a line of the log. `kind` is absent, or "log". */
export interface ExecutionLog extends Common {
  readonly kind?: "log";
  readonly level?: Level;
  readonly message?: string;
  readonly step_name?: string | null;
  readonly step_type?: string | null;
  readonly input_data?: unknown;
  readonly output_data?: unknown;
  readonly duration_ms?: number | null;
  readonly error_message?: string | null;
}

export interface StatusRecord extends Common {
  readonly kind: "status";
  readonly status: ExecutionStatus;
  readonly reason?: string | null;
  readonly publisher?: string;
}

export interface StepRecord extends Common {
  readonly kind: "step";
  readonly step_name: string;
  readonly step_id?: string;
  readonly step_type?: string | null;
  readonly parent_step_id?: string | null;
  readonly status: StepStatus;
  readonly duration_ms?: number | null;
  readonly waited_ms?: number | null;
  readonly attempt?: number;
  readonly attempts?: number;
  readonly input_data?: unknown;
  readonly output_data?: unknown;
  readonly reason?: string | null;
  readonly error_message?: string | null;
}

export interface ProgressRecord extends Common {
  readonly kind: "progress";
  /** 0 … 100; null: not known. Without `name` it is the execution's. */
  readonly progress: number | null;
  readonly name?: string;
  readonly done?: number;
  readonly total?: number;
}

export interface MetricRecord extends Common {
  readonly kind: "metric";
  readonly name: string;
  readonly value: number;
  readonly unit?: string | null;
}

export interface LinkRecord extends Common {
  readonly kind: "link";
  readonly name: string;
  readonly url: string;
}

export interface PlanRecord extends Common {
  readonly kind: "plan";
  readonly steps: readonly { readonly name: string; readonly after?: readonly string[]; readonly step_type?: string }[];
  readonly note?: string;
}

/** So many records of a publisher were dropped or lost, and are told here. */
export interface LostRecord extends Common {
  readonly kind: "lost";
  readonly lost: number;
  readonly reason?: string;
  readonly publisher?: string;
}

export interface EndRecord extends Common {
  readonly kind: "end";
  readonly status: ExecutionStatus;
  readonly totals: Totals;
}

export type LogRecord =
  | ExecutionLog
  | StatusRecord
  | StepRecord
  | ProgressRecord
  | MetricRecord
  | LinkRecord
  | PlanRecord
  | LostRecord
  | EndRecord;

/** What proves that a log is complete. */
export interface Totals {
  /** seq of the first record kept. */
  readonly first: number;
  /** seq of the `end` record. */
  readonly last: number;
  /** How many records were ever stored. */
  readonly records: number;
  /** Logs by level. */
  readonly levels: Readonly<Partial<Record<Level, number>>>;
  /** How many records `lost` records stand for. */
  readonly dropped: number;
  /** JSON as published. */
  readonly bytes: number;
}

/** The state of an execution, as `GET /executions/{id}` and `hello` tell it. */
export interface ExecutionState {
  readonly id: string;
  readonly workflow_id?: string | null;
  readonly status: ExecutionStatus;
  readonly reason?: string | null;
  readonly created_at: string;
  readonly started_at?: string | null;
  readonly ended_at?: string | null;
  /** 0 … 100; null: not known. */
  readonly progress?: number | null;
  readonly epoch?: string;
  readonly first_seq?: number;
  readonly last_seq?: number;
  readonly levels?: Readonly<Partial<Record<Level, number>>>;
  readonly dropped?: number;
  readonly records_kept?: number;
  readonly bytes_kept?: number;
  /** Up to this seq all that is kept lies in the archive; 0: nothing does. */
  readonly archived_seq?: number;
  readonly cancel_requested?: boolean;
  readonly ended?: boolean;
  readonly workers?: Workers | null;
  /** The last record of level error. */
  readonly last_error?: LastError | null;
  /** How many notes are pinned to it. */
  readonly notes?: number;
  /** Whether a worker that has it open listens for a wish to cancel. */
  readonly cancellable?: boolean;
}

export interface LastError {
  readonly seq: number;
  readonly step_name: string | null;
  /** Its first line, cut. */
  readonly message: string;
  readonly at: string;
}

export interface Workers {
  readonly open: number;
  readonly silent: number;
}
