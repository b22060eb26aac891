import type { LogRecord } from "@runtail/client";
import { describe, expect, it } from "vitest";
import { border, CLIP, lineOf, plainOf } from "../../src/log/line.ts";
import { STRINGS } from "../../src/log/strings.ts";
import { duration, span, timeText } from "../../src/log/times.ts";

const common = { id: "1-0", seq: 1, timestamp: "2026-11-25T12:00:00.250Z" };
const line = (record: object): ReturnType<typeof lineOf> => lineOf({ ...common, ...record } as LogRecord, STRINGS);

describe("a row", () => {
  it("shows the first line of a text, and how many more there are", () => {
    expect(line({ message: "one\ntwo\nthree\n" })).toMatchObject({ text: "one", moreLines: 2, opens: true, tone: "info" });
    expect(line({ message: "one\n" })).toMatchObject({ text: "one", moreLines: 0, opens: false });
  });

  it("folds a traceback to its last line", () => {
    const trace = "Traceback (most recent call last):\n  File \"a.py\", line 1\nValueError: no\n";
    expect(line({ level: "error", message: "failed", error_message: trace })).toMatchObject({ text: "failed", error: "ValueError: no", moreLines: 2, opens: true });
    expect(line({ level: "error", message: trace })).toMatchObject({ error: "ValueError: no", opens: true });
  });

  it("clips a line of a megabyte, and says by how much", () => {
    const { text, moreCharacters } = line({ message: "x".repeat(1_000_000) });
    expect([text.length, moreCharacters]).toEqual([CLIP, 1_000_000 - CLIP]);
  });

  it("never halves a character", () => {
    expect([border("a😀", 2), border("a😀", 3), border("ab", 2)]).toEqual([1, 3, 2]);
  });

  it("says what a worker cut off", () => {
    expect(line({ message: "head … tail", truncated: { message: 65_000 } }).cut).toBe("message was cut: 65,000 bytes as written");
  });

  it("shows both ends of a text whose middle was cut, and how much of it is gone", () => {
    const message = `SELECT ${"x".repeat(500)} … [64213 of 65000 bytes cut] … ${"y".repeat(300)}\nLIMIT 1\n`;
    const cut = line({ message, truncated: { message: 65_000, output_data: 9_000 } });
    expect(cut).toMatchObject({ text: `SELECT ${"x".repeat(93)}`, cut: "… 64,213 of 65,000 bytes cut … · output_data was cut: 9,000 bytes as written", tail: "LIMIT 1", moreLines: 1, opens: true });
    expect(line({ message, truncated: { message: 65_001 } }).tail).toBeNull(); // a worker's own words
    expect(line({ message }).tail).toBeNull();
  });

  it("shows no half of a character at the end of a text that was cut", () => {
    const tail = line({ message: `a … [1 of 9 bytes cut] … b${"😀".repeat(60)}c`, truncated: { message: 9 } }).tail!;
    expect(tail).toBe(`${"😀".repeat(39)}c`);
  });

  it.each([
    [{ kind: "lost", lost: 37, reason: "buffer full" }, "neutral", "37 lines lost before they reached the log: buffer full"],
    [{ kind: "status", status: "lost", reason: "worker lost: silent for 15 s" }, "neutral", "worker lost: silent for 15 s"],
    [{ kind: "status", status: "running", reason: null }, "neutral", "running"],
    [{ kind: "end", status: "completed", totals: {} }, "neutral", "ended, completed"],
    [{ kind: "progress", progress: 40, done: 4, total: 10 }, "event", "progress 40 % (4 of 10)"],
    [{ kind: "progress", progress: null, name: "rows" }, "event", "progress rows unknown"],
    [{ kind: "metric", name: "rows", value: 3, unit: "rows/s" }, "event", "rows = 3 rows/s"],
    [{ kind: "plan", steps: [{ name: "a" }, { name: "b" }] }, "event", "plan: a → b"],
    [{ kind: "step", step_name: "load", status: "completed", duration_ms: 4200, waited_ms: 1200, attempt: 2, attempts: 3 }, "step", "load · completed · attempt 2 of 3 · waited 1.2 s · 4.2 s"],
    [{ kind: "of tomorrow", message: "x" }, "event", "{…}"],
  ])("says what a record of another kind says: %j", (record, tone, text) => {
    expect(line(record)).toMatchObject({ tone, text });
  });

  it("leads where a link record says, if that is safe", () => {
    expect(line({ kind: "link", name: "report", url: "https://x.org/r" }).href).toBe("https://x.org/r");
    expect(line({ kind: "link", name: "report", url: "javascript:alert(1)" })).toMatchObject({ href: null, text: "report: javascript:alert(1)" });
  });

  it("survives fields that are not what they should be", () => {
    for (const odd of [7, null, [], {}, true]) {
      expect(() => line({ message: odd, level: odd, step_name: odd, error_message: odd, truncated: odd })).not.toThrow();
      expect(() => line({ kind: "plan", steps: odd })).not.toThrow();
    }
  });

  it("opens if there is data, and only then", () => {
    expect([line({ message: "a", output_data: { b: 1 } }).opens, line({ message: "a", level: "info", step_name: "s", duration_ms: 3 }).opens]).toEqual([true, false]);
  });

  it("is copied with its time, level, step and error", () => {
    expect(plainOf({ ...common, level: "error", step_name: "load", message: "failed", error_message: "a\nb" }, STRINGS)).toBe("2026-11-25T12:00:00.250Z error load failed\na\nb");
  });
});

describe("a time", () => {
  const stamp = "2026-11-25T12:00:00.250Z";
  const at = Date.parse(stamp);

  it("is shown as the reader wants it", () => {
    expect(timeText(stamp, "utc", at, at)).toBe("2026-11-25T12:00:00.250Z");
    expect(timeText(stamp, "local", at, at)).toMatch(/^\d\d:\d\d:00\.250$/);
    expect(timeText(stamp, "ago", at + 65_000, at)).toBe("−1:05");
    expect(timeText(stamp, "start", at, at - 2_500)).toBe("+2.500 s");
    expect(timeText(stamp, "start", at, null)).toBe("");
    expect(timeText("yesterday", "local", at, at)).toBe("");
  });

  it.each([[412, "0.412 s"], [41_200, "41.2 s"], [185_000, "3:05"], [7_629_000, "2:07:09"], [266_829_000, "3 d 2:07:09"]])("span of %d ms is %s", (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  it.each([[340, "340 ms"], [4200, "4.2 s"], [42_000, "42 s"], [185_000, "3 min 05 s"], [7_629_000, "2 h 07 min"]])("duration of %d ms is %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
