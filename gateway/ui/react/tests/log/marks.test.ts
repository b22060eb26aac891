import { describe, expect, it } from "vitest";
import { announcement } from "../../src/log/announcing.ts";
import { Heights } from "../../src/log/heights.ts";
import { Layout } from "../../src/log/layout.ts";
import { marksOf } from "../../src/log/marks.ts";
import { denseRows } from "../../src/log/rows.ts";
import { STRINGS } from "../../src/log/strings.ts";
import { lines, record, snapshot } from "./snapshots.ts";

describe("marks along the scroll bar", () => {
  it("stand where their lines do, one a pixel at most", () => {
    const layout = new Layout(denseRows(1, 1_000_000, [], []), new Heights(), 20);
    expect(marksOf([1, 2, 500_001, 1_000_000], layout, 100)).toEqual([0, 50, 99]);
    expect(marksOf(Array.from({ length: 20_000 }, (_, i) => 1 + i * 50), layout, 400).length).toBe(400);
  });
});

describe("what is said aloud", () => {
  it("is how much came, how many errors, and the last line", () => {
    const now = snapshot([...lines(1, 8), record(9, { level: "error" }), record(10, { message: "the \u001b[31mlast\u001b[0m" })]);
    expect(announcement({ upTo: 7, ended: false }, now, STRINGS)).toEqual(["3 lines new, 1 error. the last", { upTo: 10, ended: false }]);
    expect(announcement({ upTo: 10, ended: false }, now, STRINGS)[0]).toBeNull();
  });

  it("is the verdict at the end, once", () => {
    const ended = snapshot(lines(1, 8), { completeness: { state: "complete", records: 8 } });
    const [said, heard] = announcement({ upTo: 8, ended: false }, ended, STRINGS);
    expect(said).toBe("complete, 8 lines");
    expect(announcement(heard, ended, STRINGS)[0]).toBeNull();
  });
});
