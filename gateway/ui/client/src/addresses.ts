/** Where a gateway answers what. Pure. */

export type Parameter = readonly [name: string, value: string];

/** What a subscription asks for, as it is said over a socket. */
export interface Wish {
  /** Newest first; of notes the one. */
  readonly after?: readonly string[] | string | undefined;
  readonly tail?: number | undefined;
  readonly wait?: boolean;
  readonly level?: readonly string[] | undefined;
  readonly step?: readonly string[] | undefined;
}

export interface Asked {
  readonly id: string;
  readonly wish: Wish;
}

/** Spell each field of *query* that is there as a parameter; of a list each item. */
export function parametersOf(query: object): Parameter[] {
  return Object.entries(query).flatMap(([name, value]: [string, unknown]): Parameter[] => {
    if (value === undefined || value === null) return [];
    return [value].flat().map((item) => [name, String(item)]);
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

  /** A path of one execution; below *root*, if it is not that of the requests. */
  of(id: string, path: string, query: object = {}, root = ""): string {
    return this.http(`${root}executions/${encodeURIComponent(id)}${path}`, [...this.#share, ...parametersOf(query)]);
  }

  /** The socket for many executions. */
  get sockets(): string {
    return asSocket(this.http("ws/executions"));
  }

  /** The socket of one execution, for a share link. */
  socketOf({ id, wish }: Asked): string {
    return asSocket(this.of(id, "/logs", wish, "ws/"));
  }
}

const asSocket = (address: string): string => address.replace(/^http/, "ws");
