/** Which steps are folded, and which lines that hides. */

import type { LogRecord } from "@runtail/client";
import type { Range } from "./rows.ts";
import { foldedLines, type Section, Steps } from "./steps.ts";

export class Folds {
  readonly steps = new Steps();
  readonly #folded = new Set<number>();
  /** Steps that failed and were opened or folded since: a reader's own choice stands. */
  readonly #failed = new Set<number>();
  /** Lines of mixed steps that have ended: they are many to look through, and do not change. */
  readonly #known = new Map<number, { section: Section; ranges: readonly Range[] }>();

  get any(): boolean {
    return this.#folded.size > 0;
  }

  isFolded(seq: number): boolean {
    return this.#folded.has(seq);
  }

  fold(seq: number, folded: boolean): void {
    if (folded) this.#folded.add(seq);
    else this.#folded.delete(seq);
    if (this.#hasFailed(seq)) this.#failed.add(seq);
  }

  /** Fold the steps that are over, but those that failed; or unfold all. */
  foldAll(folded: boolean): void {
    this.#folded.clear();
    if (!folded) return;
    for (const [seq, { end }] of this.steps.sections) if (end && end.status !== "failed") this.#folded.add(seq);
  }

  /** Unfold the steps that were folded when they failed. */
  openFailed(): void {
    for (const seq of this.#folded) {
      if (!this.#hasFailed(seq) || this.#failed.has(seq)) continue;
      this.#failed.add(seq);
      this.#folded.delete(seq);
    }
  }

  /** Unfold what hides *seq*; answer whether anything did. */
  reveal(seq: number, last: number): boolean {
    let news = false;
    for (const folded of this.#folded) {
      const section = this.steps.sections.get(folded);
      if (section && folded < seq && (section.end?.seq ?? last) >= seq) news = this.#folded.delete(folded) || news;
    }
    return news;
  }

  /** The hidden lines of a log whose newest line is *last*. */
  ranges(last: number, here: (seq: number) => LogRecord | null): Range[] {
    const out: Range[] = [];
    for (const seq of this.#folded) {
      const section = this.steps.sections.get(seq);
      if (section) out.push(...this.#linesOf(seq, section, last, here));
    }
    return out;
  }

  /** Forget what lies beyond *seq*. */
  withdraw(seq: number): void {
    this.steps.withdraw(seq);
    for (const failed of this.#failed) if (failed > seq || !this.#hasFailed(failed)) this.#failed.delete(failed);
    this.#known.clear();
  }

  #hasFailed(seq: number): boolean {
    return this.steps.sections.get(seq)?.end?.status === "failed";
  }

  #linesOf(seq: number, section: Section, last: number, here: (seq: number) => LogRecord | null): readonly Range[] {
    const known = this.#known.get(seq);
    if (known?.section === section) return known.ranges;
    const ranges = foldedLines(section, last, here);
    if (section.end) this.#known.set(seq, { section, ranges });
    return ranges;
  }
}
