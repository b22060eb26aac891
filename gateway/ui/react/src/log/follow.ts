/**
 * Whether the view stays at the end of the log. It is left by the reader's own act alone, never by layout
 * or data, and taken up again where the reader reaches the bottom. Pure.
 */

/** What the reader did. */
export type Act = "wheel" | "key" | "drag" | "select" | "jump";

export type Follow =
  | { readonly mode: "following" }
  /** `since`: the newest line when it was left, for the count of new ones. */
  | { readonly mode: "reading"; readonly since: number; readonly by: Act };

export const FOLLOWING: Follow = { mode: "following" };

/** The reader did *act*, and the newest line is *last*. */
export function left(follow: Follow, act: Act, last: number): Follow {
  return follow.mode === "reading" ? follow : { mode: "reading", since: last, by: act };
}

/** The reader's own move ended at *distance* pixels from the bottom. */
export function movedTo(follow: Follow, distance: number, downwards: boolean): Follow {
  return follow.mode === "reading" && downwards && distance <= 2 ? FOLLOWING : follow;
}

/** How many lines came since it was left. */
export function newLines(follow: Follow, last: number): number {
  return follow.mode === "reading" ? Math.max(0, last - follow.since) : 0;
}

/** What a frame of following shows, and what was left out. */
export interface Step {
  /** Where the top goes, in pixels. */
  readonly top: number;
  /** Rows that were never on screen: from, until (exclusive); null: none. */
  readonly skipped: { readonly from: number; readonly until: number } | null;
}

const BEHIND_MS = 2_000;
const MOST_ARRIVALS = 1_000;

/**
 * Pace of following: every row is on screen for a frame at least, as long as that keeps within two
 * seconds of the newest; beyond that it jumps to live, and says which rows it skipped.
 */
export class Pace {
  #arrivals: { at: number; rows: number }[] = [];

  /** There are *rows* rows at *now*. */
  arrived(rows: number, now: number): void {
    const newest = this.#arrivals.at(-1);
    if (newest && rows < newest.rows) this.clear(); // a filter, a fold: other rows than those that waited
    else if (newest && rows === newest.rows) return;
    if (this.#arrivals.length === MOST_ARRIVALS) this.#arrivals.splice(1, 1); // the oldest says how late it is
    this.#arrivals.push({ at: now, rows });
  }

  /** Begin anew: what is there is on screen, or nobody waits for it. */
  clear(): void {
    this.#arrivals = [];
  }

  /** How long the first row after *shown* has waited. */
  lagMs(shown: number, now: number): number {
    while (this.#arrivals[0] && this.#arrivals[0].rows <= shown) this.#arrivals.shift();
    const waiting = this.#arrivals[0];
    return waiting ? now - waiting.at : 0;
  }

  /** Move on from *top* towards *end* in one frame; *shown* rows are on screen or above it. */
  step(view: { top: number; end: number; viewport: number; rowHeight: number; shown: number; rows: number; smooth: boolean }, now: number): Step {
    const { top, end, viewport, rowHeight } = view;
    const left = end - top;
    if (left <= 0.5) return { top: end, skipped: null };
    if (this.lagMs(view.shown, now) > BEHIND_MS) {
      this.clear();
      const until = Math.max(view.shown, view.rows - Math.floor(viewport / rowHeight));
      return { top: end, skipped: until > view.shown ? { from: view.shown, until } : null };
    }
    const most = Math.max(rowHeight, viewport - 2 * rowHeight);
    const eased = view.smooth && left < viewport ? Math.max(2, left * 0.3) : most;
    return { top: Math.min(end, top + Math.min(eased, most)), skipped: null };
  }
}
