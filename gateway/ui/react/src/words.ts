/** How a viewer stands with its gateway, in words that tell quiet from dead. */

import type { LogSnapshot } from "@runtail/client";
import type { Strings } from "./strings.ts";
import { told } from "./Told.tsx";

/** How long after its last record a live log counts as quiet. */
const QUIET_AFTER_MS = 3_000;

/** What those words are made of. */
export type Standing = Pick<
  LogSnapshot,
  "link" | "lastSeq" | "lastHeardAt" | "lastRecordAt" | "workers" | "completeness"
>;

/** Say how *standing* is at *now*. `now` null (on a server): without what changes by time alone. */
export function linkWords(standing: Standing, now: number | null, strings: Strings): string {
  const { link } = standing;
  const words = strings.link;
  switch (link.phase) {
    case "connecting":
      return link.attempt === 0 ? words.connecting : words.reconnecting(link.attempt);
    case "replaying":
      return link.upTo === 0 ? words.waiting : words.catchingUp(Math.min(standing.lastSeq, link.upTo), link.upTo);
    case "live":
      return liveWords(standing, now, strings);
    case "retrying":
      return now === null
        ? words.reconnecting(link.attempt)
        : words.retryIn(link.attempt, Math.max(0, Math.ceil((link.retryAt - now) / 1000)));
    case "signed_out":
      return words.signedOut;
    case "refused":
      return words.refused(told(link.message));
    case "ended":
      return words.ended(standing.completeness);
    case "closed":
      return words.closed;
  }
}

function liveWords(standing: Standing, now: number | null, { link }: Strings): string {
  if ((standing.workers?.silent ?? 0) > 0) return link.workerSilent;
  if (standing.lastSeq === 0) return link.waiting;
  if (now === null || now - standing.lastRecordAt < QUIET_AFTER_MS) return link.live;
  return link.quiet(Math.max(0, now - standing.lastHeardAt));
}

/** The same without numbers that move by themselves: what a screen reader is told, once. */
export function spokenWords(standing: Standing, strings: Strings): string {
  const { link } = standing;
  const words = strings.link;
  if (link.phase === "retrying") return words.reconnecting(link.attempt);
  if (link.phase === "replaying") return words.connecting;
  if (link.phase === "live") return (standing.workers?.silent ?? 0) > 0 ? words.workerSilent : words.live;
  return linkWords(standing, null, strings);
}
