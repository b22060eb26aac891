import type { Notice } from "@runtail/client";
import { describe, expect, it } from "vitest";
import { noticesOf } from "../../src/log/notices.ts";
import { STRINGS } from "../../src/log/strings.ts";
import { lines, snapshot } from "./snapshots.ts";

const gap = (afterSeq: number, beforeSeq: number, more: object = {}): Notice => ({ type: "gap", afterSeq, beforeSeq, lost: beforeSeq - afterSeq - 1, proved: true, reason: "removed", ...more });

describe("notices", () => {
  it("say of a gap which lines are missing, how many, and why", () => {
    const { hidden, places, texts } = noticesOf(snapshot(lines(1, 20), { notices: [gap(4, 9)] }), STRINGS);
    expect(hidden).toEqual([{ first: 5, last: 8 }]);
    expect(places).toEqual([{ id: "gap:4", before: 5 }]);
    expect(texts.get("gap:4")).toBe("lines 5 to 8: 4 lines are missing: they are no longer kept");
  });

  it("say so too where nobody knows how many, or nobody told", () => {
    const texts = noticesOf(snapshot(lines(1, 20), { notices: [gap(4, 6, { lost: null }), gap(9, 12, { reason: "unannounced" })] }), STRINGS).texts;
    expect([...texts.values()]).toEqual([
      "line 5: an unknown number of lines is missing: they are no longer kept",
      "lines 10 to 11: 2 lines are missing: they never came, and the gateway did not say why",
    ]);
  });

  it("say what is no longer kept before the first line, once", () => {
    const trimmed = noticesOf(snapshot(lines(101, 120), { firstSeq: 101 }), STRINGS);
    expect([trimmed.first, [...trimmed.texts.values()]]).toEqual([101, ["100 lines before this one are no longer kept"]]);
    const told = noticesOf(snapshot(lines(101, 120), { firstSeq: 1, notices: [gap(0, 101)] }), STRINGS);
    expect([told.first, [...told.texts.keys()]]).toEqual([101, ["gap:0"]]);
  });

  it("keep lines in sight that the window still holds after the gateway dropped them", () => {
    expect(noticesOf(snapshot(lines(50, 120), { firstSeq: 101 }), STRINGS).first).toBe(50);
  });

  it("say what a reset withdrew", () => {
    const { texts, places } = noticesOf(snapshot(lines(1, 20), { notices: [{ type: "reset", afterSeq: 7, withdrawn: 5, reason: "failover" }] }), STRINGS);
    expect(places).toEqual([{ id: "reset:7:0", before: 8 }]);
    expect([...texts.values()]).toEqual(["5 lines after line 7 withdrawn: failover; the log goes on with what the stream holds"]);
  });

  it("prove at the end that the log is complete", () => {
    const totals = { first: 1, last: 12_431, records: 12_431, levels: {}, dropped: 0, bytes: 0 };
    const { places, texts } = noticesOf(snapshot(lines(12_400, 12_431), { totals, completeness: { state: "complete", records: 12_431 } }), STRINGS);
    expect(places).toEqual([{ id: "verdict", before: 12_432 }]);
    expect(texts.get("verdict")).toBe("complete, 12,431 lines");
  });

  it("or name what is missing", () => {
    const totals = { first: 1, last: 30, records: 30, levels: {}, dropped: 2, bytes: 0 };
    const completeness = { state: "missing", records: 30, lost: 6, ranges: [[5, 9], [20, 20]] } as const;
    expect(noticesOf(snapshot(lines(1, 30), { totals, completeness }), STRINGS).texts.get("verdict")).toBe("ended, 30 lines, 6 missing: 5–9, 20, 2 dropped by the worker");
  });

  it("are none of an empty log", () => {
    expect(noticesOf(snapshot([]), STRINGS)).toMatchObject({ first: 1, last: 0, hidden: [], places: [] });
  });
});
