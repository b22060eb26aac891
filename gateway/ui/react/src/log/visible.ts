/** Characters that would act on the screen instead of being seen, as characters that are seen. Pure. */

// C0 but tab and line feed, DEL, C1, bidi controls and marks, zero-width ones, separators, byte order mark
// eslint-disable-next-line no-control-regex
const ACTING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
const ACTING_ALL = new RegExp(ACTING.source, "g");

/** Whether *text* holds anything that must not reach the screen as it is. */
export function acts(text: string): boolean {
  return ACTING.test(text);
}

/** What is shown for one acting character: as terminals write it (`^G`), or its number. */
export function shown(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return `^${String.fromCharCode(0x40 + code)}`; // the pictures of U+2400 are in few fonts
  if (code === 0x7f) return "^?";
  return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
}

/** *text* with every acting character made visible. */
export function visible(text: string): string {
  return acts(text) ? text.replace(ACTING_ALL, shown) : text;
}

/** A piece of text; `mark`: it stands for a character that was not shown as itself. */
export interface Piece {
  readonly text: string;
  readonly mark: boolean;
}

/** *text* in pieces, marks apart. */
export function pieces(text: string): Piece[] {
  if (!acts(text)) return text === "" ? [] : [{ text, mark: false }];
  const out: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(ACTING_ALL)) {
    if (match.index > at) out.push({ text: text.slice(at, match.index), mark: false });
    out.push({ text: shown(match[0]), mark: true });
    at = match.index + 1;
  }
  if (at < text.length) out.push({ text: text.slice(at), mark: false });
  return out;
}
