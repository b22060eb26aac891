/** Clients that the elements of a page share: one for each gateway address and token. */

import { createClient, type RuntailClient } from "@runtail/client";
import type { Wish } from "./wish.ts";

type Token = Wish["token"];
type Place = Pick<Wish, "url" | "share">;

interface Shared {
  readonly place: string;
  readonly client: RuntailClient;
  token: Token;
  readonly users: Set<object>;
}

/** Make a client for *place* that asks *token* each time it needs one. */
type Make = (place: Place, token: () => string | null | Promise<string | null>) => RuntailClient;

const made: Make = ({ url, share }, token) => createClient({ url, token, ...(share === null ? {} : { share }) });

export class Gateways {
  readonly #make: Make;
  readonly #all = new Set<Shared>();
  /** Which token each user has. */
  readonly #given = new WeakMap<object, Token>();

  constructor(make: Make = made) {
    this.#make = make;
  }

  /**
   * The client for *user*, who has *token* now. Who has the same address and the same token shares it; a
   * new token that all of them are given, one after the other, renews it in place; who is given another
   * than the others has a client alone.
   */
  clientFor(user: object, { url, share }: Place, token: Token): RuntailClient {
    const place = JSON.stringify([url, share]);
    const current = [...this.#all].find(({ users }) => users.has(user));
    const before = this.#given.get(user) ?? null;
    const stays = current?.place === place && (current.token === token || current.token === before || current.users.size === 1);
    if (!stays) this.leave(user);
    this.#given.set(user, token);
    if (stays) {
      current.token = token;
      return current.client;
    }
    const shared = [...this.#all].find((each) => each.place === place && each.token === token) ?? this.#add({ url, share }, place, token);
    shared.users.add(user);
    return shared.client;
  }

  /** *user* is gone. */
  leave(user: object): void {
    this.#given.delete(user);
    for (const shared of this.#all) {
      shared.users.delete(user);
      if (shared.users.size === 0) this.#all.delete(shared);
    }
  }

  #add(place: Place, key: string, token: Token): Shared {
    const shared: Shared = {
      place: key,
      client: this.#make(place, () => (typeof shared.token === "function" ? shared.token() : shared.token)),
      token,
      users: new Set(),
    };
    this.#all.add(shared);
    return shared;
  }
}
