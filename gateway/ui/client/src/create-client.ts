import { Addresses } from "./addresses.ts";
import type { ClientOptions, ListStore, LogEvent, LogStore, RestApi, RuntailClient } from "./client.ts";
import { surroundings } from "./environment.ts";
import { type ListPart, listPart } from "./list-part.ts";
import { type LogPart, logPart } from "./log-part.ts";
import { poolOf } from "./pool.ts";
import type { Store } from "./snapshot.ts";
import { type Keeper, storeOf, type Watched } from "./watched-store.ts";

/** Stores that were made and never watched: a page that renders and is thrown away leaves some. */
const UNWATCHED = 256;

interface Shared<S> {
  readonly store: S;
  readonly isWatched: () => boolean;
  readonly close: () => void;
}

/** One client a page: what it watches shares connections. Connects with the first subscriber. */
export function createClient(options: ClientOptions = {}): RuntailClient {
  const env = surroundings(options.environment);
  const addresses = new Addresses(options.url ?? ownAddress(), options.share);
  const pool = poolOf(env, addresses, options);
  const stores = new Map<string, Shared<unknown>>();
  const iterators = new Set<AsyncIterator<LogEvent>>();

  // Who asks for the same shares it, from its making until nobody watches it any more.
  function shared<S extends Store<T>, T, P extends Watched<T>>(
    key: string, partOf: (changed: () => void) => P, more: (part: P) => Omit<S, keyof Store<T> | "reconnect">,
  ): S {
    const known = stores.get(key);
    if (known) return known.store as S;
    const keeper: Keeper = {
      kept: () => stores.has(key) || stores.set(key, own),
      left: () => stores.get(key) === own && stores.delete(key),
    };
    const part = partOf(() => watched.changed());
    const watched = storeOf(env, part, keeper);
    const { subscribe, getSnapshot, isWatched, close } = watched;
    const reconnect = (): void => {
      if (isWatched()) pool.reconnect(part);
    };
    const own: Shared<unknown> = { store: { ...more(part), subscribe, getSnapshot, reconnect }, isWatched, close };
    const idle = [...stores].filter(([, each]) => !each.isWatched());
    if (idle.length >= UNWATCHED) stores.delete(idle[0]![0]);
    stores.set(key, own);
    return own.store as S;
  }

  return {
    log: (executionId, wanted = {}) =>
      shared<LogStore, unknown, LogPart>(
        keyOf(executionId, wanted),
        (changed) => logPart(pool, executionId, wanted, options, changed),
        () => ({
          executionId,
          events() {
            const loaded = import("./log-events.ts");
            const made = loaded.then(({ logEvents }) => logEvents(pool, executionId, wanted, options, () => iterators.delete(events)));
            const events: AsyncIterableIterator<LogEvent> = {
              [Symbol.asyncIterator]: () => events,
              next: () => made.then((own) => own.next()),
              return: () => made.then((own) => own.return()),
            };
            iterators.add(events);
            return events;
          },
        }),
      ),
    list: (filter = {}) =>
      shared<ListStore, unknown, ListPart>(keyOf("", filter), (changed) => listPart(pool, filter, changed), ({ add }) => ({ add })),
    rest: lazyRest(() => import("./rest.ts").then(({ restApi }) => restApi(env, addresses, options)), addresses),
    pool,
    close() {
      for (const { close } of stores.values()) close();
      for (const events of iterators) void events.return?.();
    },
  };
}

type Requests = Omit<RestApi, "downloadUrl">;

// Requests are a module of their own: it is loaded with the first of them.
function lazyRest(load: () => Promise<Requests>, addresses: Addresses): RestApi {
  const rest: Record<string, unknown> = { downloadUrl: (id: string, format: string) => addresses.of(id, `/logs.${format}`) };
  for (const name of "execution executions logs steps cancel remove startDemo ask".split(" ") as (keyof Requests)[]) {
    rest[name] = async (...given: never[]) => ((await load())[name] as (...all: never[]) => unknown)(...given);
  }
  return rest as unknown as RestApi;
}

// The same options in another order are the same.
const keyOf = (id: string, options: object): string => JSON.stringify([id, ...Object.entries(options).sort()]);

function ownAddress(): string {
  if (typeof location === "undefined") throw new TypeError("url is missing, expected the gateway's address");
  return new URL(".", location.href).href;
}
