import { describe, expect, it } from "vitest";
import { Heights } from "../../src/log/heights.ts";
import { Layout } from "../../src/log/layout.ts";
import { denseRows, listedRows } from "../../src/log/rows.ts";
import { numbers } from "./numbers.ts";

const ROW = 20;

function uneven(count: number): Heights {
  const heights = new Heights();
  const next = numbers(3);
  for (let seq = 1; seq <= count; seq += 1) if (next(3) === 0) heights.set(seq, next(8) * ROW);
  return heights;
}

describe("layout", () => {
  it("finds every one of 100,000 unequal rows at each of its pixels' ends", () => {
    const layout = new Layout(denseRows(1, 100_000, [], []), uneven(100_000), ROW);
    for (let index = 0; index < 100_000; index += 37) {
      const top = layout.offsetOf(index);
      const height = layout.heightOf(layout.rows.at(index));
      expect([layout.indexAt(top), layout.indexAt(top + height - 1)]).toEqual([index, index]);
    }
    expect(layout.offsetOf(100_000)).toBe(layout.total);
  });

  it("keeps what stands at a place there when rows above it go, come or grow", () => {
    const heights = uneven(1000);
    const before = new Layout(denseRows(1, 1000, [], []), heights, ROW);
    const top = before.offsetOf(700) + 7;
    const anchor = before.anchorAt(top);
    expect(anchor).toEqual({ seq: 701, into: 7 });
    heights.clear(100, 200);
    heights.set(650, 300);
    const after = new Layout(denseRows(50, 1200, [{ first: 100, last: 200 }], [{ id: "trimmed", before: 50 }]), heights, ROW);
    const moved = after.offsetOfAnchor(anchor);
    expect(after.rows.at(after.indexAt(moved))).toEqual({ kind: "record", seq: 701 });
    expect(moved - after.offsetOf(after.indexAt(moved))).toBe(7);
  });

  it("holds on to the line before when its own is hidden", () => {
    const layout = new Layout(denseRows(1, 100, [{ first: 10, last: 50 }], []), new Heights(), ROW);
    expect(layout.offsetOfAnchor({ seq: 30, into: 12 })).toBe(8 * ROW);
  });

  it("knows the lines in sight, and where each stands", () => {
    const layout = new Layout(denseRows(1, 100, [], [{ id: "gap", before: 12 }]), new Heights(), ROW);
    expect(layout.inSight(10 * ROW + 5, 3 * ROW)).toEqual([{ seq: 11, into: 5 }, { seq: 12, into: 5 - 2 * ROW }, { seq: 13, into: 5 - 3 * ROW }]);
    expect(new Layout(denseRows(1, 0, [], []), new Heights(), ROW).inSight(0, 400)).toEqual([]);
  });

  it("keeps in its place what was wished, or what stood at the top, or the first in sight that was not folded away", () => {
    const before = new Layout(denseRows(1, 100, [], []), new Heights(), ROW);
    const top = 29 * ROW;
    const sight = before.inSight(top, 20 * ROW);
    const after = new Layout(denseRows(1, 100, [{ first: 20, last: 34 }], []), new Heights(), ROW);
    const stays = (wish: number | null, layout = after): readonly number[] => {
      const kept = layout.kept(before.anchorAt(top), sight, wish);
      return [kept.seq, layout.offsetOf(layout.rows.indexOf(kept.seq)) - layout.offsetOfAnchor(kept)];
    };
    expect(stays(40)).toEqual([40, 10 * ROW]); // where it was on the screen
    expect(stays(null)).toEqual([35, 5 * ROW]);
    expect(stays(25)).toEqual([35, 5 * ROW]); // it was wished, and is folded away itself
    expect(stays(90)).toEqual([35, 5 * ROW]); // it was not in sight
    expect(stays(null, before)).toEqual([30, 0]);
  });

  it("never holds on to a notice, which may go", () => {
    const layout = new Layout(listedRows([5, 9], [{ id: "looking", before: 0 }]), new Heights(), ROW);
    expect(layout.anchorAt(3)).toEqual({ seq: 5, into: 3 - ROW });
  });

  it("is nothing in an empty log", () => {
    const layout = new Layout(denseRows(1, 0, [], []), new Heights(), ROW);
    expect([layout.total, layout.indexAt(50), layout.offsetOf(0)]).toEqual([0, 0, 0]);
  });
});
