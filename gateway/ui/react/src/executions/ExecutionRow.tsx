import type { ExecutionState } from "@runtail/client";
import { memo, type MouseEvent, type ReactElement } from "react";
import { useSeconds, useStrings } from "../context.ts";
import { isoDuration } from "../duration.ts";
import { Icon } from "../icons.tsx";
import { Progress } from "../Progress.tsx";
import { isFinal, progressOf, shownStatus, toneOf } from "../status.ts";
import { StatusBadge } from "../StatusBadge.tsx";
import { Told, told } from "../Told.tsx";
import { useElapsed } from "../useElapsed.ts";
import { slowness } from "./slowness.ts";
import { roughly } from "./strings.ts";
import { useTimeOf } from "./times.ts";

export interface RowActions {
  readonly hrefOf: (executionId: string) => string;
  readonly open: (executionId: string) => void;
  /** Choose it, or not any more. */
  readonly choose: (executionId: string) => void;
}

export interface ExecutionRowProps {
  readonly id: string;
  readonly index: number;
  readonly state: ExecutionState;
  readonly top: number;
  readonly active: boolean;
  readonly chosen: boolean;
  /** Median of its workflow, in ms; null: not known. */
  readonly usual: number | null;
  readonly actions: RowActions;
}

const isPlain = ({ button, metaKey, ctrlKey, shiftKey, altKey }: MouseEvent): boolean => button === 0 && !metaKey && !ctrlKey && !shiftKey && !altKey;

/** One execution in the list; as high as all others. */
export const ExecutionRow = /* @__PURE__ */ memo(function ExecutionRow({ id, index, state, top, active, chosen, usual, actions }: ExecutionRowProps): ReactElement {
  const { list } = useStrings();
  const status = shownStatus(state);
  const open = (event: MouseEvent): void => {
    if (!isPlain(event)) return;
    event.preventDefault();
    actions.open(state.id);
  };
  return (
    <div
      id={id} className="runtail-row" role="row" aria-rowindex={index + 2} aria-selected={chosen} data-execution={state.id} data-status={status}
      data-active={active} data-tone={toneOf(status)} style={{ transform: `translateY(${top}px)` }} onClick={open}
    >
      <span role="gridcell" className="runtail-cell-choose">
        <input
          type="checkbox" tabIndex={-1} checked={chosen} aria-label={list.choose(told(state.id))}
          onChange={() => actions.choose(state.id)} onClick={(event) => event.stopPropagation()}
        />
      </span>
      <span role="gridcell" className="runtail-cell-status">
        <StatusBadge status={status} />
      </span>
      <span role="gridcell" className="runtail-cell-execution">
        <span className="runtail-row-name">
          <a href={actions.hrefOf(state.id)} tabIndex={-1} className="runtail-id" title={told(state.id)}>
            <bdi>{told(state.id)}</bdi>
          </a>
          {(state.notes ?? 0) > 0 && <NotesMark count={state.notes ?? 0} />}
        </span>
        <About state={state} />
      </span>
      <span role="gridcell" className="runtail-cell-progress">
        <HowFar state={state} status={status} />
      </span>
      <span role="gridcell" className="runtail-cell-duration">
        <Duration state={state} usual={usual} />
      </span>
      <span role="gridcell" className="runtail-cell-started">
        <Started state={state} />
      </span>
    </div>
  );
});

function NotesMark({ count }: { readonly count: number }): ReactElement {
  const { list } = useStrings();
  return (
    <span className="runtail-notes-mark" title={list.notes(count)}>
      <Icon name="note" />
      <span className="runtail-spoken">{list.notes(count)}</span>
      <span aria-hidden="true">{count > 1 ? count : ""}</span>
    </span>
  );
}

/** The workflow, and what went wrong last. */
function About({ state }: { readonly state: ExecutionState }): ReactElement {
  const { workflow_id, status, reason, last_error } = state;
  const grave = status === "failed" || status === "lost";
  const why = (grave || status === "cancelled" ? reason : null) ?? null;
  const error = last_error?.message ?? (grave ? why : null);
  return (
    <span className="runtail-row-about">
      {workflow_id != null && <Told className="runtail-workflow" text={workflow_id} titled />}
      {error !== null && error !== "" && <Told className="runtail-row-error" text={error} titled />}
      {error === null && why !== null && why !== "" && <Told className="runtail-row-reason" text={why} titled />}
    </span>
  );
}

function HowFar({ state, status }: { readonly state: ExecutionState; readonly status: string }): ReactElement | null {
  const { percent, lines } = useStrings();
  const value = progressOf(state);
  const count = state.last_seq ?? 0;
  if (state.status !== "running") return count > 0 ? <span className="runtail-row-faint">{lines(count)}</span> : null;
  return (
    <span className="runtail-row-first">
      {value !== undefined && <Progress value={value} tone={toneOf(status)} />}
      {typeof value === "number" && <span className="runtail-row-percent">{percent(value)}</span>}
    </span>
  );
}

function Duration({ state, usual }: { readonly state: ExecutionState; readonly usual: number | null }): ReactElement | null {
  const { duration, list, monitor } = useStrings();
  const elapsed = useElapsed(state);
  if (elapsed === null || state.status === "pending") return null;
  // nobody knows how long a lost one really ran
  const slow = usual === null || state.status === "lost" ? null : slowness(elapsed, usual);
  return (
    <>
      <time className="runtail-row-first" dateTime={isoDuration(elapsed)} title={monitor.duration}>
        {duration(elapsed, isFinal(state.status))}
      </time>
      {slow !== null && (
        <span className="runtail-row-slow">
          {list.slower(slow)}
          <span>{list.thanUsual}</span>
        </span>
      )}
      {slow === null && usual !== null && <span className="runtail-row-faint">{list.usually(roughly(usual))}</span>}
    </>
  );
}

function Started({ state }: { readonly state: ExecutionState }): ReactElement {
  const { list } = useStrings();
  const { text, full, ms, now } = useTimeOf(state.started_at ?? state.created_at);
  useSeconds(10);
  return (
    <>
      <time className="runtail-row-first" dateTime={state.started_at ?? state.created_at} title={full}>
        {text}
      </time>
      {ms !== null && now !== null && <span className="runtail-row-faint">{list.ago(Math.max(0, now - ms))}</span>}
    </>
  );
}
