/** Lines as a text to copy, those beyond the screen too: asked for in pages, up to a bound. */

import type { LogRecord, RestApi } from "@runtail/client";
import { stripped } from "./ansi.ts";
import { linesOf } from "./asking.ts";
import { jsonOf } from "./json_tree.ts";
import { plainOf } from "./line.ts";
import type { Range } from "./rows.ts";
import type { LogStrings } from "./strings.ts";

export type CopyFormat = "text" | "json";

export interface CopyBounds {
  readonly lines: number;
  readonly characters: number;
  /** Lines that are asked for at a time. */
  readonly page: number;
}

export const COPY_BOUNDS: CopyBounds = { lines: 200_000, characters: 64_000_000, page: 1_000 };

export interface Copied {
  readonly text: string;
  readonly lines: number;
  /** Lines were left out: a bound was reached. */
  readonly cut: boolean;
}

export interface CopyWish {
  /** Ascending, disjoint. */
  readonly ranges: readonly Range[];
  readonly format: CopyFormat;
  readonly strings: LogStrings;
  /** Records at hand. */
  readonly here: (seq: number) => LogRecord | null;
  /** Which of them are wanted. */
  readonly wanted: (record: LogRecord) => boolean;
  readonly progress: (lines: number) => void;
  readonly signal: AbortSignal;
}

/** Gather the lines of *wish*; rejects when a page cannot be had. */
export async function gathered(rest: RestApi, executionId: string, wish: CopyWish, bounds: CopyBounds = COPY_BOUNDS): Promise<Copied> {
  const parts: string[] = [];
  let characters = 0;
  for (const { first, last } of pagesOf(wish.ranges, bounds.page)) {
    for (const record of await page(rest, executionId, first, last, wish)) {
      if (!wish.wanted(record)) continue;
      const text = written(record, wish);
      if (parts.length >= bounds.lines || characters + text.length > bounds.characters) return { text: joined(parts), lines: parts.length, cut: true };
      parts.push(text);
      characters += text.length + 1;
    }
    wish.progress(parts.length);
  }
  return { text: joined(parts), lines: parts.length, cut: false };
}

function* pagesOf(ranges: readonly Range[], size: number): Generator<Range> {
  for (const range of ranges) {
    for (let first = range.first; first <= range.last; first += size) yield { first, last: Math.min(range.last, first + size - 1) };
  }
}

const joined = (parts: readonly string[]): string => (parts.length > 0 ? `${parts.join("\n")}\n` : "");

async function page(rest: RestApi, executionId: string, first: number, last: number, wish: CopyWish): Promise<readonly LogRecord[]> {
  const here: LogRecord[] = [];
  for (let seq = first; seq <= last; seq += 1) {
    const record = wish.here(seq);
    if (!record) return linesOf(rest, executionId, first, last, wish.signal);
    here.push(record);
  }
  return here;
}

function written(record: LogRecord, { format, strings }: CopyWish): string {
  // sequences that colour a terminal must not reach one by copy and paste
  return format === "json" ? jsonOf(record) : stripped(plainOf(record, strings));
}
