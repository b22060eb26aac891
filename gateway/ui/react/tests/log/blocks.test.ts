import type { LogRecord } from "@runtail/client";
import { describe, expect, it } from "vitest";
import { Blocks, type Loaded } from "../../src/log/blocks.ts";

const record = (seq: number): LogRecord => ({ id: `${seq}-0`, seq, message: `line ${seq}` });
const settled = (): Promise<void> => new Promise((done) => setTimeout(done, 0));
const BOUNDS = { size: 10, most: 3, weight: 10_000, parallel: 2, retryMs: 1_000 };

class Source {
  now = 0;
  asked: [number, number][] = [];
  aborted = 0;
  loaded = 0;
  answer: (first: number, last: number) => Loaded = (first, last) => ({ records: Array.from({ length: last - first + 1 }, (_, i) => record(first + i)), whole: true });
  hold = false;
  readonly blocks = new Blocks(
    async (first, last, signal) => {
      this.asked.push([first, last]);
      signal.addEventListener("abort", () => (this.aborted += 1));
      if (this.hold) await new Promise<void>((_, fail) => signal.addEventListener("abort", () => fail(new Error("aborted"))));
      return this.answer(first, last);
    },
    () => this.now,
    () => (this.loaded += 1),
    BOUNDS,
  );
}

describe("blocks", () => {
  it("are asked for when their lines are looked at, once", async () => {
    const source = new Source();
    expect(source.blocks.get(15)).toBe("loading");
    source.blocks.want([14, 15, 16]);
    source.blocks.want([15]);
    await settled();
    expect(source.asked).toEqual([[11, 20]]);
    expect(source.blocks.get(15)).toEqual(record(15));
    expect(source.loaded).toBe(1);
  });

  it("are not waited for any more when the reader went on", async () => {
    const source = new Source();
    source.hold = true;
    source.blocks.want([5]);
    source.blocks.want([500]);
    await settled();
    expect(source.aborted).toBe(1);
    expect(source.asked).toEqual([[1, 10], [491, 500]]);
    expect(source.blocks.size).toBe(1);
  });

  it("are kept up to a bound: those unused for longest go", async () => {
    const source = new Source();
    for (const seq of [1, 11, 21, 1, 31]) {
      source.blocks.want([seq]);
      await settled();
    }
    expect(source.blocks.size).toBe(3);
    expect(source.blocks.get(1)).toEqual(record(1));
    expect(source.blocks.get(11)).toBe("loading");
  });

  it("are asked for again some time after it failed", async () => {
    const source = new Source();
    source.answer = () => { throw new Error("503"); };
    source.blocks.want([1]);
    await settled();
    expect(source.blocks.get(1)).toBe("failed");
    source.blocks.want([1]);
    expect(source.asked.length).toBe(1);
    source.now = 1_000;
    source.blocks.want([1]);
    await settled();
    expect(source.asked.length).toBe(2);
  });

  it("say what is no longer kept, but not of lines that are still to come", async () => {
    const source = new Source();
    source.answer = () => ({ records: [record(3)], whole: true });
    source.blocks.want([3]);
    await settled();
    expect([source.blocks.get(3), source.blocks.get(4)]).toEqual([record(3), "absent"]);
    source.answer = () => ({ records: [record(13)], whole: false });
    source.blocks.want([13]);
    await settled();
    expect(source.blocks.get(14)).toBe("loading");
    source.now = 1_000;
    source.answer = () => ({ records: [record(13), record(14)], whole: true });
    source.blocks.want([14]);
    await settled();
    expect(source.blocks.get(14)).toEqual(record(14));
  });

  it("are asked for a few at a time", () => {
    const source = new Source();
    source.hold = true;
    source.blocks.want([1, 11, 21, 31]);
    expect(source.asked.length).toBe(2);
  });

  it("are void after a reset, an answer on its way too", async () => {
    const source = new Source();
    source.blocks.want([1]);
    source.blocks.clear();
    await settled();
    expect(source.blocks.get(1)).toBe("loading");
    expect(source.loaded).toBe(0);
  });

  it("hold a bounded weight beside what is on screen, however few they are", async () => {
    const source = new Source();
    const heavy = (first: number, last: number): LogRecord[] => Array.from({ length: last - first + 1 }, (_, i) => ({ ...record(first + i), message: "x".repeat(400) }));
    source.answer = (first, last) => ({ records: heavy(first, last), whole: true });
    for (const seq of [5, 15, 25]) {
      source.blocks.want([seq]);
      await settled();
    }
    expect([5, 15, 25].map((seq) => typeof source.blocks.get(seq))).toEqual(["string", "object", "object"]);
    source.answer = (first, last) => ({ records: heavy(first, last).map((each) => ({ ...each, message: "x".repeat(4_000) })), whole: true });
    source.blocks.want([35]);
    await settled();
    expect([15, 25, 35].map((seq) => typeof source.blocks.get(seq))).toEqual(["string", "string", "object"]);
  });
});
