import type { LogStore } from "@runtail/client";
import { type ReactElement, type ReactNode, useContext, useEffect, useMemo, useState } from "react";
import { ClockContext, useInBrowser, useStrings } from "../context.ts";
import { Elapsed } from "../Elapsed.tsx";
import { type Dressing, LogView } from "../log/index.ts";
import { StatusBadge } from "../StatusBadge.tsx";
import { StatusDot } from "../StatusDot.tsx";
import { useLogSnapshot } from "../stores.ts";
import { told, Told } from "../Told.tsx";
import { WorkflowExecutionMonitor } from "../WorkflowExecutionMonitor.tsx";
import { useHead } from "./hooks.ts";
import { MergedStore, MOST_MERGED } from "./merged_store.ts";
import { useServices } from "./services.ts";

export type SeveralView = "side" | "merged";

export interface SeveralExecutionsProps {
  readonly executionIds: readonly string[];
  /** Side by side, or as one log. */
  readonly view: SeveralView;
  readonly onView: (view: SeveralView) => void;
  /** Buttons of yours at each of them: to close it, to open it alone. */
  readonly actionsFor?: (executionId: string) => ReactNode;
  readonly className?: string;
}

/** Several executions at once. All come over one connection. */
export function SeveralExecutions({ executionIds, view, onView, actionsFor, className = "" }: SeveralExecutionsProps): ReactElement {
  const { execution } = useStrings();
  return (
    <section className={`runtail runtail-several ${className}`} aria-label={execution.several(executionIds.length)}>
      <div className="runtail-several-bar">
        <strong>{execution.several(executionIds.length)}</strong>
        <span className="runtail-choice" role="group" aria-label={execution.arrange}>
          {(["side", "merged"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={one === view} onClick={() => onView(one)}>
              {one === "side" ? execution.sideBySide : execution.merged}
            </button>
          ))}
        </span>
      </div>
      {view === "side" ? (
        <div className="runtail-panes" data-count={executionIds.length}>
          {executionIds.map((id) => (
            <Pane key={id} id={id} actions={actionsFor?.(id)} />
          ))}
        </div>
      ) : (
        <MergedLogs ids={executionIds} actionsFor={actionsFor} />
      )}
    </section>
  );
}

function Pane({ id, actions }: { readonly id: string; readonly actions: ReactNode }): ReactElement {
  const services = useServices();
  const log = useMemo(() => services().log(id), [services, id]);
  return <WorkflowExecutionMonitor defaultOpen execution={{ id, status: "pending", created_at: "" }} log={log} rest={services().rest} actions={actions} />;
}

interface MergedLogsProps {
  readonly ids: readonly string[];
  readonly actionsFor: ((executionId: string) => ReactNode) | undefined;
}

/** One log of all that are not left out. */
function MergedLogs({ ids, actionsFor }: MergedLogsProps): ReactElement {
  const services = useServices();
  const [hidden, setHidden] = useState<readonly string[]>([]);
  const names = ids.join("\n");
  const stores = useMemo(() => new Map(names.split("\n").map((id) => [id, services().log(id)])), [names, services]);
  const toggle = (id: string): void => setHidden(hidden.includes(id) ? hidden.filter((one) => one !== id) : [...hidden, id]);
  return (
    <div className="runtail-merged">
      <ul className="runtail-legend">
        {[...stores].map(([id, store], colour) => (
          <Legend key={id} store={store} colour={colour} isShown={!hidden.includes(id)} toggle={() => toggle(id)} actions={actionsFor?.(id)} />
        ))}
      </ul>
      <Merged stores={stores} hidden={hidden} />
    </div>
  );
}

interface LegendProps {
  readonly store: LogStore;
  readonly colour: number;
  readonly isShown: boolean;
  readonly toggle: () => void;
  readonly actions: ReactNode;
}

function Legend({ store, colour, isShown, toggle, actions }: LegendProps): ReactElement {
  const { execution: strings } = useStrings();
  const { executionId: id } = store;
  const source = useMemo(() => () => store, [store]);
  const { execution } = useHead(source, id);
  useEffect(() => store.subscribe(() => {}), [store]); // one that is left out is watched all the same
  return (
    <li data-shown={isShown}>
      <label>
        <input type="checkbox" checked={isShown} aria-label={strings.shown(told(id))} onChange={toggle} />
        <Told className={`rt-prefix rt-prefix-${colour % 8}`} text={id} titled />
      </label>
      {execution !== null && <StatusBadge status={execution.status} compact />}
      {execution !== null && <Elapsed execution={execution} />}
      {actions}
    </li>
  );
}

function Merged({ stores, hidden }: { readonly stores: ReadonlyMap<string, LogStore>; readonly hidden: readonly string[] }): ReactElement {
  const strings = useStrings();
  const { now } = useContext(ClockContext);
  const inBrowser = useInBrowser();
  const left = hidden.join("\n");
  const store = useMemo(() => {
    const without = new Set(left.split("\n"));
    return new MergedStore([...stores.values()].filter(({ executionId }) => !without.has(executionId)), strings.execution.mergedWords);
  }, [stores, left, strings]);
  const source = useMemo(() => () => store, [store]);
  const snapshot = useLogSnapshot(source, store.executionId);
  const dressing = useMemo(() => coloursOf([...stores.keys()]), [stores]);
  return (
    <section className="runtail-viewer" aria-label={strings.execution.mergedLabel(stores.size)}>
      <div className="runtail-viewer-header">
        {store.executionId === "" ? <span className="runtail-words">{strings.execution.mergedNone}</span> : <StatusDot {...snapshot} />}
        {snapshot.firstSeq > 1 && <span className="runtail-faint">{strings.execution.mergedBound(MOST_MERGED)}</span>}
      </div>
      {inBrowser && <LogView store={store} rest={store.rest} strings={strings.log} now={now} dressing={dressing} />}
    </section>
  );
}

/** Each execution's name before its lines, in a colour of its own. */
function coloursOf(ids: readonly string[]): Dressing {
  const colours = new Map(ids.map((id, colour) => [id, { text: id, colour }]));
  return {
    marks: new Map(),
    ranges: [],
    onMark: () => {},
    markLabel: ({ text }) => text,
    prefixOf: ({ execution_id }) => (execution_id === undefined ? null : (colours.get(execution_id) ?? null)),
  };
}
