import type { LogRecord } from "@runtail/client";
import { describe, expect, it } from "vitest";
import { holds, passes } from "../../src/log/matching.ts";

const common = { id: "1-0", seq: 1 };
const error: LogRecord = { ...common, level: "error", message: "Disk FULL", step_name: "load", output_data: { path: "/srv/Orders" } };
const step: LogRecord = { ...common, kind: "step", status: "running", step_name: "load" };

describe("a filter", () => {
  it("of levels passes logs of these levels, as the gateway's pages do", () => {
    expect([passes(error, { levels: ["error"], steps: [] }), passes(error, { levels: ["info"], steps: [] }), passes(step, { levels: ["info"], steps: [] })]).toEqual([true, false, false]);
  });

  it("of steps passes whatever names one of them", () => {
    expect([passes(error, { levels: [], steps: ["load"] }), passes(step, { levels: [], steps: ["a", "load"] }), passes(step, { levels: [], steps: ["a"] })]).toEqual([true, true, false]);
  });

  it("of both must be satisfied in both", () => {
    expect([passes(error, { levels: ["error"], steps: ["load"] }), passes(error, { levels: ["error"], steps: ["a"] })]).toEqual([true, false]);
  });
});

describe("a text", () => {
  it("is found in message and data, upper and lower case alike, and nowhere else", () => {
    expect(["disk full", "orders", "load", "error"].map((text) => holds(error, text))).toEqual([true, true, false, false]);
  });

  it("is looked for in data too deep to write without an error", () => {
    let deep: unknown = 0;
    for (let i = 0; i < 100_000; i += 1) deep = [deep];
    expect(holds({ ...common, message: "x", output_data: deep }, "nowhere")).toBe(false);
  });
});
