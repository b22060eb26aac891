/** How long to wait before the next try. Pure. */

const FIRST_MS = 1_000;
const CAP_MS = 30_000;

/**
 * Full jitter: anything up to a bound that doubles with each *attempt* (1, 2, …), at most 30 s. A
 * thousand pages that were cut off together must not come back together. *random* is in [0, 1).
 */
export const backoff = (attempt: number, random: number): number =>
  random * Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
