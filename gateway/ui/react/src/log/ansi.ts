/** Colours of a terminal as styles; every other sequence is taken out and leaves a mark. Pure. */

import { pieces } from "./visible.ts";

/** One of the terminal's sixteen colours. */
export type Colour = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;

export interface Style {
  readonly colour: Colour | null;
  readonly background: Colour | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly struck: boolean;
  readonly inverse: boolean;
}

export interface Span {
  readonly text: string;
  readonly style: Style;
  /** It stands for something that was not shown as itself: a control character, a sequence. */
  readonly mark: boolean;
}

export const PLAIN: Style = {
  colour: null, background: null, bold: false, dim: false, italic: false, underline: false, struck: false, inverse: false,
};

// CSI, OSC (up to BEL or ST), DCS and the like, two-character escapes; what is cut off in the middle too
// eslint-disable-next-line no-control-regex
const SEQUENCE = /(?:\u001b\[|\u009b)([0-?]*)([ -/]*)([@-~]?)|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[PX^_][^\u001b]*(?:\u001b\\)?|\u001b[ -/]*[0-~]?/g;

/** Most spans of one text; what is beyond comes as one. */
const MOST_SPANS = 2_000;

/** *text* without its sequences, as it is searched, copied and measured. */
export function stripped(text: string): string {
  return text.includes("\u001b") || text.includes("\u009b") ? text.replace(SEQUENCE, "") : text;
}

/** *text* in spans of one style each. */
export function spansOf(text: string): Span[] {
  const spans: Span[] = [];
  let style = PLAIN;
  let at = 0;
  if (text.includes("\u001b") || text.includes("\u009b")) {
    for (const match of text.matchAll(SEQUENCE)) {
      if (spans.length > MOST_SPANS) break;
      push(spans, text.slice(at, match.index), style);
      at = match.index + match[0].length;
      if (match[3] === "m" && match[2] === "") style = coloured(style, match[1] ?? "");
      else spans.push({ text: "^[", style, mark: true });
    }
  }
  push(spans, text.slice(at), style);
  return spans;
}

function push(spans: Span[], text: string, style: Style): void {
  for (const piece of pieces(text)) spans.push({ ...piece, style });
}

function coloured(style: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map((code) => (code === "" ? 0 : Number(code)));
  let next = style;
  for (let i = 0; i < codes.length; i += 1) {
    const code = codes[i]!;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes, i + 1);
      if (colour !== null) next = code === 38 ? { ...next, colour } : { ...next, background: colour };
      i += used;
    } else next = simple(next, code);
  }
  return next;
}

function simple(style: Style, code: number): Style {
  if (code >= 30 && code <= 37) return { ...style, colour: (code - 30) as Colour };
  if (code >= 90 && code <= 97) return { ...style, colour: (code - 82) as Colour };
  if (code >= 40 && code <= 47) return { ...style, background: (code - 40) as Colour };
  if (code >= 100 && code <= 107) return { ...style, background: (code - 92) as Colour };
  switch (code) {
    case 0: return PLAIN;
    case 1: return { ...style, bold: true };
    case 2: return { ...style, dim: true };
    case 3: return { ...style, italic: true };
    case 4: return { ...style, underline: true };
    case 7: return { ...style, inverse: true };
    case 9: return { ...style, struck: true };
    case 22: return { ...style, bold: false, dim: false };
    case 23: return { ...style, italic: false };
    case 24: return { ...style, underline: false };
    case 27: return { ...style, inverse: false };
    case 29: return { ...style, struck: false };
    case 39: return { ...style, colour: null };
    case 49: return { ...style, background: null };
    default: return style;
  }
}

/** Read the colour behind a 38 or 48, and how many codes it takes. */
function extended(codes: readonly number[], at: number): [Colour | null, number] {
  if (codes[at] === 5) return [ofTable(codes[at + 1] ?? 0), 2];
  if (codes[at] === 2) return [nearest(codes[at + 1] ?? 0, codes[at + 2] ?? 0, codes[at + 3] ?? 0), 4];
  return [null, 0];
}

function ofTable(index: number): Colour {
  if (index < 16) return index as Colour;
  if (index >= 232) return nearest(...grey(8 + (index - 232) * 10));
  const at = index - 16;
  const part = (value: number): number => (value === 0 ? 0 : 55 + value * 40);
  return nearest(part(Math.floor(at / 36)), part(Math.floor(at / 6) % 6), part(at % 6));
}

const grey = (value: number): [number, number, number] => [value, value, value];

/** The one of the sixteen that comes nearest: those have contrast in light and dark, a worker's own may not. */
function nearest(red: number, green: number, blue: number): Colour {
  const brightest = Math.max(red, green, blue);
  if (brightest - Math.min(red, green, blue) < 40) return brightest < 64 ? 0 : brightest < 128 ? 8 : brightest < 224 ? 7 : 15;
  const half = brightest / 2;
  const hue = (red > half ? 1 : 0) + (green > half ? 2 : 0) + (blue > half ? 4 : 0);
  return (hue + (brightest > 200 ? 8 : 0)) as Colour;
}
