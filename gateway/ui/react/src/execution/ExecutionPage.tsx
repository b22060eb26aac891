import type { ExecutionState, LogStore } from "@runtail/client";
import { type ReactElement, type ReactNode, useCallback, useMemo, useRef, useState } from "react";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { type Dressing, EVERYTHING, type LogControls, type Range } from "../log/index.ts";
import { isFinal, progressOf } from "../status.ts";
import { useSignIn } from "../stores.ts";
import { told } from "../Told.tsx";
import { type LogViewing, WatchedLog } from "../WatchedLog.tsx";
import { Aside, AT_FIRST, type Beside, type TabKey } from "./Aside.tsx";
import { CancelButton } from "./CancelButton.tsx";
import { Concerns, ExecutionHeader } from "./ExecutionHeader.tsx";
import { FailureCard } from "./FailureCard.tsx";
import { type Notes, useNotes } from "./hooks.ts";
import { useKnown } from "./known.ts";
import { noteLines } from "./note_lines.ts";
import { type ExecutionServices, useServices } from "./services.ts";
import { ShareButton } from "./ShareButton.tsx";
import { doneOf } from "./step_rows.ts";
import { useStatusTitle } from "./useTitle.ts";

export interface ExecutionPageProps extends LogViewing {
  readonly executionId: string;
  /** A log store that you have, instead of the client's. */
  readonly log?: LogStore;
  /** What is shown beside the log at first; by default the plan, or the steps where there is none. */
  readonly tab?: TabKey;
  /** Whether the tab of the browser tells the status (default false: a page may have words of its own). */
  readonly inTitle?: boolean;
  /** Without what only its owner does: sharing, cancelling, writing notes. */
  readonly readOnly?: boolean;
  /** Buttons of your own, behind the others. */
  readonly actions?: ReactNode;
  readonly className?: string;
}

/** One execution: its status, error and steps first, whatever its log is like; then the log. As high as its place. */
export function ExecutionPage(props: ExecutionPageProps): ReactElement {
  const { executionId: id, log, tab, inTitle = false, readOnly = false, actions, className = "", ...viewing } = props;
  const services = useServices();
  const source = useMemo(() => (log === undefined ? () => services().log(id) : () => log), [log, services, id]);
  useSignIn(source);
  const known = useKnown(id, source, services);
  const notes = useNotes(id, services);
  const [beside, setBeside] = useState<Beside>(tab === undefined ? AT_FIRST : { ...AT_FIRST, tab });
  const controls = useRef<LogControls | null>(null);
  const logPlace = useRef<HTMLDivElement>(null);
  const strings = useStrings();
  const { execution, concerns, failure, status } = known;
  const onLines = useCallback((lines: Range): void => {
    controls.current?.goTo({ line: lines, filter: EVERYTHING });
    logPlace.current?.scrollIntoView({ block: "nearest" });
  }, []);
  const dressing = useDressing(notes, setBeside);
  const progress = execution === null ? null : (progressOf(execution) ?? null);
  useStatusTitle(inTitle && execution !== null ? status : null, execution?.workflow_id ?? id, progress);
  const acts = (
    <>
      {!readOnly && <Acts execution={execution} services={services} id={id} />}
      {actions}
    </>
  );
  return (
    <article className={`runtail runtail-execution ${className}`} data-execution={id} data-status={status} aria-label={strings.execution.page(told(id))}>
      <div className="runtail-summary">
        <ExecutionHeader id={id} execution={execution} status={status} steps={doneOf(known.rows, execution?.status === "failed")} remaining={known.remaining} viewers={known.viewers} waiting={known.waiting} actions={acts} />
        {concerns.length > 0 && <Concerns concerns={concerns} />}
        {failure !== null && <FailureCard failure={failure} onLine={(seq) => onLines({ first: seq, last: seq })} />}
      </div>
      <div className="runtail-body">
        <Aside known={known} notes={notes} authors={services().authors} beside={beside} onBeside={setBeside} onLines={onLines} />
        <div ref={logPlace} className="runtail-log-place">
          <WatchedLog
            executionId={id}
            source={source}
            progress={false}
            {...viewing}
            rest={viewing.rest ?? services().rest}
            dressing={dressing}
            onControls={(made) => void (controls.current = made)}
            {...(readOnly ? {} : { selectionActions: (lines: Range) => <NoteButton onNote={() => setBeside({ tab: "notes", draft: lines, note: null })} /> })}
          />
        </div>
      </div>
    </article>
  );
}

/** Notes beside their lines; a click on one shows it among the notes. */
function useDressing({ notes }: Notes, setBeside: (beside: Beside) => void): Dressing | null {
  const { execution } = useStrings();
  return useMemo(() => {
    if (notes.length === 0) return null;
    return {
      ...noteLines(notes),
      onMark: (seq) => setBeside({ tab: "notes", draft: null, note: notes.find((note) => note.seq === seq)?.id ?? null }),
      markLabel: ({ count, text }) => execution.noteMark(count, told(text)),
      prefixOf: null,
    };
  }, [notes, setBeside, execution]);
}

function NoteButton({ onNote }: { readonly onNote: () => void }): ReactElement {
  const { execution } = useStrings();
  return (
    <button type="button" className="runtail-button runtail-note-button" onClick={onNote}>
      <Icon name="note" />
      {execution.noteAdd}
    </button>
  );
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
