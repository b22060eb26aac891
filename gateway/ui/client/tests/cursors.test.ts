import fc from "fast-check";
import { expect, test } from "vitest";
import { cursorMemory, seqOf } from "../src/cursors.ts";
import { cursor } from "./world.ts";

test("of a cursor the seq is known, of a bare record id it is not", () => {
  expect([seqOf("1003-0:7:aaaaaaaa"), seqOf("0-0:0:-"), seqOf("1003-0")]).toEqual([7, 0, null]);
});

test("the newest cursor is kept, the first too, and older ones sparser with age", () => {
  const memory = cursorMemory();
  for (let seq = 0; seq <= 100_000; seq += 1) memory.stand(cursor(seq));
  const kept = memory.newestFirst().map((each) => seqOf(each) ?? -1);
  expect(kept).toHaveLength(8);
  expect([kept[0], kept.at(-1)]).toEqual([100_000, 0]);
  const gaps = kept.slice(1).map((seq, i) => (kept[i] ?? 0) - seq);
  expect(gaps[0]).toBeLessThan(2_000);
  expect(gaps.slice(1).every((gap, i) => gap >= (gaps[i] ?? 0) / 8)).toBe(true);
});

test("whatever is added and taken back, what is kept falls, begins with the newest and has no bare id", () => {
    fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 500 })), (seqs) => {
      const memory = cursorMemory();
      let newest = -1;
      for (const seq of seqs) {
        memory.stand(cursor(seq));
        memory.stand("1003-0");
        newest = seq;
      }
      const kept = memory.newestFirst().map((each) => seqOf(each) ?? -1);
      expect(kept[0] ?? -1).toBe(newest);
      expect(kept).toEqual([...new Set(kept)].sort((x, y) => y - x));
      expect(kept.length).toBeLessThanOrEqual(8);
    }),
  );
});
