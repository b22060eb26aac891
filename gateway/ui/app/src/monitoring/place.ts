/** What an address of the page says, and which address says it. Pure. */

export interface Place {
  /** The path before `/monitoring`: the gateway may be mounted under a prefix. */
  readonly base: string;
  /** Executions that are watched, in the order in which they were opened. */
  readonly open: readonly string[];
  /** With its `#`, or "": where in the log of the only one, and with which filter. */
  readonly hash: string;
  /** A share link's `share`: only the one execution may be read. */
  readonly share: string | null;
}

/** Most executions that are watched at a time. */
export const MOST_OPEN = 8;

const PATH = /^(.*?)\/monitoring(?:\/executions\/([^/]+))?\/?$/;
// As a log view spells lines and filters; anything else behind the `#` is a name.
const IN_LOG = /^#(?:$|L\d+(?:-L?\d+)?(?:&|$)|level=|step=)/;

/** Read *address*; whatever is no address of the page is the page without anything. */
export function placeOf(address: Pick<URL, "pathname" | "search" | "hash">): Place {
  const [, base = "", named] = PATH.exec(address.pathname) ?? [];
  const query = new URLSearchParams(address.search);
  const open = new Set(query.getAll("execution"));
  if (named !== undefined) open.add(decoded(named));
  // Links of older pages name the execution behind the `#`.
  const inLog = IN_LOG.test(address.hash);
  if (!inLog) open.add(decoded(address.hash.slice(1)));
  open.delete("");
  return { base, open: [...open].slice(0, MOST_OPEN), hash: inLog ? address.hash : "", share: query.get("share") };
}

/** The address, from the host on, that says *place*. */
export function addressOf({ base, open, hash, share }: Place): string {
  const [first, ...others] = open;
  const alone = first !== undefined && others.length === 0;
  const query = new URLSearchParams(alone ? [] : open.map((id) => ["execution", id]));
  if (share !== null) query.set("share", share);
  const path = alone ? `/monitoring/executions/${encodeURIComponent(first)}` : "/monitoring";
  return `${base}${path}${query.size > 0 ? `?${query}` : ""}${alone ? hash : ""}`;
}

/** First and last line that the hash names, by execution; nothing where it names none. */
export function linesOf({ open, hash }: Place): Readonly<Record<string, readonly [number, number]>> {
  const [id] = open;
  const [, first, last = first] = /^#L(\d+)(?:-L?(\d+))?/.exec(hash) ?? [];
  return id === undefined || first === undefined ? {} : { [id]: [Number(first), Number(last)] };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand
  }
}
