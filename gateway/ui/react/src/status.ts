/** What a screen shows of an execution's status: seven known ones, and whatever else it is told. */

export const STATUSES = ["pending", "running", "completed", "failed", "cancelled", "stalled", "lost"] as const;

export type StatusName = (typeof STATUSES)[number];

/** The colour of a status: the name of a CSS variable without its `--runtail-`. */
export type Tone = "running" | "ok" | "error" | "warning" | "lost" | "muted";

const TONES: Readonly<Record<StatusName, Tone>> = {
  pending: "muted",
  running: "running",
  completed: "ok",
  failed: "error",
  cancelled: "muted",
  stalled: "warning",
  lost: "lost",
};

export const isKnown = (status: string): status is StatusName => (STATUSES as readonly string[]).includes(status);

export const toneOf = (status: string): Tone => (isKnown(status) ? TONES[status] : "muted");

/** Whether nothing more happens: its clock stands. */
export const isFinal = (status: string): boolean =>
  status === "completed" || status === "failed" || status === "cancelled";

/** The status to show of what a gateway tells: running, with nothing but silent workers, is stalled. */
export function shownStatus({ status, workers }: { readonly status: string; readonly workers?: { readonly open: number; readonly silent: number } | null }): string {
  return status === "running" && workers != null && workers.silent > 0 && workers.silent >= workers.open ? "stalled" : status;
}

/** What a monitor shows. The gateway's states fit, and so does a plain object of the same shape. */
export interface MonitoredExecution {
  readonly id: string;
  readonly workflow_id?: string | null;
  /** One of `STATUSES`; another word is shown as it is. */
  readonly status: string;
  /** ISO text. */
  readonly created_at: string;
  readonly started_at?: string | null;
  readonly ended_at?: string | null;
  /** 0 … 100; null: not known. */
  readonly progress?: number | null;
  readonly reason?: string | null;
}

const at = (text: string | null | undefined): number => Date.parse(text ?? "");

/** When it began, in ms; null: it says nothing that is a time. */
export function beganAt(execution: MonitoredExecution): number | null {
  const began = [at(execution.started_at), at(execution.created_at)].find((time) => !Number.isNaN(time));
  return began ?? null;
}

/**
 * How long it has run, in ms, at *now*; null: not known. Of one that is over and does not say when,
 * `seenOverAt` counts: when this screen saw it end.
 */
export function elapsedMs(execution: MonitoredExecution, now: number, seenOverAt: number | null): number | null {
  const began = beganAt(execution);
  if (began === null) return null;
  const ended = at(execution.ended_at);
  if (!Number.isNaN(ended)) return Math.max(0, ended - began);
  if (!isFinal(execution.status)) return Math.max(0, now - began);
  return seenOverAt === null ? null : Math.max(0, seenOverAt - began);
}

/** Its progress in 0 … 100; null: not known; undefined: there is none to show. */
export function progressOf(execution: MonitoredExecution): number | null | undefined {
  const told = execution.progress;
  const known = typeof told === "number" && Number.isFinite(told) ? Math.min(100, Math.max(0, told)) : null;
  if (execution.status === "completed") return 100;
  if (execution.status === "pending" || known !== null) return known ?? undefined;
  return isFinal(execution.status) ? undefined : null;
}
