/**
 * Lines of several executions as one log. Pure.
 *
 * Each execution's lines keep their own order, whatever their times say. What is there at the beginning is put
 * together by time; what comes later goes behind it, in the order in which it came. A line's number counts the
 * lines of the merged log. What is missing of an execution is a line of its own, at its place.
 */

import type { LogRecord, LogSnapshot, Notice } from "@runtail/client";
import { momentOf } from "./fold.ts";

/** How what is missing, or was taken back, is said. */
export interface MergeWords {
  readonly gap: (first: number, last: number, lost: number | null, reason: string) => string;
  readonly reset: (after: number, withdrawn: number, reason: string) => string;
  /** Lines that came faster than they could be taken. */
  readonly passed: (first: number, last: number) => string;
}

/** How far one execution is in the merged log. */
interface Taken {
  readonly seq: number;
  /** Its notices up to here were told. */
  readonly told: number;
  readonly resets: number;
}

export interface Merged {
  /** Numbered anew, ascending without holes; `execution_id` says whose each is. */
  readonly records: readonly LogRecord[];
  /** How many lines there were, with those that are no longer here. */
  readonly last: number;
  readonly taken: ReadonlyMap<string, Taken>;
  /** Rises when what was there is put together anew: lines were withdrawn, or an execution came or went. */
  readonly rebuilds: number;
}

export const NOTHING_MERGED: Merged = { records: [], last: 0, taken: new Map(), rebuilds: 0 };

/** *merged* with what *logs* have in addition; at most the newest *most* lines. */
export function merge(merged: Merged, logs: readonly LogSnapshot[], most: number, words: MergeWords): Merged {
  const before = isOutdated(merged, logs) ? begun(logs, merged.last > 0 ? merged.rebuilds + 1 : merged.rebuilds) : merged;
  const woven = weave(logs.map((log) => freshOf(log, before.taken.get(log.executionId)!)));
  if (woven.length === 0) return before;
  const taken = new Map(before.taken);
  const fresh = woven.map((record, at) => ({ ...record, seq: before.last + 1 + at }));
  for (const log of logs) taken.set(log.executionId, takenOf(log));
  return { ...before, taken, last: before.last + fresh.length, records: [...before.records, ...fresh].slice(-most) };

  function freshOf(log: LogSnapshot, { seq, told }: Taken): readonly LogRecord[] {
    return withNotices(log, recordsAfter(log, seq), seq, told, words);
  }
}

function isOutdated({ taken }: Merged, logs: readonly LogSnapshot[]): boolean {
  return taken.size !== logs.length || logs.some((log) => taken.get(log.executionId)?.resets !== log.resets);
}

function begun(logs: readonly LogSnapshot[], rebuilds: number): Merged {
  return { ...NOTHING_MERGED, rebuilds, taken: new Map(logs.map(({ executionId, resets }) => [executionId, { seq: 0, told: 0, resets }])) };
}

function takenOf({ records, resets }: LogSnapshot): Taken {
  const seq = records.at(-1)?.seq ?? 0;
  return { seq, told: seq, resets };
}

function recordsAfter({ records }: LogSnapshot, seq: number): readonly LogRecord[] {
  let from = records.length;
  while (from > 0 && records[from - 1]!.seq > seq) from -= 1;
  return records.slice(from);
}

/** *records* of *log*, which come after *seq*, with a line before each place where some are missing. */
function withNotices(log: LogSnapshot, records: readonly LogRecord[], seq: number, told: number, words: MergeWords): readonly LogRecord[] {
  const out: LogRecord[] = [];
  const notices = log.notices.filter((notice) => placeOf(notice) > told);
  let before = seq;
  for (const record of records) {
    const here = notices.filter((notice) => placeOf(notice) > before && placeOf(notice) <= record.seq);
    for (const notice of here) out.push(line(log.executionId, record, noticeWords(notice, words)));
    if (here.length === 0 && before > 0 && record.seq > before + 1) out.push(line(log.executionId, record, words.passed(before + 1, record.seq - 1)));
    out.push({ ...record, execution_id: log.executionId });
    before = record.seq;
  }
  return out;
}

/** The first line behind *notice*. */
const placeOf = (notice: Notice): number => (notice.type === "gap" ? notice.beforeSeq : notice.afterSeq + 1);

function noticeWords(notice: Notice, words: MergeWords): string {
  if (notice.type === "reset") return words.reset(notice.afterSeq, notice.withdrawn, notice.reason);
  return words.gap(notice.afterSeq + 1, notice.beforeSeq - 1, notice.lost, notice.reason);
}

/** A line of our own, where *record* is. */
const line = (executionId: string, { id, seq, timestamp }: LogRecord, message: string): LogRecord => ({
  id, seq, execution_id: executionId, level: "warning", message, ...(timestamp === undefined ? {} : { timestamp }),
});

/** Put *lists* together by time: the earliest of those that are next in their own list. */
function weave(lists: readonly (readonly LogRecord[])[]): readonly LogRecord[] {
  const moments = lists.map((list) => list.map(momentOf));
  const at = lists.map(() => 0);
  const woven: LogRecord[] = [];
  for (;;) {
    let of = -1;
    for (let i = 0; i < lists.length; i += 1) {
      if (at[i]! < lists[i]!.length && (of < 0 || moments[i]![at[i]!]! < moments[of]![at[of]!]!)) of = i;
    }
    if (of < 0) return woven;
    woven.push(lists[of]![at[of]!]!);
    at[of]! += 1;
  }
}
