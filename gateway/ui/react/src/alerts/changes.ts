/** Which changes of executions are worth an alert. Pure. */

import type { ExecutionState } from "@runtail/client";
import { shownStatus } from "../status.ts";

export type AlertKind = "failed" | "stalled" | "lost";

export interface Alert {
  readonly id: string;
  readonly kind: AlertKind;
  readonly state: ExecutionState;
}

const KINDS: ReadonlySet<string> = new Set<AlertKind>(["failed", "stalled", "lost"]);

const isKind = (status: string): status is AlertKind => KINDS.has(status);

/** Most executions whose status is remembered: those that are over go first. */
const MOST = 20_000;

/**
 * Tells what has become failed, stalled or lost since it was asked last. What was so when it was first
 * seen is no news; "worker lost" that turns into failed is none either, for it was told.
 */
export class Changes {
  readonly #known = new Map<string, string>();

  /** Take what is known of *executions* now. */
  take(executions: readonly ExecutionState[]): readonly Alert[] {
    const alerts: Alert[] = [];
    for (const state of executions) {
      const status = shownStatus(state);
      const before = this.#known.get(state.id);
      if (before === status) continue;
      this.#known.set(state.id, status);
      if (before === undefined || !isKind(status) || (before === "lost" && status === "failed")) continue;
      alerts.push({ id: state.id, kind: status, state });
    }
    if (this.#known.size > MOST) this.#forget(executions);
    return alerts;
  }

  #forget(executions: readonly ExecutionState[]): void {
    const held = new Set(executions.map(({ id }) => id));
    for (const id of this.#known.keys()) if (!held.has(id)) this.#known.delete(id);
  }
}
