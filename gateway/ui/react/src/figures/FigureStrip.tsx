import { type ReactElement, useId } from "react";
import { useStrings } from "../context.ts";
import { Icon } from "../icons.tsx";
import { told } from "../Told.tsx";
import type { Figures } from "./figures.ts";
import { FigureTables } from "./FigureTables.tsx";
import { MinuteChart } from "./MinuteChart.tsx";
import type { HeldFigures } from "./useFigures.ts";

export interface FigureStripProps extends HeldFigures {
  /** How many run now; null: not known. */
  readonly running: number | null;
  readonly open: boolean;
  readonly onOpen: (open: boolean) => void;
  /** Show one workflow alone. */
  readonly onWorkflow: (workflow: string) => void;
}

/** What happens, in a line: figures beside a chart; workflows and steps when they are asked for. */
export function FigureStrip({ figures, trouble, running, open, onOpen, onWorkflow }: FigureStripProps): ReactElement {
  const { figures: words, number, percent } = useStrings();
  const id = useId();
  const sums = figures === null ? null : sumsOf(figures);
  const shown = (value: number | null | undefined, spell = number): string => (value == null ? words.unknown : spell(value));
  return (
    <section className="runtail runtail-figures" aria-label={words.title} data-stale={trouble !== null}>
      <div className="runtail-figure-strip">
        <dl>
          <Figure name={words.running} value={shown(running)} tone="running" />
          <Figure name={words.finished} value={shown(sums?.finished)} />
          <Figure name={words.failed} value={shown(sums?.failed)} tone={(sums?.failed ?? 0) > 0 ? "error" : undefined} />
          <Figure name={words.successRate} value={shown(figures?.success_rate, (rate) => percent(rate * 100))} />
          <Figure name={words.recordsPerSecond} value={shown(figures?.records_per_second, (rate) => number(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate)))} />
        </dl>
        {figures === null ? <div className="runtail-chart" /> : <MinuteChart minutes={figures.per_minute} />}
        <button type="button" className="runtail-button runtail-figures-more" aria-expanded={open} aria-controls={id} aria-label={words.more} title={words.more} onClick={() => onOpen(!open)}>
          <Icon name="folded" />
          <span>{words.more}</span>
        </button>
      </div>
      {trouble !== null && <p className="runtail-faint runtail-figures-trouble">{(figures === null ? words.notThere : words.trouble)(told(trouble))}</p>}
      <div id={id} hidden={!open} className="runtail-figure-details">
        {open && figures !== null && <FigureTables figures={figures} onWorkflow={onWorkflow} />}
      </div>
    </section>
  );
}

function Figure({ name, value, tone }: { readonly name: string; readonly value: string; readonly tone?: string | undefined }): ReactElement {
  return (
    <div className="runtail-figure">
      <dt>{name}</dt>
      <dd data-tone={tone}>{value}</dd>
    </div>
  );
}

function sumsOf({ per_minute }: Figures): { readonly finished: number; readonly failed: number } {
  let finished = 0;
  let failed = 0;
  for (const minute of per_minute) {
    finished += minute.completed + minute.failed + minute.cancelled;
    failed += minute.failed;
  }
  return { finished, failed };
}
