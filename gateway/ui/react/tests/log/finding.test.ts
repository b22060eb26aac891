import { describe, expect, it } from "vitest";
import { Counting } from "../../src/log/counting.ts";
import { indexAfter, inWindow } from "../../src/log/held.ts";
import { Matches } from "../../src/log/matches.ts";
import { nextError } from "../../src/log/next_error.ts";
import { Search } from "../../src/log/search.ts";
import { memory, tenth } from "./memory.ts";
import { lines, record, snapshot } from "./snapshots.ts";

const ERRORS = { levels: ["error"], steps: [] } as const;
const never = new AbortController().signal;

describe("a window", () => {
  it("finds its lines by number, also behind a hole", () => {
    const records = [...lines(5, 9), ...lines(20, 24)];
    expect([4, 5, 9, 10, 20, 24, 25].map((seq) => inWindow(records, seq)?.seq ?? null)).toEqual([null, 5, 9, null, 20, 24, null]);
    expect([0, 5, 9, 15, 24].map((seq) => indexAfter(records, seq))).toEqual([0, 1, 5, 5, 10]);
  });
});

describe("a filter", () => {
  it("lists what passes in the window, then older lines page by page, and knows when it has all", async () => {
    const log = memory(120_000);
    const matches = new Matches(ERRORS);
    const { records } = log.getSnapshot();
    matches.take(records, records[0]!.seq);
    expect([matches.count, matches.lookedFrom, matches.hasOlder(1)]).toEqual([10, 119_901, true]);
    for (let page = 0; matches.hasOlder(1); page += 1) {
      expect(page).toBeLessThan(100);
      await matches.back(log.rest, "memory");
    }
    expect(matches.seqs).toEqual(Array.from({ length: 12_000 }, (_, i) => (i + 1) * 10));
  });

  it("goes on with new lines, once each", () => {
    const matches = new Matches(ERRORS);
    const first = Array.from({ length: 30 }, (_, i) => tenth(i + 1));
    matches.take(first.slice(0, 20), 1);
    matches.take(first, 1);
    expect(matches.seqs).toEqual([10, 20, 30]);
  });

  it("begins anew behind lines that it never saw", () => {
    const matches = new Matches(ERRORS);
    matches.take([tenth(10)], 1);
    matches.take([tenth(500)], 500);
    expect([matches.seqs, matches.lookedFrom]).toEqual([[500], 500]);
  });

  it("drops what was withdrawn", () => {
    const matches = new Matches(ERRORS);
    matches.take(Array.from({ length: 30 }, (_, i) => tenth(i + 1)), 1);
    matches.withdraw(15);
    expect([matches.seqs, matches.lookedTo]).toEqual([[10], 15]);
    matches.take([record(20, { level: "info" }), tenth(30)], 16);
    expect(matches.seqs).toEqual([10, 30]);
  });

  it("says that it was cut off, and goes on from there", async () => {
    const log = memory(5000);
    const matches = new Matches(ERRORS);
    matches.startAt(5000);
    expect(await matches.back({ ...log.rest, logs: () => Promise.reject(new Error("503")) }, "memory")).toBeNull();
    expect([matches.failed, matches.count]).toEqual([true, 0]);
    await matches.back(log.rest, "memory");
    expect([matches.failed, matches.count]).toEqual([false, 500]);
  });
});

describe("a search", () => {
  it("looks through the whole log, from its end, and finds every line once", async () => {
    const log = memory(200_000);
    const search = new Search("line 77", 200_000, () => {});
    await search.run(log.rest, "memory");
    const all = Array.from({ length: 200_000 }, (_, i) => i + 1).filter((seq) => `line ${seq}`.includes("line 77"));
    expect(search.seqs).toEqual(all);
    expect([search.state, search.progress]).toEqual(["done", 1]);
  });

  it("goes to the next match and the one before, around both ends", async () => {
    const search = new Search("line 5", 60, () => {});
    await search.run(memory(60).rest, "memory"); // 5, 50 … 59
    expect([search.next(5, 1), search.next(59, 1), search.next(50, -1), search.next(5, -1)]).toEqual([50, 5, 5, 59]);
    expect([search.nearest(1), search.nearest(26), search.nearest(28), search.nearest(99)]).toEqual([5, 5, 50, 59]);
    expect([search.placeOf(50), search.placeOf(49)]).toEqual([2, 0]);
  });

  it("finds it in new lines too", async () => {
    const search = new Search("LINE 7", 60, () => {});
    search.take([record(60), record(61), record(70), record(71)]);
    expect(search.seqs).toEqual([70, 71]);
  });

  it("stops at a bound, and says so", async () => {
    const search = new Search("line", 100_000, () => {});
    await search.run(memory(100_000).rest, "memory");
    expect([search.state, search.count]).toEqual(["bound", 20_000]);
  });

  it("says that it was cut off", async () => {
    const search = new Search("line", 100, () => {});
    await search.run({ ...memory(100).rest, logs: () => Promise.reject(new Error("503")) }, "memory");
    expect(search.state).toBe("failed");
  });

  it("asks for nothing more once it is stopped", async () => {
    const log = memory(400_000, { latencyMs: 1 });
    const search = new Search("nowhere", 400_000, () => search.stop());
    await search.run(log.rest, "memory");
    expect(log.requests).toBe(1);
  });
});

describe("the next error", () => {
  it("is found in the window, or asked of the gateway as far as it takes", async () => {
    const rare = memory(200_000, { make: (seq) => record(seq, { level: seq === 150_000 || seq === 199_990 ? "error" : "info" }) });
    const { records } = rare.getSnapshot();
    const next = (seq: number): Promise<number | null> => nextError(rare.rest, "memory", seq, records, never);
    expect([await next(0), await next(149_999), await next(150_000), await next(199_990)]).toEqual([150_000, 150_000, 199_990, null]);
  });
});

describe("counts by level", () => {
  it("go on from what the gateway counted", () => {
    const counting = new Counting();
    const execution = { id: "run", status: "running", created_at: "", last_seq: 15, levels: { info: 13, error: 1 } } as const;
    const records = Array.from({ length: 30 }, (_, i) => tenth(i + 1));
    expect(counting.of(execution, records.slice(0, 20), null)).toEqual({ debug: 0, info: 17, warning: 0, error: 2 });
    expect(counting.of(execution, records, null)).toEqual({ debug: 0, info: 26, warning: 0, error: 3 });
    expect(counting.of(execution, records, null)).toEqual({ debug: 0, info: 26, warning: 0, error: 3 });
  });

  it("are the totals' at the end", () => {
    const { totals } = snapshot([], { totals: { first: 1, last: 9, records: 9, levels: { error: 4 }, dropped: 0, bytes: 0 } });
    expect(new Counting().of(null, lines(1, 9), totals)).toEqual({ debug: 0, info: 0, warning: 0, error: 4 });
  });
});
