import { createClient, type RuntailClient } from "@runtail/client";
import { type ReactElement, type ReactNode, useContext, useInsertionEffect, useMemo, useRef } from "react";
import { ClientContext, TokenContext } from "./client-context.ts";
import type { Clock } from "./clock.ts";
import { ClockContext, StringsContext } from "./context.ts";
import { once } from "./stores.ts";
import { replaceStrings, type SomeStrings } from "./strings.ts";

type Token = string | null | (() => string | null | Promise<string | null>);

export interface RuntailProviderProps {
  readonly children?: ReactNode;
  /** A client of your own; `url`, `token` and `share` then say nothing. */
  readonly client?: RuntailClient;
  /** Where the gateway is; by default where the page came from. */
  readonly url?: string;
  /** A token, or a function that is asked before each connection and before the token expires. */
  readonly token?: Token;
  /** A share link's `share`, instead of a token. */
  readonly share?: string;
  /** Words to replace. */
  readonly strings?: SomeStrings;
  /** The time; for tests and pictures. */
  readonly clock?: Clock;
}

/** The newest *value*, to be asked for later. */
function useLatest<T>(value: T): () => T {
  const latest = useRef(value);
  useInsertionEffect(() => {
    latest.current = value;
  });
  return useMemo(() => () => latest.current, []);
}

/**
 * Give all below one client, hence one connection. The client is made when it is first needed, again
 * when `url` or `share` change, and not when `token` does: what is on screen stays. The newest token
 * counts from the next time that one is asked for; whoever was signed out tries a new text at once.
 */
export function RuntailProvider(props: RuntailProviderProps): ReactElement {
  const { client, url, share, children } = props;
  const token = useLatest(props.token);
  const source = useMemo(() => {
    if (client !== undefined) return () => client;
    const ask = (): string | null | Promise<string | null> => {
      const told = token();
      return (typeof told === "function" ? told() : told) ?? null;
    };
    return once(() => createClient({ token: ask, ...(url === undefined ? {} : { url }), ...(share === undefined ? {} : { share }) }));
  }, [client, url, share, token]);
  const clock = useContext(ClockContext);
  return (
    <ClientContext.Provider value={source}>
      <TokenContext.Provider value={typeof props.token === "string" ? props.token : null}>
        <ClockContext.Provider value={props.clock ?? clock}>
          <StringsProvider strings={props.strings}>{children}</StringsProvider>
        </ClockContext.Provider>
      </TokenContext.Provider>
    </ClientContext.Provider>
  );
}

export interface StringsProviderProps {
  readonly children?: ReactNode;
  readonly strings?: SomeStrings | undefined;
}

/** Replace words for all below; what is not named stays as it is around. */
export function StringsProvider({ strings, children }: StringsProviderProps): ReactElement {
  const around = useContext(StringsContext);
  const replaced = useMemo(() => replaceStrings(around, strings), [around, strings]);
  return <StringsContext.Provider value={replaced}>{children}</StringsContext.Provider>;
}
