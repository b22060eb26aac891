/** Where a key leads in a list. Pure. */

/** The row that *key* leads to from *at* (-1: none yet); null: it leads nowhere. */
export function destination(key: string, at: number, count: number, page: number): number | null {
  const steps: Readonly<Record<string, number>> = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: page, PageUp: -page, Home: -count, End: count };
  const step = steps[key];
  if (step === undefined || count === 0) return null;
  if (at < 0) return step > 0 && key !== "End" ? 0 : key === "Home" ? 0 : count - 1;
  return Math.min(count - 1, Math.max(0, at + step));
}
