import type { ReactElement } from "react";
import { useStrings } from "../context.ts";
import type { Range } from "../log/index.ts";
import type { Notes } from "./hooks.ts";
import type { Known } from "./known.ts";
import { rangeOf } from "./note_lines.ts";
import { NotesPanel } from "./NotesPanel.tsx";
import type { AuthorBook } from "./services.ts";
import { lineOf, type StepRow } from "./step_rows.ts";
import { StepGraph } from "./StepGraph.tsx";
import { StepTimeline } from "./StepTimeline.tsx";
import { StepTree } from "./StepTree.tsx";
import { type Tab, Tabs } from "./Tabs.tsx";
import { Values } from "./Values.tsx";
import { timeOf } from "./view.ts";

export type TabKey = "plan" | "steps" | "time" | "values" | "notes";

/** What is shown beside the log, and of the notes which. */
export interface Beside {
  /** null: what suits best. */
  readonly tab: TabKey | null;
  readonly draft: Range | null;
  readonly note: string | null;
}

export const AT_FIRST: Beside = { tab: null, draft: null, note: null };

export interface AsideProps {
  readonly known: Known;
  readonly notes: Notes;
  readonly authors: AuthorBook;
  readonly beside: Beside;
  readonly onBeside: (beside: Beside) => void;
  readonly onLines: (lines: Range) => void;
}

/** Plan, steps, time line, values and notes: one of them at a time. */
export function Aside({ known, notes, authors, beside, onBeside, onLines }: AsideProps): ReactElement {
  const { execution: strings } = useStrings();
  const { view } = known.feed;
  const tabs = tabsOf(known, notes, strings.tabs);
  const chosen = tabs.some(({ key }) => key === beside.tab) ? beside.tab! : view.plan === null ? "steps" : "plan";
  const onStep = (row: StepRow): void => {
    const seq = lineOf(row);
    if (seq !== null) onLines({ first: seq, last: seq });
  };
  return (
    <aside className="runtail-aside" aria-label={strings.tabsLabel}>
      <Tabs label={strings.tabsLabel} tabs={tabs} chosen={chosen} onChoose={(tab) => onBeside({ ...beside, tab })}>
        {chosen === "notes" ? (
          <NotesPanel notes={notes} authors={authors} draft={beside.draft} shown={beside.note} onDraftDone={() => onBeside({ ...beside, draft: null })} onLines={onLines} />
        ) : chosen === "values" ? (
          <Values view={view} />
        ) : (
          <Steps known={known} notes={notes} chosen={chosen} onStep={onStep} onNote={(note) => onBeside({ tab: "notes", draft: null, note })} onLines={onLines} />
        )}
      </Tabs>
    </aside>
  );
}

function tabsOf({ feed: { view }, rows }: Known, { notes }: Notes, words: Readonly<Record<TabKey, string>>): readonly Tab<TabKey>[] {
  const values = view.metrics.size + view.links.size + view.parts.size;
  return [
    ...(view.plan === null ? [] : [{ key: "plan", label: words.plan } as const]),
    { key: "steps", label: words.steps, count: rows.length },
    { key: "time", label: words.time },
    { key: "values", label: words.values, count: values },
    { key: "notes", label: words.notes, count: notes.length },
  ];
}

interface StepsProps {
  readonly known: Known;
  readonly notes: Notes;
  readonly chosen: "plan" | "steps" | "time";
  readonly onStep: (row: StepRow) => void;
  readonly onNote: (noteId: string) => void;
  readonly onLines: (lines: Range) => void;
}

function Steps({ known, notes, chosen, onStep, onNote, onLines }: StepsProps): ReactElement {
  const { execution: strings } = useStrings();
  const { feed, rows, over, execution } = known;
  if (rows.length === 0) {
    return <p className="runtail-nothing">{!feed.loaded && feed.failure === null ? strings.loading : over ? strings.noSteps : strings.noStepsYet}</p>;
  }
  return (
    <>
      {feed.failure !== null && <p className="runtail-trouble">{strings.pastFailed(feed.failure)}</p>}
      {feed.view.forgotten > 0 && <p className="runtail-faint runtail-forgotten">{strings.forgotten(feed.view.forgotten)}</p>}
      {chosen === "plan" && feed.view.plan !== null ? (
        <StepGraph plan={feed.view.plan} rows={rows} live={!over} onStep={onStep} />
      ) : chosen === "time" ? (
        <StepTimeline
          rows={rows}
          startedAt={timeOf(execution?.started_at) ?? timeOf(execution?.created_at)}
          endedAt={over ? timeOf(execution?.ended_at) : null}
          notes={notes.notes}
          onStep={onStep}
          onNote={(note) => {
            onNote(note.id);
            onLines(rangeOf(note));
          }}
        />
      ) : (
        <StepTree rows={rows} live={!over} onStep={onStep} />
      )}
    </>
  );
}
