import type { ExecutionState, RuntailClient } from "@runtail/client";
import { type ReactElement, type ReactNode, useEffect, useRef, useState } from "react";
import { useClient } from "./client-context.ts";
import { useStrings } from "./context.ts";
import { EmptyState } from "./EmptyState.tsx";
import { ExecutionList } from "./ExecutionList.tsx";
import { Icon } from "./icons.tsx";
import type { LogFilter, Place } from "./log/index.ts";
import { newExecutionId } from "./start/names.ts";
import { told } from "./Told.tsx";
import { type Executions, useExecutions } from "./useExecutions.ts";
import { WorkflowExecutionMonitor } from "./WorkflowExecutionMonitor.tsx";

export interface RealtimeMonitoringDemoProps {
  /** Executions that are open at first. */
  readonly defaultWatched?: readonly string[];
  /** Told which are open, when that changes: for the address of the page. */
  readonly onWatch?: (executionIds: readonly string[]) => void;
  /** Open the newest running execution when nothing else is asked for (default true). */
  readonly openNewest?: boolean;
  /** Lines to open at, by execution. */
  readonly lines?: Readonly<Record<string, number | readonly [number, number]>>;
  /** What to show of logs at first, by execution. */
  readonly filters?: Readonly<Record<string, LogFilter>>;
  /** Told when the reader selects lines of a log, or filters it. */
  readonly onLocationChange?: (executionId: string, place: Place) => void;
  /** What stands at the beginning of the bar above. */
  readonly brand?: ReactNode;
  readonly onSignIn?: () => void;
}

/** Most logs that are open at a time. */
const MAX_WATCHED = 8;
const LISTED = 100;

interface Watching {
  readonly ids: readonly string[];
  readonly notice: string | null;
  /** Which one was chosen last: it is brought in sight. */
  readonly chosen: { readonly id: string } | null;
  readonly watch: (executionId: string) => void;
  readonly close: (executionId: string) => void;
  readonly say: (notice: string | null) => void;
}

/** Which executions are open, and what there is to say about it. */
function useWatching({ defaultWatched = [], onWatch }: RealtimeMonitoringDemoProps): Watching {
  const { demo } = useStrings();
  const [ids, setIds] = useState(() => [...new Set(defaultWatched)].slice(0, MAX_WATCHED));
  const [notice, say] = useState<string | null>(null);
  const [chosen, setChosen] = useState<Watching["chosen"]>(null);
  const told = useRef(ids);
  useEffect(() => {
    if (told.current === ids) return;
    told.current = ids;
    onWatch?.(ids);
  }, [ids, onWatch]);
  return {
    ids,
    notice,
    chosen,
    say,
    watch: (id) => {
      if (ids.length >= MAX_WATCHED && !ids.includes(id)) return say(demo.tooMany(MAX_WATCHED));
      say(null);
      setChosen({ id });
      if (ids.includes(id)) return;
      setIds([...ids, id]);
    },
    close: (id) => {
      say(null);
      setIds(ids.filter((other) => other !== id));
    },
  };
}

/** Who comes without naming an execution sees at once what runs, if anything does. Only once. */
function useNewest({ openNewest = true }: RealtimeMonitoringDemoProps, { loaded, executions }: Executions, watching: Watching): void {
  const first = useRef(openNewest);
  useEffect(() => {
    if (!loaded || !first.current) return;
    first.current = false;
    const running = executions.find(({ status }) => status === "running");
    if (watching.ids.length === 0 && running !== undefined) watching.watch(running.id);
  }, [loaded, executions, watching]);
}

/** Start a demo run, and watch it; answers whether one is being started. */
function useStart(client: () => RuntailClient, { watch, say }: Watching): readonly [boolean, () => void] {
  const { demo } = useStrings();
  const [starting, setStarting] = useState(false);
  const start = async (): Promise<void> => {
    setStarting(true);
    const id = newExecutionId();
    try {
      await client().rest.startDemo(id);
      watch(id);
    } catch (error) {
      say(demo.startFailed(told(error instanceof Error ? error.message : String(error))));
    } finally {
      setStarting(false);
    }
  };
  return [starting, () => void start()];
}

/** A page of its own: start a new execution, watch several at once, find others in the list. */
export function RealtimeMonitoringDemo(props: RealtimeMonitoringDemoProps): ReactElement {
  const { demo } = useStrings();
  const watching = useWatching(props);
  const [starting, start] = useStart(useClient(), watching);
  const list = useExecutions({ limit: LISTED });
  useNewest(props, list, watching);
  const main = useRef<HTMLElement>(null);
  // what had the focus is gone with its pane: the next Tab goes on beside it
  const close = (id: string): void => {
    watching.close(id);
    main.current?.focus({ preventScroll: true });
  };
  const startButton = <StartButton starting={starting} start={start} />;
  return (
    <div className="runtail runtail-page">
      <header className="runtail-bar">
        {props.brand}
        {startButton}
      </header>
      <ExecutionList list={list} watched={watching.ids} choose={watching.watch} />
      <main aria-label={demo.title} ref={main} tabIndex={-1}>
        <p className="runtail-notice" role="alert">
          {watching.notice}
        </p>
        {watching.ids.length === 0 ? <EmptyState action={startButton} /> : <Panes {...props} watching={watching} close={close} known={list.executions} />}
      </main>
    </div>
  );
}

function StartButton({ starting, start }: { readonly starting: boolean; readonly start: () => void }): ReactElement {
  const { demo } = useStrings();
  return (
    <button type="button" className="runtail-button runtail-primary runtail-start" disabled={starting} onClick={start}>
      <Icon name="start" />
      {starting ? demo.starting : demo.start}
    </button>
  );
}

interface PanesProps extends RealtimeMonitoringDemoProps {
  readonly watching: Watching;
  readonly close: (executionId: string) => void;
  readonly known: readonly ExecutionState[];
}

function Panes({ watching, close, known, lines, filters, onLocationChange, onSignIn }: PanesProps): ReactElement {
  const { demo } = useStrings();
  const panes = useRef<HTMLDivElement>(null);
  const { chosen } = watching;
  useEffect(() => {
    if (chosen === null) return;
    const pane = panes.current?.querySelector(`[data-execution="${CSS.escape(chosen.id)}"]`);
    pane?.scrollIntoView({ block: "nearest" });
  }, [chosen]);
  return (
    <div className="runtail-panes" data-count={watching.ids.length} ref={panes}>
      {watching.ids.map((id) => {
        return (
          <WorkflowExecutionMonitor
            key={id}
            defaultOpen
            execution={known.find((state) => state.id === id) ?? { id, status: "pending", created_at: "" }}
            line={lines?.[id]}
            filter={filters?.[id]}
            onLocationChange={onLocationChange && ((place) => onLocationChange(id, place))}
            onSignIn={onSignIn}
            actions={
              <button type="button" className="runtail-button runtail-quiet" aria-label={demo.close(id)} onClick={() => close(id)}>
                <Icon name="close" />
              </button>
            }
          />
        );
      })}
    </div>
  );
}
