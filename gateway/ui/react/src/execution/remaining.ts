/**
 * How long a run still takes, or that it is not known. Pure.
 *
 * From its progress: the pace of the last third of its time, held against the pace of all of it. Where the two
 * differ by more than two times, or nothing was heard of it for long, it is not known. Without progress: what
 * is left of the usual time of its workflow. What is shown changes only when it would be off by a fifth.
 */

import type { Sample } from "./view.ts";

/** What a workflow usually takes. */
export interface Usual {
  readonly medianMs: number;
  /** Runs that it is known from. */
  readonly finished: number;
}

export type Estimate =
  | { readonly by: "progress"; readonly ms: number; readonly perSecond: number; readonly overMs: number }
  | { readonly by: "usual"; readonly ms: number; readonly usual: Usual }
  | { readonly by: "nothing"; readonly why: "early" | "uneven" | "still" | "none" | "longer" };

export interface Watched {
  readonly samples: readonly Sample[];
  readonly startedAt: number | null;
  readonly now: number;
  readonly usual: Usual | null;
}

const LEAST_SAMPLES = 3;
const LEAST_MS = 5_000;
const SHORTEST_LOOK_MS = 20_000;
const LONGEST_LOOK_MS = 10 * 60_000;
const UNEVEN = 2;
const STILL_MS = 30_000;
export const LEAST_FINISHED = 5;

export function estimate(watched: Watched): Estimate {
  const { samples, startedAt, now, usual } = watched;
  if (samples.length > 0) return fromProgress(watched);
  if (usual === null || startedAt === null || usual.finished < LEAST_FINISHED) return { by: "nothing", why: "none" };
  const ms = usual.medianMs - (now - startedAt);
  return ms > 0 ? { by: "usual", ms, usual } : { by: "nothing", why: "longer" };
}

function fromProgress({ samples, startedAt, now }: Watched): Estimate {
  const [at, value] = samples.at(-1)!;
  const began = startedAt ?? samples[0]![0];
  const look = Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, (now - began) / 3));
  const recent = samples.filter(([when]) => when >= at - look);
  const [first, before] = recent[0]!;
  if (recent.length < LEAST_SAMPLES || at - first < LEAST_MS || at <= began) return { by: "nothing", why: "early" };
  const pause = (at - first) / (recent.length - 1);
  if (now - at > Math.max(STILL_MS, 4 * pause) || value <= before) return { by: "nothing", why: "still" };
  const pace = (value - before) / (at - first);
  const overall = value / (at - began);
  if (Math.max(pace, overall) > UNEVEN * Math.min(pace, overall)) return { by: "nothing", why: "uneven" };
  const ms = (100 - value) / Math.sqrt(pace * overall) - (now - at);
  return { by: "progress", ms: Math.max(0, ms), perSecond: pace * 1000, overMs: at - first };
}

/** What is shown: it stays until it is clearly wrong. */
export interface Shown {
  readonly estimate: Estimate;
  /** When it would be over; null: not known. */
  readonly endsAt: number | null;
  /** Since when the newest estimates say another thing; null: they do not. */
  readonly otherwiseSince: number | null;
}

const OFF = 0.2;
const LEAST_OFF_MS = 5_000;
const PATIENCE_MS = 4_000;

/** What to show after *shown* (null: nothing was), now that *next* is estimated. */
export function steadied(shown: Shown | null, next: Estimate, now: number): Shown {
  const endsAt = next.by === "nothing" ? null : now + next.ms;
  if (shown === null || shown.endsAt === endsAt) return { estimate: next, endsAt, otherwiseSince: null };
  if (endsAt !== null && shown.endsAt !== null) {
    const off = Math.abs(endsAt - shown.endsAt);
    const isOff = off > Math.max(LEAST_OFF_MS, OFF * Math.max(0, shown.endsAt - now));
    return isOff ? { estimate: next, endsAt, otherwiseSince: null } : { ...shown, otherwiseSince: null };
  }
  const never = shown.estimate.by === "nothing" && ["none", "early"].includes(shown.estimate.why);
  if (endsAt !== null && never) return { estimate: next, endsAt, otherwiseSince: null };
  const since = shown.otherwiseSince ?? now;
  return now - since >= PATIENCE_MS ? { estimate: next, endsAt, otherwiseSince: null } : { ...shown, otherwiseSince: since };
}
