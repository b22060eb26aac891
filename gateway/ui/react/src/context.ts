/** What components take from those around them beside the client: the words, the time. */

import { createContext, useContext, useSyncExternalStore } from "react";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { ENGLISH, type Strings } from "./strings.ts";

export const StringsContext = /* @__PURE__ */ createContext<Strings>(ENGLISH);
export const ClockContext = /* @__PURE__ */ createContext<Clock>(SYSTEM_CLOCK);

export const useStrings = (): Strings => useContext(StringsContext);

const still = (): (() => void) => () => {};

/** The time in ms, at most a second old; null on a server and while its markup is taken over. */
export function useNow(ticking: boolean): number | null {
  const clock = useContext(ClockContext);
  return useSyncExternalStore(
    ticking ? clock.onSecond : still,
    () => Math.floor(clock.now() / 1000) * 1000,
    () => null,
  );
}

/** Rises every *seconds* (0: never): for what moves on slowly. */
export function useSeconds(seconds: number): number {
  const clock = useContext(ClockContext);
  return useSyncExternalStore(
    seconds > 0 ? clock.onSecond : still,
    () => (seconds > 0 ? Math.floor(clock.now() / 1000 / seconds) : 0),
    () => 0,
  );
}

/** False on a server, and while its markup is taken over. */
export function useInBrowser(): boolean {
  return useSyncExternalStore(
    still,
    () => true,
    () => false,
  );
}
