/** Steps as sections of the log: where each begins and ends, as far as its records were seen. Pure. */

import type { LogRecord, StepRecord } from "@runtail/client";
import { lowerBound, type Range } from "./rows.ts";

export interface Section {
  readonly start: StepRecord;
  /** How it ended; null: it goes on, or its end was not seen. */
  readonly end: StepRecord | null;
  /** Lines of other steps stand among its own. */
  readonly mixed: boolean;
}

/** Most records of steps that are remembered; those seen first stay. */
const MOST_STEPS = 10_000;
/** Most lines of a mixed step that are looked at to fold it. */
const MOST_SCANNED = 50_000;

export class Steps {
  #records: StepRecord[] = [];
  #sections: ReadonlyMap<number, Section> | null = null;

  /** Take records that were seen, in any order; answer whether there are steps among them that are new. */
  see(records: Iterable<LogRecord>): boolean {
    let news = false;
    for (const record of records) if (record.kind === "step") news = this.#add(record) || news;
    if (news) this.#sections = null;
    return news;
  }

  /** Forget steps beyond *seq*. */
  withdraw(seq: number): void {
    this.#records = this.#records.filter((record) => record.seq <= seq);
    this.#sections = null;
  }

  /** Sections by the seq of the record that begins them, ascending. */
  get sections(): ReadonlyMap<number, Section> {
    this.#sections ??= sectionsOf(this.#records);
    return this.#sections;
  }

  #add(record: StepRecord): boolean {
    if (this.#records.length >= MOST_STEPS) return false;
    const newest = this.#records.at(-1);
    if (!newest || newest.seq < record.seq) {
      this.#records.push(record);
      return true;
    }
    const at = lowerBound(this.#records.map((each) => each.seq), record.seq);
    if (this.#records[at]?.seq === record.seq) return false;
    this.#records.splice(at, 0, record);
    return true;
  }
}

/** Pair beginnings and ends of *records*, which ascend. */
export function sectionsOf(records: readonly StepRecord[]): ReadonlyMap<number, Section> {
  const open = new Map<string, StepRecord[]>();
  const ends = new Map<number, StepRecord>();
  for (const record of records) {
    const key = record.step_id ?? record.step_name;
    const begun = open.get(key) ?? [];
    open.set(key, begun);
    if (record.status === "running") begun.push(record);
    else {
      const start = begun.pop();
      if (start) ends.set(start.seq, record);
    }
  }
  const starts = records.filter((record) => record.status === "running");
  return new Map(starts.map((start) => [start.seq, { start, end: ends.get(start.seq) ?? null, mixed: isMixed(start, starts, ends) }]));
}

/** Whether another step than its own parts begins or goes on within it. */
function isMixed(start: StepRecord, starts: readonly StepRecord[], ends: ReadonlyMap<number, StepRecord>): boolean {
  const end = ends.get(start.seq)?.seq ?? Number.POSITIVE_INFINITY;
  return starts.some((other) => {
    if (other === start) return false;
    const otherEnd = ends.get(other.seq)?.seq ?? Number.POSITIVE_INFINITY;
    if (other.seq > start.seq && other.seq < end) return !isPart(other, start);
    return other.seq < start.seq && otherEnd > start.seq && otherEnd < end;
  });
}

function isPart(step: StepRecord, of: StepRecord): boolean {
  return step.parent_step_id === undefined || step.parent_step_id === null ? step.step_id === undefined : step.parent_step_id === of.step_id;
}

/** The lines that folding *section* hides; *last* is the newest line, *here* finds records that are at hand. */
export function foldedLines(section: Section, last: number, here: (seq: number) => LogRecord | null): Range[] {
  const first = section.start.seq + 1;
  const until = section.end?.seq ?? last;
  if (!section.mixed) return until >= first ? [{ first, last: until }] : [];
  const ranges: Range[] = [];
  for (let seq = first; seq <= Math.min(until, first + MOST_SCANNED); seq += 1) {
    if (here(seq)?.["step_name"] !== section.start.step_name) continue;
    const before = ranges.at(-1);
    if (before?.last === seq - 1) ranges[ranges.length - 1] = { first: before.first, last: seq };
    else ranges.push({ first: seq, last: seq });
  }
  return ranges;
}
