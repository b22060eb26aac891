/** Addresses in a text that may become links: http and https alone. Pure. */

export interface Linked {
  readonly text: string;
  readonly href: string | null;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\\^{|}]+/gi;
const TRAILING = /[.,;:!?)\]]+$/;
const MOST_LINKS = 50;

/** *text* in pieces, addresses apart; at most 50 of them. */
export function linked(text: string): Linked[] {
  if (!/https?:\/\//i.test(text)) return [{ text, href: null }];
  const out: Linked[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    if (out.length >= 2 * MOST_LINKS) break;
    const address = trimmed(match[0]);
    const href = safeHref(address);
    if (href === null) continue;
    if (match.index > at) out.push({ text: text.slice(at, match.index), href: null });
    out.push({ text: address, href });
    at = match.index + address.length;
  }
  if (at < text.length) out.push({ text: text.slice(at), href: null });
  return out;
}

/** *address* if a browser may follow it: http, https; with *mail* mailto too. null: it may not. */
export function safeHref(address: unknown, mail = false): string | null {
  if (typeof address !== "string") return null;
  if (mail && /^mailto:[^\s]+$/i.test(address)) return address;
  if (!/^https?:\/\//i.test(address)) return null;
  try {
    return new URL(address).href;
  } catch {
    return null;
  }
}

/** Punctuation behind an address belongs to the sentence, unless it closes a bracket of its own. */
function trimmed(address: string): string {
  const end = TRAILING.exec(address)?.[0] ?? "";
  const bare = address.slice(0, address.length - end.length);
  return end.startsWith(")") && bare.includes("(") ? `${bare})` : bare;
}
