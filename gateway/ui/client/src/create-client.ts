import { Addresses } from "./addresses.ts";
import type { ClientOptions, RuntailClient } from "./client.ts";
import { surroundings } from "./environment.ts";
import { WatchedList } from "./list-store.ts";
import { type StoreCare, WatchedLog } from "./log-store.ts";
import { Pool } from "./pool.ts";
import { restApi } from "./rest.ts";

const WINDOW = 10_000;
/** Stores that were made and never watched: a page that renders and is thrown away leaves some. */
const UNWATCHED = 256;

interface Closable {
  close(): void;
}

/** One client a page: what it watches shares connections. Connects with the first subscriber. */
export function createClient(options: ClientOptions = {}): RuntailClient {
  const env = surroundings(options.environment);
  const addresses = new Addresses(options.url ?? ownAddress(), options.share);
  const pool = new Pool(env, addresses, options);
  const logs = new Registry<WatchedLog>(options.windowRecords ?? WINDOW);
  const lists = new Registry<WatchedList>(0);
  return {
    log: (executionId, wanted = {}) =>
      logs.get(keyOf(executionId, wanted), (care) => new WatchedLog(pool, executionId, wanted, care)),
    list: (filter = {}) => lists.get(keyOf("", filter), (care) => new WatchedList(pool, filter, care)),
    rest: restApi(env, addresses, options),
    close() {
      logs.close();
      lists.close();
    },
  };
}

/** Stores by what they watch: who asks for the same shares it, as long as it is watched. */
class Registry<T extends Closable> {
  readonly #window: number;
  readonly #stores = new Map<string, T>();
  readonly #watched = new Set<string>();

  constructor(window: number) {
    this.#window = window;
  }

  get(key: string, make: (care: StoreCare) => T): T {
    const known = this.#stores.get(key);
    if (known) return known;
    const store: T = make({
      window: this.#window,
      kept: () => {
        if (!this.#stores.has(key)) this.#stores.set(key, store);
        this.#watched.add(key);
      },
      left: () => {
        if (this.#stores.get(key) === store) this.#forget(key);
      },
    });
    this.#stores.set(key, store);
    this.#tidy();
    return store;
  }

  close(): void {
    for (const store of this.#stores.values()) store.close();
  }

  #forget(key: string): void {
    this.#stores.delete(key);
    this.#watched.delete(key);
  }

  #tidy(): void {
    if (this.#stores.size - this.#watched.size <= UNWATCHED) return;
    for (const key of this.#stores.keys()) if (!this.#watched.has(key)) return this.#forget(key);
  }
}

// The same options in another order are the same.
const keyOf = (id: string, options: object): string =>
  JSON.stringify([id, Object.entries(options).filter(([, value]) => value !== undefined).sort(([a], [b]) => (a < b ? -1 : 1))]);

function ownAddress(): string {
  if (typeof location === "undefined") throw new TypeError("url is missing, expected the gateway's address");
  return new URL(".", location.href).href;
}
