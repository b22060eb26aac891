/** All connections of a page: parts share them as far as the gateway lets them. */

import type { Addresses } from "./addresses.ts";
import type { ClientOptions, Environment } from "./client.ts";
import { GIVEN_UP, GONE } from "./close-codes.ts";
import { linkOf } from "./link.ts";
import { type Link, type LinkContext, type LinkKind, LIST, type Part } from "./part.ts";

/** What one connection may carry: `subscriptions` and `event_executions` of the gateway's settings. */
const ROOM: Readonly<Record<LinkKind, number>> = { socket: 200, share: 1, events: 20, poll: 1 };
/** Sockets in a row that never said anything, until event streams are tried. */
const MISSES = 2;

export interface Pool {
  readonly env: Environment;
  /** Watch *part* over a connection that has room for it. Twice is once. */
  attach(part: Part): void;
  /** Watch *part* no longer. Twice is once. *over*: the gateway knows already. */
  detach(part: Part, over?: boolean): void;
  /** Make the connection under *part*, and whatever others there are, anew, at once. */
  reconnect(part: Part): void;
  /** Ask anew for what *part* watches, over the same connection. */
  again(part: Part): void;
}

export function poolOf(
  env: Environment, addresses: Addresses, { share, token, transport = "auto" }: ClientOptions,
): Pool {
  const places = new Map<Part, Link>();
  const links = new Set<Link>();
  const shared = share !== undefined;
  let events = transport === "events";
  let reached = false; // over the transport in use
  let misses = 0;
  let sleep: (() => void) | null = null;

  const context: LinkContext = {
    env,
    addresses,
    token: shared ? undefined : token,
    reached() {
      reached = true;
      misses = 0;
    },
    missed(code, attempt) {
      if (transport !== "auto" || reached || (code !== GONE && code !== GIVEN_UP)) return false;
      misses += 1;
      if (!events && misses < MISSES) return false;
      change(attempt);
      return true;
    },
  };

  // Sockets are blocked, or nobody is there: then event streams say nothing either, and it is sockets' turn again.
  function change(attempt: number): void {
    events = !events;
    misses = events ? 0 : MISSES - 1;
    const parts = [...places.keys()];
    for (const part of parts) detach(part);
    for (const part of parts) attach(part, attempt); // the back-off goes on
    if (!events) for (const link of links) link.retry(GONE);
  }

  function kindFor({ key }: Part): LinkKind {
    if (events) return key === LIST ? "poll" : "events";
    return shared && key !== LIST ? "share" : "socket";
  }

  function attach(part: Part, attempt = 0): void {
    if (places.has(part)) return;
    sleep ??= env.onWake(() => {
      for (const link of links) link.wake();
    });
    const kind = kindFor(part);
    const link = [...links].find((each) => each.kind === kind && fits(each, part)) ?? linkOf(context, kind, attempt);
    links.add(link);
    places.set(part, link);
    link.attach(part);
  }

  function detach(part: Part, over = false): void {
    const link = places.get(part);
    if (!link) return;
    places.delete(part);
    link.detach(part, over);
    if (link.seats.size === 0) links.delete(link);
    if (links.size > 0) return;
    sleep?.();
    sleep = null;
  }

  return {
    env,
    attach: (part) => attach(part),
    detach,
    reconnect(part) {
      if (!places.has(part)) attach(part);
      else for (const link of links) link.reconnect(); // a new token, or a network that is back, is for all
    },
    again: (part) => places.get(part)?.again(part),
  };
}

function fits({ seats, kind }: Link, part: Part): boolean {
  const alike = kind !== "events" || [...seats.values()].every((seat) => seat.part.group === part.group);
  return alike && seats.size < ROOM[kind] && !seats.has(part.key);
}
