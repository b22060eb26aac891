import { type KeyboardEvent, type ReactElement, useRef, useState } from "react";
import { useNow, useStrings } from "../context.ts";
import { Told } from "../Told.tsx";
import type { StepRow } from "./step_rows.ts";
import { StepIcon, stepTone } from "./StepIcon.tsx";
import { stepFacts, stepSpoken } from "./step_words.ts";
import { isOpen } from "./view.ts";

export interface StepTreeProps {
  readonly rows: readonly StepRow[];
  /** Whether anything goes on: durations tick. */
  readonly live: boolean;
  readonly onStep: (row: StepRow) => void;
}

/** Steps as a tree that grows as the run goes on. One of its rows can be reached by Tab, the others by arrows. */
export function StepTree({ rows, live, onStep }: StepTreeProps): ReactElement {
  const strings = useStrings();
  const now = useNow(live && rows.some(isOpen));
  const list = useRef<HTMLDivElement>(null);
  const [reached, setReached] = useState<string | null>(null);
  const at = Math.max(0, rows.findIndex(({ key }) => key === reached));
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = movedTo(event.key, at, rows.length);
    if (to === null) return;
    event.preventDefault();
    list.current?.querySelectorAll("button")[to]?.focus();
  };
  return (
    <div ref={list} className="runtail-tree" role="tree" aria-label={strings.execution.treeLabel} onKeyDown={onKeyDown}>
      {rows.map((row, index) => (
        <button
          key={row.key}
          type="button"
          role="treeitem"
          className="runtail-tree-row"
          data-tone={stepTone(row.status)}
          data-status={row.status}
          aria-level={row.depth + 1}
          aria-selected={false}
          {...(row.children > 0 ? { "aria-expanded": true } : {})}
          tabIndex={index === at ? 0 : -1}
          onFocus={() => setReached(row.key)}
          onClick={() => onStep(row)}
        >
          <span className="runtail-tree-indent" ref={(element) => void element?.style.setProperty("--depth", String(row.depth))} />
          <StepIcon status={row.status} />
          <Told className="runtail-step-name" text={row.name} titled />
          <span className="runtail-spoken">{stepSpoken(row, now, strings)}</span>
          <StepCounts row={row} />
          <span className="runtail-step-facts" aria-hidden="true">{stepFacts(row, now, strings).join(" · ")}</span>
        </button>
      ))}
    </div>
  );
}

function StepCounts({ row }: { readonly row: StepRow }): ReactElement | null {
  const { execution } = useStrings();
  const { errors = 0, warnings = 0 } = row.counts ?? {};
  if (errors + warnings === 0) return null;
  return (
    <span className="runtail-step-counts" aria-hidden="true">
      {errors > 0 && <span data-tone="error">{execution.errors(errors)}</span>}
      {warnings > 0 && <span data-tone="warning">{execution.warnings(warnings)}</span>}
    </span>
  );
}

/** Where *key* leads from *at*; null: nowhere. */
export function movedTo(key: string, at: number, count: number): number | null {
  switch (key) {
    case "ArrowDown":
      return Math.min(count - 1, at + 1);
    case "ArrowUp":
      return Math.max(0, at - 1);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
