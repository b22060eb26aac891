/** All connections of a page: parts share them as far as the gateway lets them. */

import { Addresses } from "./addresses.ts";
import type { ClientOptions, Environment } from "./client.ts";
import { GIVEN_UP, GONE } from "./close-codes.ts";
import { Link, type LinkContext, type LinkKind } from "./link.ts";
import { LIST, type Part } from "./part.ts";

/** What one connection may carry: `subscriptions` and `event_executions` of the gateway's settings. */
const ROOM: Readonly<Record<LinkKind, number>> = { socket: 200, share: 1, events: 20, poll: 1 };
/** Sockets in a row that never said anything, until event streams are tried. */
const MISSES = 2;

export class Pool implements LinkContext {
  readonly env: Environment;
  readonly addresses: Addresses;
  readonly token: ClientOptions["token"];
  readonly #options: ClientOptions;
  readonly #places = new Map<Part, Link>();
  readonly #links = new Set<Link>();
  #events: boolean;
  #reached = false; // over the transport in use
  #misses = 0;
  #attempt = 0;
  #unwatch: (() => void) | null = null;

  constructor(env: Environment, addresses: Addresses, options: ClientOptions) {
    this.env = env;
    this.addresses = addresses;
    this.token = options.share === undefined ? options.token : undefined;
    this.#options = options;
    this.#events = options.transport === "events";
  }

  /** Watch *part* over a connection that has room for it. Twice is once. */
  attach(part: Part): void {
    if (this.#places.has(part)) return;
    this.#unwatch ??= this.env.onWake(() => {
      for (const link of this.#links) link.wake();
    });
    const kind = this.#kindFor(part);
    const link = [...this.#links].find((each) => each.kind === kind && fits(each, part)) ?? new Link(this, kind, this.#attempt);
    this.#links.add(link);
    this.#places.set(part, link);
    link.attach(part);
  }

  /** Watch *part* no longer. Twice is once. *over*: the gateway knows already. */
  detach(part: Part, over = false): void {
    const link = this.#places.get(part);
    if (!link) return;
    this.#places.delete(part);
    if (over) link.over(part);
    if (link.detach(part)) this.#links.delete(link);
    if (this.#links.size > 0) return;
    this.#unwatch?.();
    this.#unwatch = null;
  }

  /** Make the connection under *part* anew, at once. */
  reconnect(part: Part): void {
    const link = this.#places.get(part);
    if (link) link.reconnect();
    else this.attach(part);
  }

  /** Ask anew for what *part* watches, over the same connection. */
  again(part: Part): void {
    this.#places.get(part)?.again(part);
  }

  reached(): void {
    this.#reached = true;
    this.#misses = 0;
  }

  missed(link: Link, code: number): boolean {
    const auto = (this.#options.transport ?? "auto") === "auto";
    if (!auto || this.#reached || (code !== GONE && code !== GIVEN_UP)) return false;
    this.#misses += 1;
    if (!this.#events && this.#misses < MISSES) return false;
    this.#switch(link);
    return true;
  }

  // Sockets are blocked, or nobody is there: then event streams say nothing either, and it is sockets' turn again.
  #switch(missed: Link): void {
    this.#events = !this.#events;
    this.#misses = this.#events ? 0 : MISSES - 1;
    const parts = [...this.#places.keys()];
    for (const part of parts) this.detach(part);
    this.#attempt = missed.attempt; // the back-off goes on
    for (const part of parts) this.attach(part);
    this.#attempt = 0;
    if (!this.#events) for (const link of this.#links) link.retry(GONE);
  }

  #kindFor(part: Part): LinkKind {
    if (this.#events) return part.key === LIST ? "poll" : "events";
    return this.#options.share !== undefined && part.key !== LIST ? "share" : "socket";
  }
}

function fits(link: Link, part: Part): boolean {
  const { seats, kind } = link;
  const alike = kind !== "events" || [...seats.values()].every((seat) => seat.part.group === part.group);
  return alike && seats.size < ROOM[kind] && !seats.has(part.key);
}
