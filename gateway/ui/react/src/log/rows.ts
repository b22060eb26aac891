/**
 * Which rows there are: row index ↔ seq. A log of ten million lines is a handful of numbers here; only
 * what breaks the even run of lines (gaps, folded steps, notices) takes room. Pure.
 */

export interface Range {
  /** Both inclusive. */
  readonly first: number;
  readonly last: number;
}

export type Row =
  | { readonly kind: "record"; readonly seq: number }
  /** Stands before the record *seq*; *id* says which notice. */
  | { readonly kind: "notice"; readonly seq: number; readonly id: string };

/** A row between two lines. */
export interface NoticePlace {
  readonly id: string;
  /** It stands before this seq. */
  readonly before: number;
}

export interface Rows {
  readonly count: number;
  at(index: number): Row;
  /** Index of the row of *seq*; of the nearest row before it when it has none (−1: there is none). */
  indexOf(seq: number): number;
}

interface Run extends Range {
  /** Index of its first row. */
  readonly row: number;
  readonly notice: string | null;
}

const EMPTY: Rows = { count: 0, at: () => ({ kind: "record", seq: 0 }), indexOf: () => -1 };

/** Rows of the lines *first* … *last*, without *hidden* ones (ascending, disjoint), with *notices* (ascending). */
export function denseRows(first: number, last: number, hidden: readonly Range[], notices: readonly NoticePlace[]): Rows {
  const runs = runsOf(first, last, hidden, notices);
  const end = runs.at(-1);
  if (!end) return EMPTY;
  const count = end.row + (end.notice === null ? end.last - end.first + 1 : 1);
  return {
    count,
    at(index) {
      const run = runs[lastWhere(runs, (each) => each.row <= index)] ?? runs[0]!;
      if (run.notice !== null) return { kind: "notice", seq: run.first, id: run.notice };
      return { kind: "record", seq: run.first + index - run.row };
    },
    indexOf(seq) {
      const run = runs[lastWhere(runs, (each) => each.first <= seq)];
      if (!run) return -1;
      return run.notice === null ? run.row + Math.min(seq, run.last) - run.first : run.row;
    },
  };
}

/** Rows of the lines *seqs* (ascending) alone, with *notices*. */
export function listedRows(seqs: readonly number[], notices: readonly NoticePlace[]): Rows {
  const places = notices.map((notice, i) => ({ notice, index: i + lowerBound(seqs, notice.before) }));
  return {
    count: seqs.length + notices.length,
    at(index) {
      const earlier = lastWhere(places, (place) => place.index <= index);
      const place = places[earlier];
      if (place?.index === index) return { kind: "notice", seq: place.notice.before, id: place.notice.id };
      return { kind: "record", seq: seqs[index - earlier - 1] ?? 0 };
    },
    indexOf(seq) {
      const at = lowerBound(seqs, seq + 1) - 1;
      if (at < 0) return -1;
      return at + 1 + lastWhere(places, (place) => place.notice.before <= seqs[at]!);
    },
  };
}

function runsOf(first: number, last: number, hidden: readonly Range[], notices: readonly NoticePlace[]): Run[] {
  const runs: Run[] = [];
  let row = 0;
  let at = first;
  const add = (from: number, to: number, notice: string | null): void => {
    runs.push({ first: from, last: to, row, notice });
    row += notice === null ? to - from + 1 : 1;
  };
  const lines = (until: number): void => {
    if (until > at) add(at, until - 1, null);
    at = Math.max(at, until);
  };
  let n = 0;
  const noticesUpTo = (seq: number): void => {
    for (; n < notices.length && notices[n]!.before <= seq; n += 1) {
      const { before, id } = notices[n]!;
      lines(Math.min(Math.max(before, first), last + 1));
      add(Math.max(before, first), before, id);
    }
  };
  for (const range of hidden) {
    if (range.last < at || range.first > last) continue;
    noticesUpTo(range.first);
    lines(Math.max(range.first, at));
    // notices inside hidden lines stay in sight: they say what is not there
    at = Math.min(range.last, last) + 1;
  }
  noticesUpTo(last + 1);
  lines(last + 1);
  return runs;
}

/** Greatest index whose item satisfies *holds*, which holds for a prefix of the list; −1: none. */
export function lastWhere<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(list[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** How many of the ascending *values* are less than *value*. */
export function lowerBound(values: readonly number[], value: number): number {
  return lastWhere(values, (each) => each < value) + 1;
}

/** Ascending, disjoint ranges that cover what *ranges* cover; those that touch are one. */
export function merged(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].filter((range) => range.last >= range.first).sort((a, b) => a.first - b.first);
  const out: Range[] = [];
  for (const range of sorted) {
    const before = out.at(-1);
    if (before && range.first <= before.last + 1) out[out.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
    else out.push(range);
  }
  return out;
}

/** What is left of *range* without *hidden* (ascending, disjoint). */
export function without(range: Range, hidden: readonly Range[]): Range[] {
  const out: Range[] = [];
  let at = range.first;
  for (const hole of hidden) {
    if (hole.last < at || hole.first > range.last) continue;
    if (hole.first > at) out.push({ first: at, last: hole.first - 1 });
    at = hole.last + 1;
  }
  if (at <= range.last) out.push({ first: at, last: range.last });
  return out;
}
