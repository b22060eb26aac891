/** The time, told once a second to all who show it. */

export interface Clock {
  readonly now: () => number;
  /** Call *tick* at the beginning of every second; answers how to stop. */
  readonly onSecond: (tick: () => void) => () => void;
}

const ticking = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | null = null;

function schedule(): void {
  timer = setTimeout(() => {
    schedule();
    for (const tick of ticking) tick();
  }, 1000 - (Date.now() % 1000));
}

/** One timer for the whole page, while anybody looks. */
export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  onSecond: (tick) => {
    const own = (): void => tick();
    ticking.add(own);
    if (timer === null) schedule();
    return () => {
      ticking.delete(own);
      if (ticking.size > 0 || timer === null) return;
      clearTimeout(timer);
      timer = null;
    };
  },
};
