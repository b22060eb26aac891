/** Where a gateway answers what. Pure. */

export type Parameter = readonly [name: string, value: string];

/** What a subscription asks for, as it is said over a socket. */
export interface Wish {
  readonly after?: readonly string[];
  readonly tail?: number;
  readonly wait?: boolean;
  readonly level?: readonly string[];
  readonly step?: readonly string[];
}

export interface Asked {
  readonly id: string;
  readonly wish: Wish;
}

/** Spell each field of *query* that is there as a parameter; of a list each item. */
export function parametersOf(query: object): Parameter[] {
  return Object.entries(query).flatMap(([name, value]: [string, unknown]): Parameter[] => {
    if (value === undefined || value === null) return [];
    return (Array.isArray(value) ? (value as unknown[]) : [value]).map((item) => [name, String(item)]);
  });
}

export class Addresses {
  readonly #base: URL;
  readonly #share: Parameter[];

  /** *url* is the gateway's, with its path prefix; raises TypeError for what is none. */
  constructor(url: string, share: string | undefined) {
    this.#base = new URL(url.endsWith("/") ? url : `${url}/`);
    this.#share = parametersOf({ share });
  }

  /** A path of the gateway, with *query* behind it. */
  http(path: string, query: readonly Parameter[] = []): string {
    const address = new URL(path, this.#base);
    for (const [name, value] of query) address.searchParams.append(name, value);
    return address.href;
  }

  /** A path of one execution. */
  of(id: string, path: string, query: object = {}): string {
    return this.http(`executions/${encodeURIComponent(id)}${path}`, [...this.#share, ...parametersOf(query)]);
  }

  /** The list, as *query* chooses. */
  list(query: object): string {
    return this.http("executions", parametersOf(query));
  }

  /** The socket for many executions. */
  get sockets(): string {
    return asSocket(this.http("ws/executions"));
  }

  /** The socket of one execution, for a share link. */
  socketOf({ id, wish }: Asked): string {
    return asSocket(this.http(`ws/executions/${encodeURIComponent(id)}/logs`, [...this.#share, ...parametersOf(wish)]));
  }

  /** The event stream of one execution, or of several that ask alike; each goes on where it stands. */
  events(asked: readonly Asked[]): string {
    const [first] = asked;
    if (!first || asked.length === 1) return this.of(first?.id ?? "", "/events", first?.wish);
    const places = asked.filter(({ wish }) => wish.after?.length && wish.after[0] !== "$");
    const after = places.map(({ id, wish }) => `${id}=${wish.after?.[0] ?? ""}`).join(",");
    const newOnly = places.length === 0 && first.wish.after?.[0] === "$";
    return this.http("events", [
      ...asked.map(({ id }): Parameter => ["execution", id]),
      ...parametersOf({ ...first.wish, after: after || (newOnly ? "$" : null) }),
    ]);
  }
}

const asSocket = (address: string): string => address.replace(/^http/, "ws");
