/** What is said aloud of what came since the last time. Pure. */

import type { LogSnapshot } from "@runtail/client";
import { stripped } from "./ansi.ts";
import { indexAfter } from "./held.ts";
import { lineOf } from "./line.ts";
import { verdictOf } from "./notices.ts";
import type { LogStrings } from "./strings.ts";

export interface Heard {
  readonly upTo: number;
  readonly ended: boolean;
}

const MOST_SAID = 120;

/** What to say of *snapshot* to somebody who heard of it as far as *heard*; null: nothing. */
export function announcement(heard: Heard, snapshot: LogSnapshot, strings: LogStrings): [string | null, Heard] {
  const { records } = snapshot;
  const last = records.at(-1);
  const verdict = verdictOf(snapshot, strings);
  const next = { upTo: Math.max(heard.upTo, last?.seq ?? 0), ended: verdict !== null };
  const count = next.upTo - heard.upTo;
  if (!last || count <= 0) return [verdict !== null && !heard.ended ? verdict : null, next];
  let errors = 0;
  for (let i = indexAfter(records, heard.upTo); i < records.length; i += 1) if (records[i]!["level"] === "error") errors += 1;
  const text = strings.announced(count, errors, stripped(lineOf(last, strings).text).slice(0, MOST_SAID));
  return [verdict !== null && !heard.ended ? `${text} ${verdict}` : text, next];
}
