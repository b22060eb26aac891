import { type KeyboardEvent, memo, type ReactElement, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { useNow, useStrings } from "../context.ts";
import { Told, told } from "../Told.tsx";
import { type PlacedStep, planLayout, type PlanLayout } from "./plan_layout.ts";
import type { StepRow } from "./step_rows.ts";
import { StepIcon, stepTone } from "./StepIcon.tsx";
import { stepFacts, stepSpoken, statusWord } from "./step_words.ts";
import { isOpen, type Plan } from "./view.ts";

export interface StepGraphProps {
  readonly plan: Plan;
  readonly rows: readonly StepRow[];
  /** Whether anything goes on: durations tick. */
  readonly live: boolean;
  readonly onStep: (row: StepRow) => void;
}

const HEIGHT = 46;
const GAP_Y = 26;
const MARGIN = 12;
const GAP_X = 14;
/** Steps are as wide as their place lets them, within these. */
const NARROWEST = 104;
const WIDEST = 188;
/** Where they do not fit all the same: who has to scroll may as well read. */
const SCROLLED = 136;
/** What is reckoned with where nothing is laid out. */
const ANY_WIDTH = 520;

/** The plan, drawn in layers; a step that ran more often than once shows its newest run. */
export function StepGraph({ plan, rows, live, onStep }: StepGraphProps): ReactElement {
  const strings = useStrings();
  const now = useNow(live && rows.some(isOpen));
  const place = useRef<HTMLDivElement>(null);
  const width = useWidth(place);
  const layout = useMemo(() => sized(plan, width), [plan, width]);
  const newest = useMemo(() => newestOf(rows), [rows]);
  const after = useMemo(() => new Map(plan.steps.map((step) => [step.name, step.after])), [plan]);
  useFirstSight(place, layout, newest);
  const [reached, setReached] = useState<string | null>(null);
  const first = layout.steps.some(({ name }) => name === reached) ? reached : (layout.steps[0]?.name ?? null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = first === null ? null : neighbour(layout, first, event.key);
    if (to === null) return;
    event.preventDefault();
    place.current?.querySelectorAll("button")[layout.steps.indexOf(to)]?.focus();
  };
  return (
    <>
      {plan.note !== null && <p className="runtail-plan-note">{strings.execution.planNote(plan.note)}</p>}
      <div ref={place} className="runtail-graph" role="group" aria-label={strings.execution.planLabel} onKeyDown={onKeyDown}>
        <div className="runtail-graph-canvas" ref={(element) => sizeTo(element, layout.width + 2 * MARGIN, layout.height + 2 * MARGIN)}>
          <Edges layout={layout} newest={newest} />
          {layout.steps.map((step) => {
            const row = newest.get(step.name);
            if (row === undefined) return null;
            const names = (after.get(step.name) ?? []).map(String);
            return (
              <button
                key={step.name}
                type="button"
                className="runtail-graph-step"
                data-tone={stepTone(row.row.status)}
                data-status={row.row.status}
                tabIndex={step.name === first ? 0 : -1}
                ref={(element) => placeAt(element, step.x + MARGIN, step.y + MARGIN, layout.stepWidth)}
                onFocus={() => setReached(step.name)}
                onClick={() => onStep(row.row)}
              >
                <StepIcon status={row.row.status} />
                <span className="runtail-graph-words">
                  <Told className="runtail-step-name" text={step.name} titled />
                  <span className="runtail-spoken">
                    {stepSpoken(row.row, now, strings, [...(row.count > 1 ? [strings.execution.times(row.count)] : []), ...(names.length > 0 ? [strings.execution.after(names.map(told))] : [])])}
                  </span>
                  <span className="runtail-step-facts" aria-hidden="true">{words(row, now, strings)}</span>
                </span>
              </button>
            );
          })}
        </div>
      </div>
    </>
  );
}

interface Newest {
  readonly row: StepRow;
  readonly count: number;
}

function newestOf(rows: readonly StepRow[]): ReadonlyMap<string, Newest> {
  const newest = new Map<string, Newest>();
  for (const row of rows) newest.set(row.name, { row, count: (newest.get(row.name)?.count ?? 0) + 1 });
  return newest;
}

function words({ row, count }: Newest, now: number | null, strings: Parameters<typeof stepFacts>[2]): string {
  const [took, ...others] = stepFacts(row, now, strings);
  if (took === undefined) return statusWord(row.status, strings);
  const attempt = others.find((fact) => fact.startsWith(strings.execution.attempt(row.tries.at(-1)?.attempt ?? row.tries.length, null)));
  return [took, ...(attempt === undefined ? [] : [attempt]), ...(count > 1 ? [`×${count}`] : [])].join(" · ");
}

interface SizedLayout extends PlanLayout {
  readonly stepWidth: number;
}

function sized({ steps }: Plan, width: number): SizedLayout {
  const size = { height: HEIGHT, gapX: GAP_X, gapY: GAP_Y };
  const narrow = planLayout(steps, { ...size, width: NARROWEST });
  const room = width - 2 * MARGIN - narrow.width;
  const stepWidth = room < 0 ? SCROLLED : Math.min(WIDEST, Math.floor(NARROWEST + room / Math.max(1, narrow.broadest)));
  return { ...planLayout(steps, { ...size, width: stepWidth }), stepWidth };
}

/** A plan that is longer than its place opens where something goes on, or failed. */
function useFirstSight(place: RefObject<HTMLElement | null>, { steps }: PlanLayout, newest: ReadonlyMap<string, Newest>): void {
  const seen = useRef(false);
  useEffect(() => {
    const scroller = place.current?.parentElement;
    const step = ["failed", "running"].map((status) => steps.find(({ name }) => newest.get(name)?.row.status === status)).find((one) => one !== undefined);
    if (seen.current || step === undefined || scroller == null) return;
    seen.current = true;
    if (step.y + HEIGHT > scroller.clientHeight) scroller.scrollTop = step.y - scroller.clientHeight / 2;
  }, [place, steps, newest]);
}

/** How wide *place* is, in steps of some pixels: a scroll bar that comes and goes changes nothing. */
function useWidth(place: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(ANY_WIDTH);
  useEffect(() => {
    const element = place.current;
    if (element === null || typeof ResizeObserver === "undefined") return undefined;
    const observer = new ResizeObserver(() => setWidth(20 * Math.floor((element.clientWidth || ANY_WIDTH) / 20)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return width;
}

// Places are set by script: a policy may forbid styles in markup.
function sizeTo(element: HTMLElement | null, width: number, height: number): void {
  element?.style.setProperty("width", `${width}px`);
  element?.style.setProperty("height", `${height}px`);
}

function placeAt(element: HTMLElement | null, x: number, y: number, width: number): void {
  element?.style.setProperty("left", `${x}px`);
  element?.style.setProperty("top", `${y}px`);
  element?.style.setProperty("width", `${width}px`);
  element?.style.setProperty("height", `${HEIGHT}px`);
}

const Edges = /* @__PURE__ */ memo(function Edges({ layout, newest }: { readonly layout: PlanLayout; readonly newest: ReadonlyMap<string, Newest> }): ReactElement {
  const status = (name: string): string => newest.get(name)?.row.status ?? "pending";
  return (
    <svg className="runtail-graph-edges" width={layout.width + 2 * MARGIN} height={layout.height + 2 * MARGIN} aria-hidden="true" focusable="false">
      <g transform={`translate(${MARGIN} ${MARGIN})`}>
        {layout.edges.map(({ from, to, path }) => (
          <path key={`${from} ${to}`} d={path} data-done={status(from) === "completed"} data-live={status(to) === "running"} />
        ))}
      </g>
    </svg>
  );
});

/** The step that *key* leads to from *name*: beside it, or the nearest above or below. */
export function neighbour({ steps }: PlanLayout, name: string, key: string): PlacedStep | null {
  const here = steps.find((step) => step.name === name);
  if (here === undefined) return null;
  const nearest = (layer: number): PlacedStep | null =>
    steps.filter((step) => step.layer === layer).sort((a, b) => Math.abs(a.x - here.x) - Math.abs(b.x - here.x))[0] ?? null;
  const beside = (by: number): PlacedStep | null => steps.find((step) => step.layer === here.layer && step.place === here.place + by) ?? null;
  switch (key) {
    case "ArrowDown":
      return nearest(here.layer + 1);
    case "ArrowUp":
      return nearest(here.layer - 1);
    case "ArrowRight":
      return beside(1);
    case "ArrowLeft":
      return beside(-1);
    case "Home":
      return steps[0] ?? null;
    case "End":
      return steps.at(-1) ?? null;
    default:
      return null;
  }
}
