import { describe, expect, it } from "vitest";
import { type CopyBounds, type CopyFormat, gathered } from "../../src/log/copying.ts";
import { inWindow } from "../../src/log/held.ts";
import type { Range } from "../../src/log/rows.ts";
import { extended, isSelected, rangeOf, selected } from "../../src/log/selection.ts";
import { STRINGS } from "../../src/log/strings.ts";
import { memory } from "./memory.ts";
import { record } from "./snapshots.ts";

const BOUNDS: CopyBounds = { lines: 500, characters: 100_000, page: 50 };

function gather(ranges: Range[], format: CopyFormat = "text", bounds = BOUNDS, log = memory(1000)): ReturnType<typeof gathered> {
  const wish = { ranges, format, strings: STRINGS, here: (seq: number) => inWindow(log.getSnapshot().records, seq), wanted: () => true, progress: () => {}, signal: new AbortController().signal };
  return gathered(log.rest, "memory", wish, bounds);
}

describe("a selection", () => {
  it("reaches from where it began to where it ends, in either direction", () => {
    expect(rangeOf(extended(selected(9), 4))).toEqual({ first: 4, last: 9 });
    expect([3, 4, 9, 10].map((seq) => isSelected({ anchor: 9, head: 4 }, seq))).toEqual([false, true, true, false]);
    expect(rangeOf(extended(null, 4))).toEqual({ first: 4, last: 4 });
    expect(isSelected(null, 4)).toBe(false);
  });
});

describe("copied lines", () => {
  it("come from beyond the screen and the window, each once and in order", async () => {
    const { text, lines, cut } = await gather([{ first: 700, last: 990 }]);
    const numbers = text.trimEnd().split("\n").map((line) => Number(line.split(" ").at(-1)));
    expect(numbers).toEqual(Array.from({ length: 291 }, (_, i) => 700 + i));
    expect([lines, cut]).toEqual([291, false]);
  });

  it("ask for nothing that is at hand, and for no gap", async () => {
    const log = memory(1000);
    await gather([{ first: 950, last: 1000 }], "text", BOUNDS, log);
    expect(log.requests).toBe(0);
    expect((await gather([{ first: 1, last: 10 }, { first: 900, last: 905 }], "text", BOUNDS, log)).lines).toBe(16);
    expect(log.requests).toBe(2);
  });

  it("are all there when pages come cut", async () => {
    const log = memory(1000, { pageRecords: 7 });
    expect((await gather([{ first: 101, last: 210 }], "text", BOUNDS, log)).lines).toBe(110);
    expect(log.requests).toBe(8 + 8 + 2);
  });

  it("stop at a bound, and say so", async () => {
    expect(await gather([{ first: 1, last: 1000 }])).toMatchObject({ lines: 500, cut: true });
    expect(await gather([{ first: 1, last: 1000 }], "text", { ...BOUNDS, characters: 100 })).toMatchObject({ cut: true });
  });

  it("are records as JSON, one a line", async () => {
    const { text } = await gather([{ first: 998, last: 999 }], "json");
    expect(text.trimEnd().split("\n").map((line) => JSON.parse(line).seq)).toEqual([998, 999]);
  });

  it("carry no sequences to a terminal", async () => {
    const log = memory(3, { make: (seq) => record(seq, { message: "a\u001b[31mb\u001b[2Jc" }) });
    expect((await gather([{ first: 1, last: 1 }], "text", BOUNDS, log)).text).toBe("info abc\n");
  });

  it("are not half of them when a page cannot be had", async () => {
    const log = memory(1000);
    const wish = { ranges: [{ first: 1, last: 10 }], format: "text", strings: STRINGS, here: () => null, wanted: () => true, progress: () => {}, signal: new AbortController().signal } as const;
    await expect(gathered({ ...log.rest, logs: () => Promise.reject(new Error("503")) }, "memory", wish)).rejects.toThrow("503");
  });
});
