import { type ReactElement, useId, useState } from "react";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { visible } from "../log/visible.ts";
import { Told } from "../Told.tsx";
import type { Failure } from "./failure.ts";

/** Of a longer error its end is shown: that is what says why. */
const MOST_CHARACTERS = 20_000;

export interface FailureCardProps {
  readonly failure: Failure;
  readonly onLine: (seq: number) => void;
}

/** The failing step and its last error, on top of everything. */
export function FailureCard({ failure, onLine }: FailureCardProps): ReactElement {
  const { execution, duration } = useStrings();
  const [open, setOpen] = useState(false);
  const detail = useId();
  const { run, seq } = failure;
  const facts = [
    ...(run !== null && run.attempt !== null && run.attempt > 1 ? [execution.attempt(run.attempt, run.attempts)] : []),
    ...(run?.durationMs == null ? [] : [duration(run.durationMs, true)]),
  ];
  return (
    <section className="runtail-failure" aria-label={failure.stepName === null ? execution.failed : execution.failedIn(failure.stepName)}>
      <h3>
        <Icon name="failed" />
        {failure.stepName === null ? execution.failed : <Told className="runtail-failure-step" text={execution.failedIn(failure.stepName)} />}
        {facts.length > 0 && <span className="runtail-faint">{facts.join(" · ")}</span>}
        {seq !== null && (
          <a className="runtail-failure-line" href={`#L${seq}`} onClick={(event) => followed(event, () => onLine(seq))}>
            {execution.toLine(seq)}
          </a>
        )}
      </h3>
      {failure.message !== "" && <Told className="runtail-failure-message" text={failure.message} />}
      {failure.detail !== null && (
        <>
          <button type="button" className="runtail-textual" aria-expanded={open} aria-controls={detail} onClick={() => setOpen(!open)}>
            {execution.wholeError}
          </button>
          <pre id={detail} hidden={!open} className="runtail-failure-detail" tabIndex={0}>
            {open && <bdi>{visible(failure.detail.slice(-MOST_CHARACTERS))}</bdi>}
          </pre>
        </>
      )}
    </section>
  );
}

/** A plain click does *act*; any other does what the browser does with a link. */
export function followed(event: { metaKey: boolean; ctrlKey: boolean; shiftKey: boolean; button: number; preventDefault: () => void }, act: () => void): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  act();
}
