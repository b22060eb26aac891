import { describe, expect, test } from "vitest";
import { addressOf, linesOf, MOST_OPEN, placeOf } from "../src/monitoring/place.ts";

const at = (address: string) => placeOf(new URL(address, "http://gateway.example"));
const EMPTY = { base: "", open: [], hash: "", share: null };

describe("an address says what is watched", () => {
  test.each([
    ["/monitoring", EMPTY],
    ["/monitoring/", EMPTY],
    ["/monitoring/executions/nightly-1", { ...EMPTY, open: ["nightly-1"] }],
    ["/monitoring/executions/nightly-1#L120-L140", { ...EMPTY, open: ["nightly-1"], hash: "#L120-L140" }],
    ["/monitoring/executions/monitoring", { ...EMPTY, open: ["monitoring"] }],
    ["/monitoring/executions/a%2Fb%20c", { ...EMPTY, open: ["a/b c"] }],
    ["/monitoring/executions/50%", { ...EMPTY, open: ["50%"] }],
    ["/monitoring?execution=a&execution=b&execution=a", { ...EMPTY, open: ["a", "b"] }],
    ["/monitoring/executions/a#level=error&step=load", { ...EMPTY, open: ["a"], hash: "#level=error&step=load" }],
    ["/monitoring#L7up", { ...EMPTY, open: ["L7up"] }],
    ["/monitoring#run-1", { ...EMPTY, open: ["run-1"] }],
    ["/monitoring/executions/a?share=s.t", { ...EMPTY, open: ["a"], share: "s.t" }],
    ["/runtail/monitoring?execution=a", { ...EMPTY, base: "/runtail", open: ["a"] }],
    ["/team/monitoring-tools/monitoring", { ...EMPTY, base: "/team/monitoring-tools" }],
    ["/elsewhere", EMPTY],
  ])("%s", (address, place) => {
    expect(at(address)).toEqual(place);
  });

  test("no more than can be watched", () => {
    const many = Array.from({ length: 50 }, (_, n) => `execution=${n}`).join("&");
    expect(at(`/monitoring?${many}`).open).toHaveLength(MOST_OPEN);
  });
});

describe("the address of what is watched", () => {
  test.each([
    "/monitoring",
    "/monitoring/executions/nightly-1",
    "/monitoring/executions/nightly-1#L120-L140",
    "/monitoring/executions/a%2Fb%20c",
    "/monitoring?execution=a&execution=b",
    "/monitoring/executions/a?share=s.t#L7",
    "/runtail/monitoring/executions/a",
  ])("%s leads to itself", (address) => {
    expect(addressOf(at(address))).toBe(address);
  });

  test("names a line only of the only one", () => {
    const one = at("/monitoring/executions/a#L7");
    expect(addressOf({ ...one, open: ["a", "b"] })).toBe("/monitoring?execution=a&execution=b");
  });
});

test.each([
  ["#L120-L140", { a: [120, 140] }],
  ["#L120-140&level=error", { a: [120, 140] }],
  ["#L7", { a: [7, 7] }],
  ["#level=error", {}],
])("%s names lines", (hash, lines) => {
  expect(linesOf(at(`/monitoring/executions/a${hash}`))).toEqual(lines);
});
