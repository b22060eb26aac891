/** What the gateways counted, as `GET /figures` answers it. */

/** What happened in a time, over all executions. */
export interface Figures {
  readonly since: string;
  readonly until: string;
  /** How many executions were looked at; `complete`: those are all. */
  readonly counted: number;
  readonly complete: boolean;
  readonly per_minute: readonly MinuteFigures[];
  /** 0 … 1; null: nothing has ended. */
  readonly success_rate: number | null;
  readonly records_per_second: number;
  readonly workflows: readonly WorkflowFigures[];
  /** The slowest and those that fail most. */
  readonly steps: readonly StepFigures[];
}

export interface MinuteFigures {
  readonly minute: string;
  readonly started: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
}

export interface WorkflowFigures {
  readonly workflow_id: string;
  readonly finished: number;
  readonly failed: number;
  readonly success_rate: number | null;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  /** The last ones, the oldest first. */
  readonly history: readonly { readonly id: string; readonly ended_at: string; readonly duration_ms: number; readonly status: string }[];
}

export interface StepFigures {
  readonly workflow_id: string;
  readonly step_name: string;
  readonly runs: number;
  readonly failed: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

