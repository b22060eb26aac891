/** How fast a gateway listens, which closes the sockets of those who say too much. Pure. */

const AT_ONCE = 80; // a gateway takes 100 at once, and 100 a minute (`client_messages`)
const EACH_MS = 700;

/** Answer, for each message that is to be said at *now*, how long it has to wait (ms): 80 go at once. */
export function pace(): (now: number) => number {
  let free = -Infinity;
  return (now) => {
    free = Math.max(free + EACH_MS, now - (AT_ONCE - 1) * EACH_MS);
    return Math.max(0, free - now);
  };
}
