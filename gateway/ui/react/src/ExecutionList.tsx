import type { ExecutionState } from "@runtail/client";
import { type ReactElement, useId } from "react";
import { useStrings } from "./context.ts";
import { Elapsed } from "./Elapsed.tsx";
import { ListTrouble } from "./ListTrouble.tsx";
import { StatusBadge } from "./StatusBadge.tsx";
import { Told, told } from "./Told.tsx";
import type { Executions } from "./useExecutions.ts";

export interface ExecutionListProps {
  readonly list: Executions;
  readonly watched: readonly string[];
  readonly choose: (executionId: string) => void;
}

/** The newest executions, each a button that opens or shows it. */
export function ExecutionList({ list, watched, choose }: ExecutionListProps): ReactElement {
  const { demo, number } = useStrings();
  const title = useId();
  const { executions, loaded } = list;
  return (
    <nav className="runtail-list" aria-labelledby={title}>
      <h2 id={title}>
        {demo.list} {executions.length > 0 && <span className="runtail-count">{number(executions.length)}</span>}
      </h2>
      <ListTrouble list={list} />
      {executions.length === 0 && <p className="runtail-faint">{loaded ? demo.listEmpty : demo.listLoading}</p>}
      <ul>
        {executions.map((state) => (
          <ListItem key={state.id} state={state} watched={watched.includes(state.id)} choose={choose} />
        ))}
      </ul>
    </nav>
  );
}

interface ListItemProps {
  readonly state: ExecutionState;
  readonly watched: boolean;
  readonly choose: (executionId: string) => void;
}

function ListItem({ state, watched, choose }: ListItemProps): ReactElement {
  const strings = useStrings();
  const { workflow_id, last_seq, progress, status } = state;
  return (
    <li data-execution={state.id}>
      <button type="button" aria-pressed={watched} title={told(state.id)} onClick={() => choose(state.id)}>
        <StatusBadge status={status} compact />
        <Told className="runtail-id" text={state.id} />
        <span className="runtail-about">
          {workflow_id != null && workflow_id !== state.id && <Told className="runtail-workflow" text={workflow_id} />}
          {last_seq !== undefined && <span>{strings.lines(last_seq)}</span>}
          {status === "running" && progress != null && <span>{strings.percent(progress)}</span>}
          <Elapsed execution={state} />
        </span>
      </button>
    </li>
  );
}
