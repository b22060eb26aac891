/** Keeps a connection's token young: a newer one is sent before it expires. */

import type { Environment } from "./client.ts";

/** So long before the end a newer token is asked for; of a short one at half of its time. */
const AHEAD_MS = 60_000;
const AGAIN_MS = 5_000;
/** Longer than any timer may be set for. */
const LONGEST_MS = 2 ** 31 - 1;

export interface Renewal {
  /** The token that was sent last. */
  readonly token: () => string | null;
  /** A connection begins with *token*. */
  begin(token: string | null): void;
  /** Ask for a newer token at once. */
  now(): void;
  stop(): void;
  /**
   * The gateway takes the token until *expiresAt* (s since 1970; null: for ever), or (undefined)
   * does not take it: the one before stays in force until its end.
   */
  answered(expiresAt: number | null | undefined): void;
}

export function renewalOf(
  env: Environment, ask: () => Promise<string | null>, send: (token: string) => void,
): Renewal {
  let token: string | null = null;
  let expiresAt = 0;
  let timer: unknown;
  let turn = 0;

  const stop = (): void => {
    turn += 1;
    env.clearTimeout(timer);
  };
  const later = (least: number): void => {
    stop();
    const left = expiresAt - env.now();
    // By a clock that says it is over already nothing can be planned; the gateway's `expiring` still can.
    const delay = left > 0 ? Math.max(left / 2, left - AHEAD_MS, least) : AHEAD_MS;
    timer = env.setTimeout(now, Math.min(delay, LONGEST_MS));
  };
  const now = (): void => {
    stop();
    const asked = turn;
    const take = (newer: string | null): void => {
      if (asked !== turn) return;
      if (newer === null || newer === token) return later(AGAIN_MS);
      token = newer;
      send(newer);
    };
    ask().then(take, () => take(null));
  };

  return {
    token: () => token,
    now,
    stop,
    begin(first) {
      stop();
      token = first;
      expiresAt = 0;
    },
    answered(until) {
      if (until === null) return stop();
      if (until === undefined) return later(AGAIN_MS);
      expiresAt = until * 1000;
      return later(0);
    },
  };
}
