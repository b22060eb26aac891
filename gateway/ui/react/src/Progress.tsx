import type { ReactElement } from "react";
import { useStrings } from "./context.ts";
import type { Tone } from "./status.ts";

export interface ProgressProps {
  /** 0 … 100; null: under way, and not known how far. */
  readonly value: number | null;
  readonly tone?: Tone;
  /** Of what, where it is not the execution's. */
  readonly label?: string;
}

/** A bar as wide as its place. Drawn by attributes alone, so that no policy stands against it. */
export function Progress({ value, tone = "running", label }: ProgressProps): ReactElement {
  const { viewer, percent } = useStrings();
  const told = value === null ? {} : { "aria-valuenow": Math.floor(value), "aria-valuetext": percent(value) };
  return (
    <div
      className="runtail-progress"
      data-tone={tone}
      data-unknown={value === null}
      role="progressbar"
      aria-label={label ?? (value === null ? viewer.progressUnknown : viewer.progress)}
      aria-valuemin={0}
      aria-valuemax={100}
      {...told}
    >
      <svg width="100%" height="100%" aria-hidden="true" focusable="false">
        <rect width={value === null ? "30%" : `${value}%`} height="100%" />
      </svg>
    </div>
  );
}
