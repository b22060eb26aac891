/** What a log says about itself, as rows between its lines: gaps, withdrawn lines, whether it is whole. Pure. */

import type { LogSnapshot } from "@runtail/client";
import type { NoticePlace, Range } from "./rows.ts";
import { number, type LogStrings } from "./strings.ts";

/** Notices, where they stand, and which lines are not there. */
export interface Notices {
  readonly first: number;
  readonly last: number;
  readonly hidden: readonly Range[];
  readonly places: readonly NoticePlace[];
  readonly texts: ReadonlyMap<string, string>;
}

const MOST_RANGES = 5;

/** Read the notices of *snapshot*. */
export function noticesOf(snapshot: LogSnapshot, strings: LogStrings): Notices {
  const first = firstOf(snapshot);
  const last = Math.max(snapshot.lastSeq, snapshot.records.at(-1)?.seq ?? 0);
  const hidden: Range[] = [];
  const places: NoticePlace[] = [];
  const texts = new Map<string, string>();
  const add = (id: string, before: number, text: string): void => {
    if (texts.has(id)) return;
    places.push({ id, before });
    texts.set(id, text);
  };
  const told = snapshot.notices.some((notice) => notice.type === "gap" && notice.beforeSeq === first);
  if (first > 1 && !told) add("trimmed", first, strings.trimmed(first - 1));
  snapshot.notices.forEach((notice, i) => {
    if (notice.type === "reset") {
      add(`reset:${notice.afterSeq}:${i}`, notice.afterSeq + 1, strings.reset(notice.afterSeq, notice.withdrawn, notice.reason));
      return;
    }
    hidden.push({ first: notice.afterSeq + 1, last: notice.beforeSeq - 1 });
    const text = strings.gap(notice.afterSeq + 1, notice.beforeSeq - 1, notice.lost, notice.reason);
    add(`gap:${notice.afterSeq}`, Math.max(first, notice.afterSeq + 1), text);
  });
  const verdict = verdictOf(snapshot, strings);
  if (verdict !== null) add("verdict", last + 1, verdict);
  places.sort((a, b) => a.before - b.before);
  return { first, last, hidden, places, texts };
}

/** What the totals prove, in words; null while it runs. */
export function verdictOf({ completeness, totals }: LogSnapshot, strings: LogStrings): string | null {
  const dropped = totals && totals.dropped > 0 ? `, ${strings.dropped(totals.dropped)}` : "";
  switch (completeness.state) {
    case "running":
      return null;
    case "complete":
      return strings.complete(completeness.records) + dropped;
    case "missing":
      return strings.missing(completeness.records, completeness.lost, rangesText(completeness.ranges)) + dropped;
  }
}

function rangesText(ranges: readonly (readonly [number, number])[]): string {
  const some = ranges.slice(0, MOST_RANGES).map(([from, to]) => (from === to ? number(from) : `${number(from)}–${number(to)}`));
  return ranges.length > MOST_RANGES ? `${some.join(", ")}, … (${number(ranges.length)})` : some.join(", ");
}

/** The first line that can be shown: kept by the gateway, or still held here. */
function firstOf({ firstSeq, windowFirst, notices }: LogSnapshot): number {
  const known = [firstSeq, windowFirst].filter((seq) => seq > 0);
  let first = known.length > 0 ? Math.min(...known) : 1;
  for (const notice of notices) {
    if (notice.type === "gap" && notice.afterSeq + 1 <= first && notice.beforeSeq > first) first = notice.beforeSeq;
  }
  return first;
}
