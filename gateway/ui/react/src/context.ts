/** What components take from those around them: the client, the words, the time. */

import { createClient, type RuntailClient } from "@runtail/client";
import { createContext, useContext, useSyncExternalStore } from "react";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { ENGLISH, type Strings } from "./strings.ts";

/** Made when the first hook or component needs it: on a server, none does. */
export type ClientSource = () => RuntailClient;

let own: RuntailClient | null = null;

/** The client of the page's own origin, for pages without a provider. */
const ownClient: ClientSource = () => (own ??= createClient());

export const ClientContext = createContext<ClientSource>(ownClient);
export const StringsContext = createContext<Strings>(ENGLISH);
export const ClockContext = createContext<Clock>(SYSTEM_CLOCK);

/** The client that the provider around it has; without one, that of the page's own origin. */
export const useClient = (): ClientSource => useContext(ClientContext);

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

/** False on a server, and while its markup is taken over. */
export function useInBrowser(): boolean {
  return useSyncExternalStore(
    still,
    () => true,
    () => false,
  );
}
