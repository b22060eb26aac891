/** Values as a line, in a box of a given size. Pure. */

import type { Sample } from "./view.ts";

export interface Chart {
  /** An SVG path of the line, and of the area below it. */
  readonly line: string;
  readonly area: string;
  readonly least: number;
  readonly most: number;
  /** The last point. */
  readonly x: number;
  readonly y: number;
}

const PAD = 2;

/** *samples* from left to right; null: there is none. Values that do not change are a line in the middle. */
export function chartOf(samples: readonly Sample[], width: number, height: number): Chart | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return null;
  const values = samples.map(([, value]) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const time = Math.max(1, last[0] - first[0]);
  const x = ([at]: Sample): number => rounded(samples.length === 1 ? width - PAD : PAD + ((width - 2 * PAD) * (at - first[0])) / time);
  const y = ([, value]: Sample): number => rounded(most === least ? height / 2 : height - PAD - ((height - 2 * PAD) * (value - least)) / (most - least));
  const points = samples.map((sample) => `${x(sample)} ${y(sample)}`);
  const line = samples.length === 1 ? `M${PAD} ${y(last)}L${points[0]}` : `M${points.join("L")}`;
  const left = samples.length === 1 ? PAD : x(first);
  return { line, area: `${line}V${height}H${left}Z`, least, most, x: x(last), y: y(last) };
}

const rounded = (value: number): number => Math.round(value * 10) / 10;
