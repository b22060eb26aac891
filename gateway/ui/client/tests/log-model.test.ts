import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logModel, type LogModel, type Happening } from "../src/log-model.ts";
import type { LogMessage } from "../src/messages.ts";
import type { WindowBounds } from "../src/record-window.ts";
import { cursor, record, says } from "./world.ts";

const a = says();
const take = (model: LogModel, ...messages: object[]): Happening[] =>
  messages.flatMap((message) => model.take(message as LogMessage, 1000));
const model = (more: { window?: WindowBounds; filtered?: boolean; after?: readonly string[] } = {}): LogModel =>
  logModel("a", { window: { windowRecords: 100 }, filtered: false, after: [], ...more });
const seqs = (held: LogModel): number[] => held.view.records.map(({ seq }) => seq);
const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("records", () => {
  test("are held once and in order, however much history and live overlap", () => {
    const held = model();
    take(held, a.hello(), a.records(1, 5), a.records(3, 7), a.records(7, 8));
    expect(seqs(held)).toEqual(range(1, 8));
    expect(held.view.notices).toEqual([]);
  });

  test("that are missing without a word become an unannounced gap", () => {
    const held = model();
    const happened = take(held, a.hello(), a.records(1, 2), a.records(5, 6));
    const gap = { type: "gap", afterSeq: 2, beforeSeq: 5, lost: 2, proved: false, reason: "unannounced" };
    expect(held.view.notices).toEqual([gap]);
    expect(happened.map(({ type }) => type)).toEqual(["records", "gap", "records"]);
  });

  test("are claimed by a cursor: a hole before a quiet head is seen", () => {
    const held = model();
    take(held, a.hello(), a.records(1, 2), a.caughtUp(4));
    expect(held.view.notices).toMatchObject([{ afterSeq: 2, beforeSeq: 5, reason: "unannounced" }]);
  });

  test("of a tail begin in the middle, and nothing is missing before them", () => {
    const held = model();
    take(held, a.hello(90, 100), a.records(91, 100), a.caughtUp(100), a.end(100));
    expect(held.view.notices).toEqual([]);
    expect(held.view.completeness).toEqual({ state: "complete", records: 100 });
    expect(held.view.windowFirst).toBe(91);
  });

  test("leave the window at its old end, never more than it may hold are shown", () => {
    const held = model({ window: { windowRecords: 10 } });
    take(held, a.hello());
    for (let first = 1; first < 400; first += 7) {
      take(held, a.records(first, first + 6));
      expect(seqs(held)).toEqual(range(Math.max(1, first - 3), first + 6));
    }
    expect(held.view.notices).toEqual([]);
  });

  test("leave it when they are too large together, but for the newest one", () => {
    const held = model({ window: { windowBytes: 1000 } });
    const sized = (first: number, last: number, size: number): object => ({ ...a.records(first, last), size });
    take(held, a.hello(), sized(1, 4, 400), sized(5, 7, 600));
    expect(seqs(held)).toEqual(range(1, 7));
    take(held, sized(8, 8, 150));
    expect(seqs(held)).toEqual(range(3, 8));
    take(held, sized(9, 9, 5000));
    expect(seqs(held)).toEqual([9]);
    take(held, sized(10, 10, 1));
    expect(seqs(held)).toEqual([10]);
    expect(held.view.notices).toEqual([]);
  });

  test("that were withdrawn make room for others", () => {
    const held = model({ window: { windowBytes: 1000 } });
    const sized = (first: number, last: number, size: number): object => ({ ...a.records(first, last), size });
    take(held, a.hello(), sized(1, 10, 1000), a.caughtUp(10), a.reset(5), sized(6, 10, 500));
    expect(seqs(held)).toEqual(range(1, 10));
  });

  test("of thousands of messages leave one by one", () => {
    const held = model({ window: { windowRecords: 3 } });
    take(held, a.hello());
    for (let seq = 1; seq <= 2500; seq += 1) {
      take(held, a.records(seq, seq));
      expect(seqs(held)).toEqual(range(Math.max(1, seq - 2), seq));
    }
  });

  test("without a bound all stay", () => {
    const held = model({ window: { windowRecords: 0 } });
    take(held, a.hello(), a.records(1, 5000));
    expect(held.view.records).toHaveLength(5000);
  });

  test("are shared by snapshots until they change", () => {
    const held = model();
    take(held, a.hello(), a.records(1, 3));
    const before = held.view.records;
    take(held, a.beat(3));
    expect(held.view.records).toBe(before);
    take(held, a.records(4, 4));
    expect(held.view.records).not.toBe(before);
    expect(before).toHaveLength(3);
    expect(held.view.records[0]).toBe(before[0]);
  });
});

