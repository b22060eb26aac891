import type { ReactElement } from "react";
import { useStrings } from "../context.ts";
import { linePoints, stacked } from "./chart.ts";
import type { MinuteFigures } from "./figures.ts";

const WIDTH = 300;
const HEIGHT = 40;
const KINDS = ["failed", "cancelled", "completed"] as const;

/** Ends by minute as bars, starts as a line. Said in words to who does not see it. */
export function MinuteChart({ minutes }: { readonly minutes: readonly MinuteFigures[] }): ReactElement {
  const { figures } = useStrings();
  const sum = (count: (minute: MinuteFigures) => number): number => minutes.reduce((all, minute) => all + count(minute), 0);
  const ends = (minute: MinuteFigures): number => minute.completed + minute.failed + minute.cancelled;
  const most = Math.max(1, ...minutes.map((minute) => Math.max(ends(minute), minute.started)));
  const step = WIDTH / Math.max(1, minutes.length);
  const line = linePoints([...minutes.map(({ started }) => started), most], WIDTH + step, HEIGHT);
  return (
    <figure className="runtail-chart">
      <svg viewBox={`0 -2 ${WIDTH} ${HEIGHT + 2}`} preserveAspectRatio="none" role="img" aria-label={figures.chart(sum(({ started }) => started), sum(ends), sum(({ failed }) => failed), minutes.length)}>
        <line className="runtail-chart-ground" x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        {minutes.map((minute, n) => (
          <g key={minute.minute}>
            {stacked(KINDS.map((kind) => minute[kind]), most, HEIGHT).map(({ y, height }, at) => height > 0 && (
              <rect key={KINDS[at]} data-kind={KINDS[at]} x={n * step + step * 0.12} width={step * 0.76} y={y} height={height} />
            ))}
          </g>
        ))}
        <polyline className="runtail-chart-line" points={line.slice(0, line.lastIndexOf(" "))} />
      </svg>
      <figcaption>
        <span>{figures.perMinute}</span>
        {(["started", "completed", "failed"] as const).map((kind) => (
          <span key={kind} data-kind={kind}>
            {figures.legend[kind]}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
