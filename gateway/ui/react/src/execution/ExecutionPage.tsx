import type { ExecutionState, LogStore } from "@runtail/client";
import { type ReactElement, type ReactNode, useCallback, useMemo, useRef } from "react";
import { useNow, useStrings } from "../context.ts";
import { EVERYTHING, type LogControls } from "../log/index.ts";
import { isFinal, progressOf } from "../status.ts";
import type { StoreSource } from "../stores.ts";
import { useSignIn } from "../stores.ts";
import { told } from "../Told.tsx";
import { type LogViewing, WatchedLog } from "../WatchedLog.tsx";
import { CancelButton } from "./CancelButton.tsx";
import { type Concern, concernsOf } from "./concerns.ts";
import { Concerns, ExecutionHeader } from "./ExecutionHeader.tsx";
import { type Failure, failureOf } from "./failure.ts";
import { FailureCard } from "./FailureCard.tsx";
import type { FeedSnapshot } from "./feed.ts";
import { useFeed, useFullState, useHead, useRemaining, useUsual } from "./hooks.ts";
import { type ExecutionServices, useServices } from "./services.ts";
import { ShareButton } from "./ShareButton.tsx";
import { doneOf, lineOf, type StepRow, stepRows } from "./step_rows.ts";
import { StepTree } from "./StepTree.tsx";
import { type Tab, Tabs } from "./Tabs.tsx";
import { useStatusTitle } from "./useTitle.ts";

export interface ExecutionPageProps extends LogViewing {
  readonly executionId: string;
  /** A log store that you have, instead of the client's. */
  readonly log?: LogStore;
  /** Whether the tab of the browser tells the status (default false: a page may have words of its own). */
  readonly inTitle?: boolean;
  /** Without what only its owner does: sharing, cancelling. */
  readonly readOnly?: boolean;
  /** Buttons of your own, behind the others. */
  readonly actions?: ReactNode;
  readonly className?: string;
}

/** One execution: its status, error and steps first, whatever its log is like; then the log. As high as its place. */
export function ExecutionPage(props: ExecutionPageProps): ReactElement {
  const { executionId: id, log, inTitle = false, readOnly = false, actions, className = "", ...viewing } = props;
  const services = useServices();
  const source = useMemo(() => (log === undefined ? () => services().log(id) : () => log), [log, services, id]);
  useSignIn(source);
  const known = useKnown(id, source, services);
  const controls = useRef<LogControls | null>(null);
  const logPlace = useRef<HTMLDivElement>(null);
  const strings = useStrings();
  const { execution, concerns, failure, status } = known;
  const goTo = useCallback((seq: number): void => {
    controls.current?.goTo({ line: { first: seq, last: seq }, filter: EVERYTHING });
    logPlace.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const progress = execution === null ? null : (progressOf(execution) ?? null);
  useStatusTitle(inTitle && execution !== null ? status : null, execution?.workflow_id ?? id, progress);
  return (
    <article className={`runtail runtail-execution ${className}`} data-execution={id} data-status={status} aria-label={strings.execution.page(told(id))}>
      <div className="runtail-summary">
        <ExecutionHeader
          id={id}
          execution={execution}
          status={status}
          steps={doneOf(known.rows)}
          remaining={known.remaining}
          viewers={known.viewers}
          actions={
            <>
              {!readOnly && <Acts execution={execution} services={services} id={id} />}
              {actions}
            </>
          }
        />
        {concerns.length > 0 && <Concerns concerns={concerns} />}
        {failure !== null && <FailureCard failure={failure} onLine={goTo} />}
      </div>
      <div className="runtail-body">
        <Aside known={known} goTo={goTo} />
        <div ref={logPlace} className="runtail-log-place">
          <WatchedLog executionId={id} source={source} progress={false} {...viewing} rest={viewing.rest ?? services().rest} onControls={(made) => void (controls.current = made)} />
        </div>
      </div>
    </article>
  );
}

/** What is known of an execution, beside its log. */
interface Known {
  readonly id: string;
  readonly execution: ExecutionState | null;
  /** Its status, or "stalled" where no worker of it is heard. */
  readonly status: string;
  readonly feed: FeedSnapshot;
  readonly rows: readonly StepRow[];
  readonly over: boolean;
  readonly failure: Failure | null;
  readonly concerns: readonly Concern[];
  readonly remaining: ReturnType<typeof useRemaining>;
  readonly viewers: number | undefined;
}

function useKnown(id: string, source: StoreSource<LogStore>, services: () => ExecutionServices): Known {
  const head = useHead(source, id);
  const feed = useFeed(id, source, services);
  const execution = useFullState(id, head.execution, services);
  const over = execution !== null && isFinal(execution.status);
  const usual = useUsual(execution?.workflow_id ?? null, services);
  const now = useNow(!over);
  const { view } = feed;
  const concerns = concernsOf({ execution, workers: head.workers, lastRecordAt: head.lastRecordAt, now, usual });
  const silent = concerns.some((concern) => concern.kind === "silent" && concern.silent >= concern.open);
  return {
    id,
    execution,
    status: silent ? "stalled" : (execution?.status ?? "pending"),
    feed,
    rows: useMemo(() => stepRows(view, over), [view, over]),
    over,
    failure: useMemo(() => failureOf(execution, view), [execution, view]),
    concerns,
    remaining: useRemaining(view, execution, usual),
    viewers: head.viewers,
  };
}

interface ActsProps {
  readonly id: string;
  readonly execution: ExecutionState | null;
  readonly services: () => ExecutionServices;
}

function Acts({ id, execution, services }: ActsProps): ReactElement {
  const runs = execution !== null && !isFinal(execution.status);
  return (
    <>
      {runs && (execution.cancellable === true || execution.cancel_requested === true) && (
        <CancelButton asked={execution.cancel_requested === true} cancel={() => services().cancel(id)} />
      )}
      {execution !== null && <ShareButton share={() => services().share(id)} />}
    </>
  );
}

type TabKey = "steps";

function Aside({ known, goTo }: { readonly known: Known; readonly goTo: (seq: number) => void }): ReactElement {
  const { execution: strings } = useStrings();
  const { feed, rows, over } = known;
  const tabs: readonly Tab<TabKey>[] = [{ key: "steps", label: strings.tabs.steps, count: rows.length }];
  const onStep = (row: StepRow): void => {
    const seq = lineOf(row);
    if (seq !== null) goTo(seq);
  };
  return (
    <aside className="runtail-aside" aria-label={strings.tabsLabel}>
      <Tabs label={strings.tabsLabel} tabs={tabs} chosen="steps" onChoose={() => {}}>
        {rows.length === 0 ? (
          <p className="runtail-nothing">{!feed.loaded && feed.failure === null ? strings.loading : over ? strings.noSteps : strings.noStepsYet}</p>
        ) : (
          <StepTree rows={rows} live={!over} onStep={onStep} />
        )}
      </Tabs>
    </aside>
  );
}
