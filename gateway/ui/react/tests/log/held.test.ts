import { describe, expect, it } from "vitest";
import { Held } from "../../src/log/held.ts";
import { weightOf } from "../../src/log/weight.ts";
import { memory, until } from "./memory.ts";
import { record } from "./snapshots.ts";

function held(log: ReturnType<typeof memory>, bounds = { records: 10, weight: 10_000 }): Held {
  const made = new Held(log.rest, "memory", () => 0, () => {}, bounds);
  made.take(log.getSnapshot());
  return made;
}

describe("what is held", () => {
  it("asks on where a page was cut for its size, and takes nothing for lines that are gone", async () => {
    const log = memory(2000, { pageRecords: 150 });
    const lines = held(log);
    lines.want([801, 1200]);
    await until(() => lines.here(1200) !== null);
    expect(Array.from({ length: 400 }, (_, i) => lines.here(801 + i)?.seq)).toEqual(Array.from({ length: 400 }, (_, i) => 801 + i));
    expect(log.requests).toBe(3);
  });

  it("takes lines for gone that the gateway does not keep", async () => {
    const log = memory(2000, { first: 500 });
    const lines = held(log);
    lines.want([450, 510]);
    await until(() => lines.here(510) !== null);
    expect([lines.get(499), lines.here(500)?.seq]).toEqual(["absent", 500]);
    expect(log.requests).toBe(1);
  });

  it("keeps what a filter found within bounds, in records and in size", () => {
    const lines = held(memory(2000));
    lines.keep(Array.from({ length: 12 }, (_, i) => record(i + 1)));
    lines.keep([record(12)]);
    expect([1, 2, 3, 12].map((seq) => lines.here(seq)?.seq)).toEqual([undefined, undefined, 3, 12]);
    const room = 10_000 - weightOf(record(12)) - weightOf(record(13, { message: "" }));
    lines.keep([record(13, { message: "x".repeat(room) })]);
    expect([4, 11, 12, 13].map((seq) => lines.here(seq)?.seq)).toEqual([undefined, undefined, 12, 13]);
  });
});

describe("the weight of a record", () => {
  it("is about its length as JSON, however deep it is", () => {
    const one = record(1, { message: "x".repeat(300), input_data: { rows: [1, 2, { a: "b" }] } });
    expect(weightOf(one) / JSON.stringify(one).length).toBeCloseTo(1, 0);
    let deep: unknown = "x";
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    expect(weightOf(deep)).toBeGreaterThan(100_000);
  });
});