describe("a filtered viewer", () => {
  test("has no holes where records were left out on purpose", () => {
    const held = model({ filtered: true });
    take(held, a.hello(), { ...a.records(3, 3), cursor: cursor(5), omitted: 4 }, { ...a.records(6, 5), cursor: cursor(9), omitted: 4 });
    take(held, a.records(10, 10, { omitted: 0 }), a.caughtUp(10), a.end(10));
    expect(held.view).toMatchObject({ notices: [], omitted: 8, completeness: { state: "complete", records: 10 } });
  });

  test("sees that received and omitted do not add up", () => {
    const held = model({ filtered: true });
    take(held, a.hello(), { ...a.records(3, 3), cursor: cursor(5), omitted: 2 });
    expect(held.view.notices).toMatchObject([{ afterSeq: 0, beforeSeq: 6, lost: 2, reason: "unannounced" }]);
  });
});

describe("a gap", () => {
  test("is a notice with its count, and makes the log incomplete by it", () => {
    const held = model();
    take(held, a.hello(), a.records(1, 3), a.gap(3, 6, 2), a.records(6, 9), a.end(9));
    expect(held.view.notices).toEqual([{ type: "gap", afterSeq: 3, beforeSeq: 6, lost: 2, proved: true, reason: "trimmed" }]);
    expect(held.view.completeness).toEqual({ state: "missing", records: 9, lost: 2, ranges: [[4, 5]] });
    expect(held.view.firstSeq).toBe(6);
  });

  test("of unknown size from a bare record id on leaves the count unknown", () => {
    const held = model({ after: ["1003-0"] });
    take(held, a.hello(0, 9, { cursor: "1003-0" }), a.gap(null, 6, null, { proved: false }), a.records(6, 9), a.end(9));
    expect(held.view.notices).toMatchObject([{ type: "gap", beforeSeq: 6, lost: null }]);
    expect(held.view.completeness).toEqual({ state: "missing", records: 9, lost: null, ranges: [] });
  });

  test("over what is held already is none", () => {
    const held = model();
    const happened = take(held, a.hello(), a.records(1, 9), a.gap(3, 6, 2));
    expect(happened.map(({ type }) => type)).toEqual(["records"]);
  });

  test("that does not begin where the viewer is leaves a hole of its own", () => {
    const held = model();
    take(held, a.hello(), a.records(1, 3), a.gap(5, 8, 2));
    expect(held.view.notices).toMatchObject([
      { afterSeq: 3, beforeSeq: 6, lost: 2, reason: "unannounced" },
      { afterSeq: 5, beforeSeq: 8, lost: 2, reason: "trimmed" },
    ]);
  });
});

describe("a reset", () => {
  test("withdraws what lies beyond it, and the cursors with it", () => {
    const held = model();
    take(held, a.hello(), a.records(1, 4), a.records(5, 9), a.reset(6));
    expect(seqs(held)).toEqual(range(1, 6));
    expect(held.view).toMatchObject({ resets: 1, notices: [{ type: "reset", afterSeq: 6, withdrawn: 3 }] });
    expect(held.cursors).toEqual([cursor(6, "bbbbbbbb"), cursor(4), cursor(0)]);
    take(held, a.records(7, 8));
    expect(seqs(held)).toEqual(range(1, 8));
    expect(held.view.notices).toHaveLength(1);
  });

  test("forgets the gaps beyond it, and does not count them as withdrawn", () => {
    const held = model();
    take(held, a.hello(), a.records(1, 3), a.gap(3, 6, 2), a.records(6, 9), a.reset(2), a.records(3, 5), a.end(5));
    expect(held.view.notices).toEqual([{ type: "reset", afterSeq: 2, withdrawn: 5, reason: "another history" }]);
    expect(held.view.completeness).toEqual({ state: "complete", records: 5 });
  });

  test("to before a tail's start takes back only what was received", () => {
    const held = model();
    take(held, a.hello(90, 100), a.records(91, 100), a.reset(0), a.records(1, 3), a.caughtUp(3), a.end(3));
    expect(held.view.notices).toMatchObject([{ type: "reset", withdrawn: 10 }]);
    expect(held.view.completeness).toEqual({ state: "complete", records: 3 });
  });

  test("that is heard live takes the new history's status", () => {
    const held = model();
    take(held, a.hello(0, 9), a.records(1, 9), a.caughtUp(9), a.reset(2));
    take(held, { ...a.records(3, 2), records: [record(3, { kind: "status", status: "failed" })], cursor: cursor(3) });
    expect(held.view.execution).toMatchObject({ status: "failed" });
  });
});

