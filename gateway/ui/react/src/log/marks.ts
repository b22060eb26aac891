/** Where lines stand along a scroll bar. Pure. */

import type { Layout } from "./layout.ts";

/** Pixels from the top, ascending and each once, of the lines *seqs* (ascending) along *height* pixels. */
export function marksOf(seqs: readonly number[], layout: Layout, height: number): number[] {
  const out: number[] = [];
  const { total } = layout;
  if (total === 0) return out;
  for (const seq of seqs) {
    const index = layout.rows.indexOf(seq);
    if (index < 0) continue;
    const y = Math.min(height - 1, Math.floor((layout.offsetOf(index) / total) * height));
    if (out.at(-1) !== y) out.push(y);
  }
  return out;
}
