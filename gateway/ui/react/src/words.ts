/** How a viewer stands with its gateway, in words that tell quiet from dead. */

import { connectionDetails, type Standing } from "./connection.ts";
import type { Strings } from "./strings.ts";
import { told } from "./Told.tsx";

/** How long after its last record a live log counts as quiet. */
const QUIET_AFTER_MS = 3_000;

/** Say how *standing* is at *now*. `now` null (on a server): without what changes by time alone. */
export function linkWords(standing: Standing, now: number | null, strings: Strings): string {
  const { link } = standing;
  const words = strings.link;
  const { attempt, retryInMs } = connectionDetails(standing, now);
  switch (link.phase) {
    case "connecting":
      return attempt === 0 ? words.connecting : words.reconnecting(attempt);
    case "replaying":
      return link.upTo === 0 ? words.waiting : words.catchingUp(Math.min(standing.lastSeq, link.upTo), link.upTo);
    case "live":
      return liveWords(standing, now, strings);
    case "retrying":
      return retryInMs === null ? words.reconnecting(attempt) : words.retryIn(attempt, Math.ceil(retryInMs / 1000));
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
  const { workerSilentMs, lastHeardMs } = connectionDetails(standing, now);
  if (workerSilentMs !== null) return link.workerSilent(workerSilentMs);
  if (standing.lastSeq === 0) return link.waiting;
  if (now === null || now - standing.lastRecordAt < QUIET_AFTER_MS) return link.live;
  return link.quiet(lastHeardMs ?? 0);
}

/** The same without numbers that move by themselves: what a screen reader is told, once. */
export function spokenWords(standing: Standing, strings: Strings): string {
  const { link } = standing;
  const words = strings.link;
  if (link.phase === "retrying") return words.reconnecting(link.attempt);
  if (link.phase === "replaying") return words.connecting;
  if (link.phase === "live") return (standing.workers?.silent ?? 0) > 0 ? words.workerSilent(0) : words.live;
  return linkWords(standing, null, strings);
}
