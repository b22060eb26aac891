import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { destination } from "../../src/executions/destination.ts";
import { MOST, pageToAsk } from "../../src/executions/loading.ts";
import { ALL_EXECUTIONS } from "../../src/executions/query.ts";
import { slowness } from "../../src/executions/slowness.ts";
import { scrolledTo, windowOf } from "../../src/executions/window.ts";

describe("the rows that are drawn", () => {
  const places = fc.record({ count: fc.nat(10_000), top: fc.nat(600_000), height: fc.integer({ min: 1, max: 3_000 }) });

  test("are always all those in sight, and few others", () => {
    fc.assert(
      fc.property(places, ({ count, top, height }) => {
        const { first, end } = windowOf(count, 48, top, height);
        for (let at = Math.floor(top / 48); at * 48 < top + height; at += 1) if (at < count) expect(first <= at && at < end).toBe(true);
        expect(end - first).toBeLessThanOrEqual(Math.ceil(height / 48) + 14);
        expect(first).toBeGreaterThanOrEqual(0);
        expect(end).toBeLessThanOrEqual(count);
      }),
    );
  });

  test("a row out of sight is scrolled to, no farther than needed", () => {
    expect(scrolledTo(10, 48, 0, 480)).toBe(48);
    expect(scrolledTo(2, 48, 200, 480)).toBe(96);
    expect(scrolledTo(5, 48, 200, 480)).toBeNull();
  });
});

test.each<[string, number, number | null]>([
  ["j", -1, 0], ["ArrowUp", -1, 99], ["j", 4, 5], ["k", 4, 3], ["k", 0, 0], ["ArrowDown", 99, 99], ["PageDown", 4, 14], ["PageUp", 4, 0],
  ["Home", 50, 0], ["End", 4, 99], ["End", -1, 99], ["Home", -1, 0], ["q", 4, null],
])("%s from row %i leads to %s", (key, at, to) => {
  expect(destination(key, at, 100, 10)).toBe(to);
});

test("no key leads anywhere in an empty list", () => {
  expect(destination("j", -1, 0, 10)).toBeNull();
});

test.each([
  [20_000, 10_000, 2], [15_000, 10_000, 1.5], [14_900, 10_000, null], [4_000, 100, null], [20_000, 0, null],
])("%i ms where %i are usual: %s times", (elapsed, usual, times) => {
  expect(slowness(elapsed, usual)).toBe(times);
});

describe("the next page", () => {
  const row = (age: number) => ({ id: `a${age}`, status: "completed" as const, created_at: new Date(1_000_000 - age).toISOString() });
  const held = { loaded: true, next: "5-a", executions: [row(0), row(1_000)] };

  test("is asked for while rows are missing, and no more than that", () => {
    expect(pageToAsk(held, ALL_EXECUTIONS, undefined, true, null)).toEqual({ limit: 500, cursor: "5-a" });
    expect(pageToAsk(held, ALL_EXECUTIONS, undefined, false, null)).toBeNull();
    expect(pageToAsk({ ...held, next: null }, ALL_EXECUTIONS, undefined, true, null)).toBeNull();
    expect(pageToAsk({ ...held, loaded: false }, ALL_EXECUTIONS, undefined, true, null)).toBeNull();
  });

  test("is asked for to the end where all must be known, up to what a page holds", () => {
    const search = { ...ALL_EXECUTIONS, text: "x" };
    expect(pageToAsk(held, search, undefined, false, null)).toEqual({ limit: 500, cursor: "5-a" });
    expect(pageToAsk({ ...held, executions: Array.from({ length: MOST }, (_, n) => row(n)) }, search, undefined, true, null)).toBeNull();
  });

  test("of a status or workflow is chosen by the gateway, from the beginning on", () => {
    const failed = { ...ALL_EXECUTIONS, status: ["failed"] as const, workflow: "w" };
    expect(pageToAsk(held, failed, undefined, true, 500)).toEqual({ status: ["failed"], workflow: ["w"], from: "1970-01-01T00:00:00.500Z", limit: 500 });
    expect(pageToAsk(held, failed, "7-b", true, null)).toMatchObject({ cursor: "7-b" });
    expect(pageToAsk(held, failed, null, true, null)).toBeNull();
  });

  test("older than the time asked for is not asked for", () => {
    expect(pageToAsk(held, ALL_EXECUTIONS, undefined, true, 999_500)).toBeNull();
    expect(pageToAsk(held, ALL_EXECUTIONS, undefined, true, 900_000)).not.toBeNull();
  });
});
