import type { ReactElement, ReactNode } from "react";
import { useStrings } from "../context.ts";
import { told } from "../Told.tsx";
import type { Figures, StepFigures, WorkflowFigures } from "./figures.ts";

export interface FigureTablesProps {
  readonly figures: Figures;
  readonly onWorkflow: (workflow: string) => void;
}

/** Most rows of a table. */
const ROWS = 20;

/** How long workflows and steps take, and how often they fail. */
export function FigureTables({ figures, onWorkflow }: FigureTablesProps): ReactElement {
  const { figures: words, number } = useStrings();
  if (figures.workflows.length === 0) return <p className="runtail-faint">{words.none}</p>;
  return (
    <>
      <Table title={words.workflows} note={figures.complete ? "" : words.partial(number(figures.counted))} head={["workflow", "runs", "failed", "p50", "p95", "history"]}>
        {figures.workflows.slice(0, ROWS).map((workflow) => (
          <WorkflowRow key={workflow.workflow_id} workflow={workflow} onWorkflow={onWorkflow} />
        ))}
      </Table>
      {figures.steps.length > 0 && (
        <Table title={words.steps} note="" head={["step", "workflow", "runs", "failed", "p50", "p95"]}>
          {figures.steps.slice(0, ROWS).map((step) => (
            <StepRow key={`${step.workflow_id}\n${step.step_name}`} step={step} />
          ))}
        </Table>
      )}
    </>
  );
}

type Column = "workflow" | "runs" | "failed" | "p50" | "p95" | "history" | "step";
const WORDS: ReadonlySet<Column> = new Set<Column>(["workflow", "step", "history"]);

function Table({ title, note, head, children }: { readonly title: string; readonly note: string; readonly head: readonly Column[]; readonly children: ReactNode }): ReactElement {
  const { figures } = useStrings();
  return (
    <div className="runtail-figure-table" tabIndex={0} role="region" aria-label={title}>
      <table>
        <caption>
          {title} <span className="runtail-faint">{note}</span>
        </caption>
        <thead>
          <tr>
            {head.map((column) => (
              <th key={column} scope="col" data-words={WORDS.has(column)}>
                {figures.columns[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function useCells(): { readonly ms: (value: number | null) => string; readonly failed: (failed: number, of: number) => ReactElement; readonly number: (value: number) => string } {
  const { duration, figures, number, percent } = useStrings();
  return {
    number,
    ms: (value) => (value === null ? figures.unknown : duration(value, true)),
    failed: (failed, of) => (
      <td data-tone={failed > 0 ? "error" : "muted"} className="runtail-figure-failed">
        {number(failed)} {failed > 0 && of > 0 && <span className="runtail-faint">{percent((failed / of) * 100)}</span>}
      </td>
    ),
  };
}

function WorkflowRow({ workflow, onWorkflow }: { readonly workflow: WorkflowFigures; readonly onWorkflow: (workflow: string) => void }): ReactElement {
  const { ms, failed, number } = useCells();
  return (
    <tr>
      <th scope="row">
        <button type="button" className="runtail-textual" onClick={() => onWorkflow(workflow.workflow_id)}>
          <bdi>{told(workflow.workflow_id)}</bdi>
        </button>
      </th>
      <td>{number(workflow.finished)}</td>
      {failed(workflow.failed, workflow.finished)}
      <td>{ms(workflow.p50_ms)}</td>
      <td>{ms(workflow.p95_ms)}</td>
      <td data-words="true">
        <History history={workflow.history} />
      </td>
    </tr>
  );
}

function StepRow({ step }: { readonly step: StepFigures }): ReactElement {
  const { ms, failed, number } = useCells();
  return (
    <tr>
      <th scope="row">
        <bdi>{told(step.step_name)}</bdi>
      </th>
      <td data-words="true">
        <bdi>{told(step.workflow_id)}</bdi>
      </td>
      <td>{number(step.runs)}</td>
      {failed(step.failed, step.runs)}
      <td>{ms(step.p50_ms)}</td>
      <td>{ms(step.p95_ms)}</td>
    </tr>
  );
}

const BAR = 4;
const HIGH = 18;

/** How long the last ones took, a bar each; failed ones in the colour of failing. */
function History({ history }: Pick<WorkflowFigures, "history">): ReactElement {
  const { figures, duration } = useStrings();
  const longest = Math.max(1, ...history.map(({ duration_ms }) => duration_ms));
  return (
    <svg className="runtail-history" width={30 * BAR} height={HIGH} role="img" aria-label={figures.history(history.length)}>
      {history.map(({ id, duration_ms, status }, n) => {
        const height = Math.max(1.5, (duration_ms / longest) * HIGH);
        return (
          <rect key={id} data-kind={status} x={n * BAR} y={HIGH - height} width={BAR - 1} height={height}>
            <title>{`${told(id)}: ${duration(duration_ms, true)}, ${status}`}</title>
          </rect>
        );
      })}
    </svg>
  );
}
