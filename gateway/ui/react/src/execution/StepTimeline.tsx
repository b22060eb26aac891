import type { Note } from "@runtail/client";
import { type KeyboardEvent, type ReactElement, useMemo, useRef, useState } from "react";
import { useNow, useStrings } from "../context.ts";
import { told, Told } from "../Told.tsx";
import type { StepRow } from "./step_rows.ts";
import { StepIcon, stepTone } from "./StepIcon.tsx";
import { stepFacts, stepSpoken } from "./step_words.ts";
import { movedTo } from "./StepTree.tsx";
import { anchorsOf, barsOf, percent, type Span, spanOf, ticksOf, timeOfLine } from "./timeline.ts";

export interface StepTimelineProps {
  readonly rows: readonly StepRow[];
  readonly startedAt: number | null;
  /** null: it goes on. */
  readonly endedAt: number | null;
  readonly notes: readonly Note[];
  readonly onStep: (row: StepRow) => void;
  readonly onNote: (note: Note) => void;
}

/** Steps along the time: waiting hatched, attempts one behind the other, steps that have parts hollow. */
export function StepTimeline({ rows, startedAt, endedAt, notes, onStep, onNote }: StepTimelineProps): ReactElement {
  const strings = useStrings();
  const { execution } = strings;
  const now = useNow(endedAt === null);
  const begun = useMemo(() => rows.filter((row) => row.tries.length > 0), [rows]);
  const span = spanOf(begun, startedAt, endedAt, now);
  const list = useRef<HTMLDivElement>(null);
  const [reached, setReached] = useState<string | null>(null);
  if (span === null || begun.length === 0) return <p className="runtail-nothing">{execution.timeEmpty}</p>;
  const at = Math.max(0, begun.findIndex(({ key }) => key === reached));
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = movedTo(event.key, at, begun.length);
    if (to === null) return;
    event.preventDefault();
    list.current?.querySelectorAll<HTMLElement>(".runtail-time-row")[to]?.focus();
  };
  return (
    <div className="runtail-time">
      <Axis span={span} />
      <NoteMarks notes={notes} rows={begun} span={span} onNote={onNote} />
      <div ref={list} className="runtail-time-rows" role="group" aria-label={execution.timeLabel} onKeyDown={onKeyDown}>
        {begun.map((row, index) => (
          <button
            key={row.key}
            type="button"
            className="runtail-time-row"
            data-status={row.status}
            title={stepFacts(row, now, strings).join(" · ")}
            tabIndex={index === at ? 0 : -1}
            onFocus={() => setReached(row.key)}
            onClick={() => onStep(row)}
          >
            <span className="runtail-time-name" ref={(element) => void element?.style.setProperty("--depth", String(row.depth))}>
              <StepIcon status={row.status} />
              <Told className="runtail-step-name" text={row.name} titled />
              <span className="runtail-spoken">{stepSpoken(row, now, strings, row.children > 0 ? [execution.parts(row.children)] : [])}</span>
            </span>
            <Track row={row} span={span} />
            <span className="runtail-step-facts" aria-hidden="true">{stepFacts(row, now, strings)[0]}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

function Track({ row, span }: { readonly row: StepRow; readonly span: Span }): ReactElement {
  return (
    <span className="runtail-time-track" aria-hidden="true">
      {barsOf(row, span).map(({ kind, status, left, width, from }) => (
        <span
          key={`${kind} ${from}`}
          className="runtail-time-bar"
          data-kind={kind}
          data-tone={kind === "waited" ? "muted" : stepTone(status)}
          data-live={kind === "run" && status === "running"}
          data-hollow={kind === "run" && row.children > 0}
          ref={(element) => placed(element, left, width)}
        />
      ))}
    </span>
  );
}

function placed(element: HTMLElement | null, left: number, width: number): void {
  element?.style.setProperty("left", `${left}%`);
  element?.style.setProperty("width", `${width}%`);
}

function Axis({ span }: { readonly span: Span }): ReactElement {
  const { duration } = useStrings();
  const ticks = ticksOf(span, 5);
  const fine = (ticks[1]?.at ?? 1_000) < 1_000;
  return (
    <div className="runtail-time-axis" aria-hidden="true">
      <span />
      <span className="runtail-time-ticks">
        {ticks.map(({ left, at }) => (
          <span key={at} className="runtail-time-tick" ref={(element) => placed(element, left, 0)}>
            {at === 0 ? "0" : duration(at, fine).replace(/ 00 (s|min)$/, "")}
          </span>
        ))}
      </span>
      <span />
    </div>
  );
}

interface NoteMarksProps {
  readonly notes: readonly Note[];
  readonly rows: readonly StepRow[];
  readonly span: Span;
  readonly onNote: (note: Note) => void;
}

const MOST_MARKS = 200;

function NoteMarks({ notes, rows, span, onNote }: NoteMarksProps): ReactElement | null {
  const { execution } = useStrings();
  const anchors = useMemo(() => anchorsOf(rows), [rows]);
  if (notes.length === 0) return null;
  return (
    <div className="runtail-time-axis runtail-time-notes">
      <span>{execution.tabs.notes}</span>
      <span className="runtail-time-ticks">
        {notes.slice(0, MOST_MARKS).map((note) => {
          const at = timeOfLine(note.seq, anchors);
          if (at === null) return null;
          const label = execution.noteAt(told(note.text).slice(0, 200));
          return (
            <button
              key={note.id}
              type="button"
              className="runtail-time-note"
              aria-label={label}
              title={label}
              ref={(element) => element?.style.setProperty("left", `${percent(at, span)}%`)}
              onClick={() => onNote(note)}
            />
          );
        })}
      </span>
      <span />
    </div>
  );
}

