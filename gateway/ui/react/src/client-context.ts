import { createClient, type RuntailClient } from "@runtail/client";
import { createContext, useContext } from "react";

/** Made when the first hook or component needs it: on a server, none does. */
export type ClientSource = () => RuntailClient;

let own: RuntailClient | null = null;

/** The client of the page's own origin, for pages without a provider. */
const ownClient: ClientSource = () => (own ??= createClient());

export const ClientContext = /* @__PURE__ */ createContext<ClientSource>(ownClient);

/** The token that the provider around was given, where that is a text. */
export const TokenContext = /* @__PURE__ */ createContext<string | null>(null);

/** The client that the provider around it has; without one, that of the page's own origin. */
export const useClient = (): ClientSource => useContext(ClientContext);
