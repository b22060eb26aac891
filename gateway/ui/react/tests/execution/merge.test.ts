import fc from "fast-check";
import type { LogRecord, LogSnapshot } from "@runtail/client";
import { describe, expect, test } from "vitest";
import { MemoryLog } from "../../../app/src/gallery/memory.ts";
import { merge, NOTHING_MERGED } from "../../src/execution/merge.ts";
import { MergedStore } from "../../src/execution/merged_store.ts";
import { EXECUTION_STRINGS } from "../../src/execution/strings.ts";
import { said } from "./records.ts";

const WORDS = EXECUTION_STRINGS.mergedWords;

const log = (executionId: string, records: readonly LogRecord[], more: Partial<LogSnapshot> = {}): LogSnapshot =>
  new MemoryLog(executionId, records, more).getSnapshot();

const told = (merged: { readonly records: readonly LogRecord[] }): string[] => merged.records.map(({ execution_id, message }) => `${execution_id}: ${String(message)}`);

describe("merge", () => {
  test("what is there at the beginning is put together by time, and numbered anew", () => {
    const merged = merge(NOTHING_MERGED, [log("a", [said(7, 0, "one"), said(8, 4, "three")]), log("b", [said(1, 2, "two")])], 100, WORDS);
    expect(told(merged)).toEqual(["a: one", "b: two", "a: three"]);
    expect(merged.records.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test("an execution whose clock goes back keeps its order", () => {
    const merged = merge(NOTHING_MERGED, [log("a", [said(1, 9, "first"), said(2, 1, "second")]), log("b", [said(1, 5, "other")])], 100, WORDS);
    expect(told(merged)).toEqual(["b: other", "a: first", "a: second"]);
  });

  test("what comes later goes behind what was shown, however early it says it was", () => {
    const first = merge(NOTHING_MERGED, [log("a", [said(1, 9, "one")]), log("b", [])], 100, WORDS);
    const second = merge(first, [log("a", [said(1, 9, "one")]), log("b", [said(1, 2, "late")])], 100, WORDS);
    expect(told(second)).toEqual(["a: one", "b: late"]);
    expect(merge(second, [log("a", [said(1, 9, "one")]), log("b", [said(1, 2, "late")])], 100, WORDS)).toBe(second);
  });

  test("a gap is a line at its place, once", () => {
    const gap = { type: "gap", afterSeq: 1, beforeSeq: 5, lost: 3, proved: true, reason: "removed" } as const;
    const a = [said(1, 0, "one"), said(5, 1, "five")];
    const merged = merge(NOTHING_MERGED, [log("a", a, { notices: [gap] })], 100, WORDS);
    expect(told(merged)).toEqual(["a: one", "a: lines 2–4 are missing (3): removed", "a: five"]);
    const more = merge(merged, [log("a", [...a, said(6, 2, "six")], { notices: [gap] })], 100, WORDS);
    expect(told(more).slice(3)).toEqual(["a: six"]);
  });

  test("lines that passed by unseen are told", () => {
    const first = merge(NOTHING_MERGED, [log("a", [said(1, 0, "one")])], 100, WORDS);
    const second = merge(first, [log("a", [said(400, 9, "later")])], 100, WORDS);
    expect(told(second)).toEqual(["a: one", "a: lines 2–399 came too fast to be shown here", "a: later"]);
  });

  test("lines that were withdrawn go, and it is told", () => {
    const first = merge(NOTHING_MERGED, [log("a", [said(1, 0, "one"), said(2, 1, "lost in a failover")]), log("b", [said(1, 0, "b")])], 100, WORDS);
    const reset = { type: "reset", afterSeq: 1, withdrawn: 1, reason: "failover" } as const;
    const second = merge(first, [log("a", [said(1, 0, "one"), said(2, 3, "other")], { resets: 1, notices: [reset] }), log("b", [said(1, 0, "b")])], 100, WORDS);
    expect(told(second)).toEqual(["a: one", "b: b", "a: 1 line after line 1 withdrawn: failover", "a: other"]);
    expect(second.rebuilds).toBe(1);
  });

  test("only the newest lines are held", () => {
    const records = Array.from({ length: 50 }, (_, i) => said(i + 1, i, String(i)));
    const merged = merge(NOTHING_MERGED, [log("a", records)], 10, WORDS);
    expect(merged.records).toHaveLength(10);
    expect(merged.records[0]!.seq).toBe(41);
    expect(merged.last).toBe(50);
  });
});

test("however the lines come, each execution's own are all there, in their order", () => {
  const moments = fc.array(fc.nat(20), { maxLength: 20 });
  fc.assert(
    fc.property(fc.array(moments, { minLength: 1, maxLength: 4 }), fc.array(fc.nat(20), { maxLength: 6 }), (times, cuts) => {
      const whole = times.map((list) => list.map((seconds, i) => said(i + 1, seconds, String(i))));
      let merged = NOTHING_MERGED;
      for (const cut of [...cuts.toSorted((a, b) => a - b), 20]) {
        merged = merge(merged, whole.map((records, i) => log(`e${i}`, records.slice(0, cut + (i % 2)))), 1_000, WORDS);
      }
      whole.forEach((records, i) => {
        const own = merged.records.filter(({ execution_id }) => execution_id === `e${i}`).map(({ message }) => message);
        expect(own).toEqual(records.map(({ message }) => message));
      });
      expect(merged.records.map(({ seq }) => seq)).toEqual(merged.records.map((_, i) => i + 1));
    }),
  );
});

describe("MergedStore", () => {
  test("tells of new lines of any of them", async () => {
    const [a, b] = [new MemoryLog("a", [said(1, 0, "a1")]), new MemoryLog("b", [])];
    const store = new MergedStore([a, b], WORDS);
    const heard = new Promise<void>((done) => store.subscribe(done));
    expect(store.getSnapshot().lastSeq).toBe(1);
    b.add(said(1, 1, "b1"));
    await heard;
    expect(told(store.getSnapshot())).toEqual(["a: a1", "b: b1"]);
  });

  test("stands as the worst of its links does, and has ended when all have", () => {
    const ended = { link: { phase: "ended" }, connectionStatus: "disconnected" } as const;
    const stand = (...logs: MemoryLog[]): string => {
      const store = new MergedStore(logs, WORDS);
      store.subscribe(() => {});
      return store.getSnapshot().link.phase;
    };
    expect(stand(new MemoryLog("a", [], ended), new MemoryLog("b", []))).toBe("live");
    expect(stand(new MemoryLog("a", [], ended), new MemoryLog("b", [], { link: { phase: "retrying", attempt: 1, retryAt: 0, code: 1006 } }))).toBe("retrying");
    expect(stand(new MemoryLog("a", [], ended), new MemoryLog("b", [], ended))).toBe("ended");
  });

  test("searches in what it holds", async () => {
    const store = new MergedStore([new MemoryLog("a", [said(1, 0, "needle"), said(2, 1, "hay")]), new MemoryLog("b", [said(1, 2, "Needle too")])], WORDS);
    store.subscribe(() => {});
    expect((await store.rest.logs("", { q: "needle" })).matches).toEqual([1, 3]);
  });
});
