/** What an address of the page says, and how it is spelled. Pure. */

import { ALL_EXECUTIONS, type ListQuery, queryOf, queryParameters } from "@runtail/react";

export interface Address {
  /** The path before `/monitoring`: the gateway may be mounted under a prefix. */
  readonly base: string;
  /** Executions that are watched, in the order in which they were opened; none: the list is shown. */
  readonly open: readonly string[];
  /** With its `#`, or "": where in the log of the only one, and with which filter. */
  readonly hash: string;
  /** A share link's `share`: only the one execution may be read. */
  readonly share: string | null;
  /** Several in one log. */
  readonly merged: boolean;
  /** What of the list is shown. */
  readonly list: ListQuery;
  /** Whether the figures of workflows and steps are shown. */
  readonly figures: boolean;
  /** Without the frame: the page is a part of another one. */
  readonly embed: boolean;
}

/** Most executions that are watched at a time. */
export const MOST_OPEN = 8;

const PATH = /^(.*?)\/monitoring(?:\/executions\/([^/]+))?\/?$/;
// As a log view spells lines and filters; anything else behind the `#` is a name.
const IN_LOG = /^#(?:$|L\d+(?:-L?\d+)?(?:&|$)|level=|step=)/;

/** Read *location*; whatever is no address of the page is the page without anything. */
export function addressOf(location: Pick<URL, "pathname" | "search" | "hash">): Address {
  const [, base = "", named] = PATH.exec(location.pathname) ?? [];
  const query = new URLSearchParams(location.search);
  const open = new Set(query.getAll("execution"));
  if (named !== undefined) open.add(decoded(named));
  // Links of older pages name the execution behind the `#`.
  const inLog = IN_LOG.test(location.hash);
  if (!inLog) open.add(decoded(location.hash.slice(1)));
  open.delete("");
  return {
    base,
    open: [...open].slice(0, MOST_OPEN),
    hash: inLog ? location.hash : "",
    share: query.get("share"),
    merged: query.get("view") === "merged",
    list: open.size > 0 ? ALL_EXECUTIONS : queryOf(query),
    figures: query.has("figures"),
    embed: query.get("embed") === "1",
  };
}

/** Spell *address*, from the host on. */
export function hrefOf({ base, open, hash, share, merged, list, figures, embed }: Address): string {
  const [first, ...others] = open;
  const alone = first !== undefined && others.length === 0;
  const query = new URLSearchParams(alone ? [] : open.map((id) => ["execution", id]));
  if (others.length > 0 && merged) query.set("view", "merged");
  if (first === undefined) for (const [name, value] of queryParameters(list)) query.set(name, value);
  if (first === undefined && figures) query.set("figures", "1");
  if (share !== null) query.set("share", share);
  if (embed) query.set("embed", "1");
  const path = alone ? `/monitoring/executions/${encodeURIComponent(first)}` : "/monitoring";
  return `${base}${path}${query.size > 0 ? `?${query}` : ""}${alone ? hash : ""}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand
  }
}
