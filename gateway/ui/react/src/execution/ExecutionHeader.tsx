import type { ExecutionState } from "@runtail/client";
import type { ReactElement, ReactNode } from "react";
import { useStrings } from "../context.ts";
import { Elapsed } from "../Elapsed.tsx";
import { Icon } from "../icons.tsx";
import { Progress } from "../Progress.tsx";
import { StatusBadge } from "../StatusBadge.tsx";
import { isFinal, progressOf, toneOf } from "../status.ts";
import { told, Told } from "../Told.tsx";
import type { Concern } from "./concerns.ts";
import type { Shown } from "./remaining.ts";

export interface ExecutionHeaderProps {
  readonly id: string;
  /** null: nothing is known of it yet. */
  readonly execution: ExecutionState | null;
  /** "running", or "stalled" where its worker is silent. */
  readonly status: string;
  readonly steps: { readonly done: number; readonly total: number };
  readonly remaining: { readonly shown: Shown; readonly ms: number | null } | null;
  readonly viewers: number | undefined;
  /** Nothing of it has come yet. */
  readonly waiting: boolean;
  readonly actions: ReactNode;
}

/** Status first, then how far it is and how long it still takes; then who watches, and what one can do. */
export function ExecutionHeader({ id, execution, status, steps, remaining, viewers, waiting, actions }: ExecutionHeaderProps): ReactElement {
  const strings = useStrings();
  const value = execution === null ? undefined : progressOf(execution);
  const workflow = execution?.workflow_id ?? null;
  return (
    <header className="runtail-head">
      <div className="runtail-head-line">
        <StatusBadge status={status} />
        <h2 className="runtail-names">
          <Told className="runtail-id" text={id} titled />
          {workflow !== null && workflow !== id && <Told className="runtail-workflow" text={workflow} titled />}
        </h2>
        {viewers !== undefined && viewers > 0 && (
          <span className="runtail-viewers">
            <Icon name="people" />
            {strings.execution.watching(viewers)}
          </span>
        )}
        <span className="runtail-actions">{actions}</span>
      </div>
      <div className="runtail-head-facts">
        {waiting && <span>{strings.execution.absent(told(id))}</span>}
        {execution !== null && <Elapsed execution={execution} />}
        {steps.total > 0 && <span>{strings.execution.stepsDone(steps.done, steps.total)}</span>}
        {typeof value === "number" && execution !== null && !isFinal(execution.status) && <span className="runtail-percent">{strings.percent(value)}</span>}
        {remaining !== null && (
          <span>
            <span className="runtail-remaining" title={strings.execution.remainingHow(remaining.shown.estimate)}>
              {strings.execution.remaining(remaining.shown.estimate, remaining.ms)}
            </span>
          </span>
        )}
      </div>
      {value !== undefined && execution !== null && <Progress value={value} tone={toneOf(status)} />}
    </header>
  );
}

/** What is wrong, in one line each. */
export function Concerns({ concerns }: { readonly concerns: readonly Concern[] }): ReactElement {
  const { execution } = useStrings();
  return (
    <ul className="runtail-concerns">
      {concerns.map((concern) => (
        <li key={concern.kind} data-tone={concern.kind === "lost" ? "lost" : "warning"} data-kind={concern.kind}>
          <Icon name={concern.kind === "silent" ? "stalled" : "lost"} />
          <Told className="" text={execution.concern(concern)} />
        </li>
      ))}
    </ul>
  );
}