describe("the end", () => {
  test("names the range that nobody told of", () => {
    const held = model();
    take(held, a.hello(), a.records(1, 7), a.end(9));
    expect(held.view.completeness).toEqual({ state: "missing", records: 9, lost: 2, ranges: [[8, 9]] });
  });

  test("of a tail whose beginning is not kept names that", () => {
    const held = model();
    take(held, a.hello(90, 100), a.records(91, 100), a.end(100, { first: 41 }));
    expect(held.view.completeness).toEqual({ state: "missing", records: 100, lost: 40, ranges: [[1, 40]] });
  });

  test("of a run that went on after it is taken back until the next one", () => {
    const held = model();
    take(held, a.hello(), a.records(1, 3), a.end(3), a.hello(3, 5));
    expect(held.view).toMatchObject({ totals: null, completeness: { state: "running" } });
    take(held, a.records(4, 5), a.end(5));
    expect(held.view.completeness).toEqual({ state: "complete", records: 5 });
  });
});

describe("the state of the execution", () => {
  test("is that of `hello`, which history does not wind back, and follows live records", () => {
    const held = model();
    const status = (seq: number, word: string): object =>
      ({ type: "records", records: [record(seq, { kind: "status", status: word })], cursor: cursor(seq) });
    take(held, a.hello(0, 2, { execution: { id: "a", status: "running", created_at: "x", last_seq: 2 } }));
    take(held, status(1, "lost"), status(2, "running"), a.caughtUp(2));
    expect(held.view.execution?.status).toBe("running");
    take(held, status(3, "cancelled"));
    expect(held.view.execution).toMatchObject({ status: "cancelled" });
    expect(held.view.execution?.ended_at).not.toBeNull();
    take(held, { type: "records", records: [record(4, { kind: "progress", progress: 40 })], cursor: cursor(4) });
    expect(held.view.execution?.progress).toBe(40);
  });

  test("is made from the first records where `hello` knew none", () => {
    const held = model();
    take(held, a.hello(0, null, { execution: null, cursor: "0-0:0:-", first: null }));
    take(held, { type: "records", records: [record(1, { kind: "status", status: "running" })], cursor: cursor(1) });
    expect(held.view.execution).toMatchObject({ id: "a", status: "running" });
  });
});

test("what a later gateway may say does no harm", () => {
  const held = model();
  expect(take(held, a.hello(), { type: "notes", notes: [] }, a.records(1, 1))).toHaveLength(1);
});

test("whatever is cut, repeated or resumed, the window is the log, each record once and in order", () => {
  const step = fc.record({ more: fc.integer({ min: 0, max: 9 }), back: fc.integer({ min: 0, max: 6 }), cut: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 20 }), (steps, window) => {
      const held = model({ window: { windowRecords: window } });
      let last = 0;
      take(held, a.hello());
      for (const { more, back, cut } of steps) {
        if (cut) held.cut();
        if (cut) take(held, a.hello(last, last));
        take(held, a.records(Math.max(1, last + 1 - back), last + more));
        last = Math.max(last, last + more);
      }
      take(held, a.end(last));
      expect(seqs(held)).toEqual(range(1, last).slice(-window));
      expect(held.view.notices).toEqual([]);
      expect(held.view.completeness).toEqual({ state: "complete", records: last });
    }),
  );
});

test("whatever is left out or withdrawn is told: what was received and what is missing make up the log", () => {
  const act = fc.oneof(
    fc.record({ type: fc.constant("records" as const), count: fc.integer({ min: 1, max: 6 }) }),
    fc.record({ type: fc.constant("hole" as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ type: fc.constant("gap" as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ type: fc.constant("reset" as const), count: fc.integer({ min: 0, max: 9 }) }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const held = model({ window: { windowRecords: 0 } });
      let last = 0; // of the gateway's
      let kept: number[] = [];
      take(held, a.hello());
      for (const { type, count } of acts) {
        if (type === "records") {
          take(held, a.records(last + 1, last + count));
          kept = [...kept, ...range(last + 1, last + count)];
          last += count;
        } else if (type === "reset") {
          last = Math.max(0, last - count);
          take(held, a.reset(last));
          kept = kept.filter((seq) => seq <= last);
        } else {
          if (type === "gap") take(held, a.gap(last, last + count + 1, count));
          last += count;
        }
      }
      take(held, a.end(last));
      expect(seqs(held)).toEqual(kept);
      const judged = held.view.completeness;
      const missing = judged.state === "missing" ? judged.ranges.flatMap(([first, end]) => range(first, end)) : [];
      expect([...kept, ...missing].sort((x, y) => x - y)).toEqual(range(1, last));
    }),
  );
});
