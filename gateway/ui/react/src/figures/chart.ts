/** Shapes of small charts. Pure. */

export interface Bar {
  readonly x: number;
  readonly y: number;
  readonly height: number;
}

/** What is stacked on what, from below: heights in px of *height*, for values whose sum is at most *most*. */
export function stacked(values: readonly number[], most: number, height: number): readonly Pick<Bar, "y" | "height">[] {
  let y = height;
  return values.map((value) => {
    const own = most === 0 ? 0 : (value / most) * height;
    y -= own;
    return { y, height: own };
  });
}

/** A line through *values*, as points of a polyline in *width* by *height*; the least is 0. */
export function linePoints(values: readonly number[], width: number, height: number): string {
  const most = Math.max(1, ...values);
  const step = values.length < 2 ? 0 : width / (values.length - 1);
  return values.map((value, n) => `${round(n * step)},${round(height - (value / most) * height)}`).join(" ");
}

const round = (value: number): number => Math.round(value * 10) / 10;
