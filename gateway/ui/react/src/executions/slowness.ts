/** What counts as slower than usual. */

/** So many times the median is worth a word. */
const WORTH = 1.5;
/** Shorter runs differ by chance. */
const SHORTEST_MS = 5_000;

/** How many times its usual time it took; null: about as long as usual, or too short to tell. */
export function slowness(elapsedMs: number, usualMs: number): number | null {
  if (usualMs <= 0 || elapsedMs < SHORTEST_MS) return null;
  const times = elapsedMs / usualMs;
  return times >= WORTH ? times : null;
}
