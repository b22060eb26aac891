import { describe, expect, test } from "vitest";
import { isoDuration, spellDuration } from "../src/duration.ts";
import { beganAt, elapsedMs, type MonitoredExecution, progressOf, STATUSES, toneOf } from "../src/status.ts";

const execution = (changed: Partial<MonitoredExecution> = {}): MonitoredExecution => ({
  id: "a",
  status: "running",
  created_at: "2026-11-25T10:00:00Z",
  ...changed,
});
const at = (time: string): number => Date.parse(`2026-11-25T${time}Z`);

describe("the clock of an execution", () => {
  test("counts from its start, or from its creation where that is not told", () => {
    expect(elapsedMs(execution(), at("10:00:05"), null)).toBe(5_000);
    expect(elapsedMs(execution({ started_at: "2026-11-25T10:00:03Z" }), at("10:00:05"), null)).toBe(2_000);
  });

  test("ends where it ended, whatever the time is", () => {
    const over = execution({ status: "failed", ended_at: "2026-11-25T10:01:00Z" });
    expect(elapsedMs(over, at("23:00:00"), null)).toBe(60_000);
  });

  test("of a finished one that does not say when is not guessed, unless the end was seen", () => {
    const over = execution({ status: "completed" });
    expect(elapsedMs(over, at("10:10:00"), null)).toBe(null);
    expect(elapsedMs(over, at("10:10:00"), at("10:02:00"))).toBe(120_000);
  });

  test("is never negative, and not there without a time to begin with", () => {
    expect(elapsedMs(execution(), at("09:00:00"), null)).toBe(0);
    expect(beganAt(execution({ created_at: "yesterday" }))).toBe(null);
    expect(elapsedMs(execution({ created_at: "" }), at("10:00:00"), null)).toBe(null);
  });
});

test.each<[string, Partial<MonitoredExecution>, number | null | undefined]>([
  ["running and told", { progress: 40.7 }, 40.7],
  ["running and not told", {}, null],
  ["running and not known", { progress: null }, null],
  ["beyond the end", { progress: 250 }, 100],
  ["below the start", { progress: -3 }, 0],
  ["not a number", { progress: Number.NaN }, null],
  ["completed", { status: "completed", progress: 7 }, 100],
  ["failed at some point", { status: "failed", progress: 60 }, 60],
  ["failed and never told", { status: "failed" }, undefined],
  ["pending", { status: "pending", progress: null }, undefined],
])("progress: %s", (_name, changed, shown) => {
  expect(progressOf(execution(changed))).toBe(shown);
});

test("running is blue, completed green, failed red, pending grey, and an unknown word is grey", () => {
  expect(STATUSES.map(toneOf)).toEqual(["muted", "running", "ok", "error", "muted", "warning", "lost"]);
  expect(toneOf("hibernating")).toBe("muted");
});

test.each<[number, boolean, string]>([
  [400, true, "0.4 s"],
  [400, false, "0 s"],
  [-5, true, "0.0 s"],
  [12_999, true, "12 s"],
  [185_000, false, "3 min 05 s"],
  [2 * 3_600_000 + 7 * 60_000, false, "2 h 07 min"],
  [76 * 3_600_000, false, "3 d 4 h"],
])("%d ms are spelled as people read a clock", (ms, tenths, spelled) => {
  expect(spellDuration(ms, tenths)).toBe(spelled);
});

test("a duration for programs is ISO 8601", () => {
  expect(isoDuration(185_900)).toBe("PT185S");
});
