import { describe, expect, it } from "vitest";
import { denseRows, listedRows, merged, type NoticePlace, type Range, type Row, type Rows, without } from "../../src/log/rows.ts";
import { numbers } from "./numbers.ts";

const all = (rows: Rows): string[] => Array.from({ length: rows.count }, (_, i) => spelled(rows.at(i)));
const spelled = (row: Row): string => (row.kind === "record" ? String(row.seq) : row.id);

/** The same, the slow and plain way. */
function plainly(first: number, last: number, hidden: readonly Range[], notices: readonly NoticePlace[]): string[] {
  const out: string[] = [];
  for (let seq = first; seq <= last + 1; seq += 1) {
    for (const notice of notices) if (Math.max(notice.before, first) === seq) out.push(notice.id);
    if (seq <= last && !hidden.some((range) => seq >= range.first && seq <= range.last)) out.push(String(seq));
  }
  return out;
}

describe("dense rows", () => {
  it("are the lines, in a log of ten million without a list of them", () => {
    const rows = denseRows(1, 10_000_000, [], []);
    expect(rows.count).toBe(10_000_000);
    expect(rows.at(4_999_999)).toEqual({ kind: "record", seq: 5_000_000 });
    expect(rows.indexOf(5_000_000)).toBe(4_999_999);
  });

  it("leave out what is hidden, and put notices where they belong", () => {
    const rows = denseRows(3, 12, [{ first: 5, last: 8 }], [{ id: "trimmed", before: 3 }, { id: "gap", before: 5 }, { id: "verdict", before: 13 }]);
    expect(all(rows)).toEqual(["trimmed", "3", "4", "gap", "9", "10", "11", "12", "verdict"]);
  });

  it("find the nearest row before a line that has none", () => {
    const rows = denseRows(1, 12, [{ first: 5, last: 8 }], []);
    expect([4, 5, 8, 9, 99].map((seq) => rows.indexOf(seq))).toEqual([3, 3, 3, 4, 7]);
    expect(denseRows(5, 9, [], []).indexOf(2)).toBe(-1);
  });

  it("agree with the slow way for any ranges and notices", () => {
    const next = numbers(11);
    for (let round = 0; round < 300; round += 1) {
      const first = 1 + next(5);
      const last = first + next(40) - 1;
      const hidden = merged(Array.from({ length: next(4) }, () => ranged(next(45), next(8))));
      const notices = Array.from({ length: next(4) }, (_, i) => ({ id: `n${i}`, before: 1 + next(last + 1) })).sort((a, b) => a.before - b.before);
      if (last < first) continue;
      const rows = denseRows(first, last, hidden, notices);
      expect(all(rows)).toEqual(plainly(first, last, hidden, notices));
      rowsOf(rows).forEach((row, index) => {
        if (row.kind === "record") expect(rows.indexOf(row.seq)).toBe(index);
      });
    }
  });

  it("are none in an empty log", () => {
    expect(denseRows(1, 0, [], []).count).toBe(0);
  });
});

describe("listed rows", () => {
  it("are the lines of the list, notices among them", () => {
    const rows = listedRows([4, 9, 15], [{ id: "looking", before: 0 }, { id: "gap", before: 10 }, { id: "end", before: 99 }]);
    expect(all(rows)).toEqual(["looking", "4", "9", "gap", "15", "end"]);
    expect([3, 4, 9, 12, 15, 50].map((seq) => rows.indexOf(seq))).toEqual([-1, 1, 2, 2, 4, 4]);
  });
});

describe("ranges", () => {
  it("that overlap or touch are one", () => {
    expect(merged([ranged(8, 2), ranged(1, 3), ranged(4, 2), { first: 30, last: 29 }])).toEqual([{ first: 1, last: 6 }, { first: 8, last: 10 }]);
  });

  it("are what is left without others", () => {
    expect(without({ first: 3, last: 20 }, [{ first: 1, last: 4 }, { first: 9, last: 10 }, { first: 20, last: 25 }])).toEqual([{ first: 5, last: 8 }, { first: 11, last: 19 }]);
    expect(without({ first: 3, last: 5 }, [{ first: 1, last: 9 }])).toEqual([]);
  });
});

const ranged = (first: number, more: number): Range => ({ first, last: first + more });
const rowsOf = (rows: Rows): Row[] => Array.from({ length: rows.count }, (_, i) => rows.at(i));
