/** How much may be said to a gateway, which closes the sockets of those who say too much. Pure. */

const AT_ONCE = 80; // a gateway takes 100 at once, and 100 a minute (`client_messages`)
const REFILL_MS = 700;

export class Allowance {
  #left = AT_ONCE;
  #since: number;

  constructor(now: number) {
    this.#since = now;
  }

  /** Whether one more message may be said at *now*; it counts as said then. */
  take(now: number): boolean {
    const earned = Math.floor((now - this.#since) / REFILL_MS);
    if (earned > 0) {
      this.#left = Math.min(AT_ONCE, this.#left + earned);
      this.#since += earned * REFILL_MS;
    }
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** How long until there is one more (ms). */
  wait(now: number): number {
    return Math.max(1, this.#since + REFILL_MS - now);
  }
}
