/** Keeps a connection's token young: a newer one is sent before it expires. */

import type { Environment } from "./client.ts";

/** So long before the end a newer token is asked for; of a short one at half of its time. */
const AHEAD_MS = 60_000;
const AGAIN_MS = 5_000;
/** Longer than any timer may be set for. */
const LONGEST_MS = 2 ** 31 - 1;

export class Renewal {
  /** The token that was sent last. */
  token: string | null = null;
  readonly #env: Environment;
  readonly #ask: () => Promise<string | null>;
  readonly #send: (token: string) => void;
  #expiresAt = 0;
  #timer: unknown;
  #turn = 0;

  constructor(env: Environment, ask: () => Promise<string | null>, send: (token: string) => void) {
    this.#env = env;
    this.#ask = ask;
    this.#send = send;
  }

  /** A connection begins with *token*. */
  begin(token: string | null): void {
    this.stop();
    this.token = token;
    this.#expiresAt = 0;
  }

  stop(): void {
    this.#turn += 1;
    this.#env.clearTimeout(this.#timer);
  }

  /**
   * The gateway takes the token until *expiresAt* (s since 1970; null: for ever), or (undefined)
   * does not take it: the one before stays in force until its end.
   */
  answered(expiresAt: number | null | undefined): void {
    if (expiresAt === null) return this.stop();
    if (expiresAt === undefined) return this.#later(AGAIN_MS);
    this.#expiresAt = expiresAt * 1000;
    return this.#later(0);
  }

  /** Ask for a newer token at once. */
  now(): void {
    this.stop();
    const turn = this.#turn;
    const take = (token: string | null): void => {
      if (turn !== this.#turn) return;
      if (token === null || token === this.token) return this.#later(AGAIN_MS);
      this.token = token;
      this.#send(token);
    };
    this.#ask().then(take, () => take(null));
  }

  #later(least: number): void {
    this.stop();
    const left = this.#expiresAt - this.#env.now();
    // By a clock that says it is over already nothing can be planned; the gateway's `expiring` still can.
    const delay = left > 0 ? Math.max(left / 2, left - AHEAD_MS, least) : AHEAD_MS;
    this.#timer = this.#env.setTimeout(() => this.now(), Math.min(delay, LONGEST_MS));
  }
}
