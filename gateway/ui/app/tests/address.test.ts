import { ALL_EXECUTIONS } from "@runtail/react";
import { describe, expect, test } from "vitest";
import { addressOf, hrefOf, MOST_OPEN } from "../src/monitoring/address.ts";

const at = (written: string) => addressOf(new URL(written, "http://gateway.example"));
const EMPTY = { base: "", open: [], hash: "", share: null, merged: false, list: ALL_EXECUTIONS, figures: false, embed: false };

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
    ["/monitoring?execution=a&execution=b&view=merged", { ...EMPTY, open: ["a", "b"], merged: true }],
    ["/monitoring?status=failed,lost&status=running&within=1h&q=orders&sort=-duration&workflow=w", { ...EMPTY, list: { status: ["running", "failed", "lost"], workflow: "w", within: "1h", text: "orders", sort: "duration", turned: true } }],
    ["/monitoring?status=sleeping&within=2y&sort=colour&workflow=", EMPTY],
    ["/monitoring?execution=a&status=failed", { ...EMPTY, open: ["a"] }],
    ["/monitoring?figures=1&embed=1", { ...EMPTY, figures: true, embed: true }],
    ["/elsewhere", EMPTY],
  ])("%s", (written, address) => {
    expect(at(written)).toEqual(address);
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
    "/monitoring?execution=a&execution=b&view=merged",
    "/monitoring?status=running%2Cfailed&workflow=w&within=24h&q=a+b&sort=-duration",
    "/monitoring?sort=execution&figures=1&embed=1",
    "/monitoring/executions/a?embed=1",
  ])("%s leads to itself", (address) => {
    expect(hrefOf(at(address))).toBe(address);
  });

  test("names a line only of the only one", () => {
    const one = at("/monitoring/executions/a#L7");
    expect(hrefOf({ ...one, open: ["a", "b"] })).toBe("/monitoring?execution=a&execution=b");
  });
});
