import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fold } from "../../src/execution/fold.ts";
import { withOverview } from "../../src/execution/overview.ts";
import { MOST, NOTHING_YET } from "../../src/execution/view.ts";
import { overview, record, run, said, step, T0 } from "./records.ts";

describe("fold", () => {
  test("a step that begins and ends is one run, with its times and its lines", () => {
    const view = fold(NOTHING_YET, [step(1, 0, "load", "running", { waited_ms: 500 }), said(2, 1, "x", { step_name: "load" }), step(3, 4, "load", "completed", { duration_ms: 4_000 })]);
    expect([...view.runs.values()]).toEqual([
      expect.objectContaining({ name: "load", status: "completed", startedAt: T0, endedAt: T0 + 4_000, durationMs: 4_000, waitedMs: 500, firstSeq: 1, lastSeq: 3 }),
    ]);
    expect(view.counts.get("load")).toEqual({ records: 3, errors: 0, warnings: 0 });
    expect(view.seq).toBe(3);
  });

  test("a step whose beginning was not seen began as long ago as it took", () => {
    const view = fold({ ...NOTHING_YET, seq: 9 }, [step(10, 60, "load", "failed", { duration_ms: 20_000, error_message: "ValueError: x" })]);
    expect(view.runs.get("load")).toMatchObject({ startedAt: T0 + 40_000, endedAt: T0 + 60_000, error: "ValueError: x" });
  });

  test("steps without an id are told apart by where they begin", () => {
    const one = (seq: number, status: string) => record(seq, seq, { kind: "step", step_name: "load", status });
    const view = fold(NOTHING_YET, [one(1, "running"), one(2, "completed"), one(3, "running")]);
    expect([...view.runs.values()].map(({ id, status }) => [id, status])).toEqual([["line 1", "completed"], ["line 3", "running"]]);
  });

  test("errors and warnings are counted by step, and the last error is kept with its place", () => {
    const view = fold(NOTHING_YET, [
      said(1, 0, "one", { level: "error", step_name: "a" }),
      said(2, 1, "two", { level: "warning", step_name: "a" }),
      said(3, 2, "", { level: "error", step_name: "b", error_message: "Traceback\nKeyError: 'z'\n" }),
    ]);
    expect(view.counts.get("a")).toEqual({ records: 2, errors: 1, warnings: 1 });
    expect(view.lastError).toMatchObject({ seq: 3, stepName: "b", message: "KeyError: 'z'" });
  });

  test("progress of parts is apart from that of the whole", () => {
    const view = fold(NOTHING_YET, [
      record(1, 0, { kind: "progress", progress: 10 }),
      record(2, 1, { kind: "progress", progress: 50, name: "rows", done: 5, total: 10 }),
      record(3, 2, { kind: "progress", progress: null }),
    ]);
    expect(view.progress).toEqual([[T0, 10]]);
    expect([...view.parts.values()]).toEqual([{ name: "rows", progress: 50, done: 5, total: 10 }]);
  });

  test("values that are no numbers, and links without an address, are left out", () => {
    const view = fold(NOTHING_YET, [
      record(1, 0, { kind: "metric", name: "rows", text: "many" }),
      record(2, 0, { kind: "metric", name: "rows", value: Number.NaN }),
      record(3, 0, { kind: "link", name: "report", text: "javascript:alert(1)" }),
      record(4, 0, { kind: "plan", steps: "none" }),
      record(5, 0, { kind: "step", status: "running" }),
      record(6, 0, { kind: "a later kind", name: "x" }),
    ]);
    expect(view).toEqual({ ...NOTHING_YET, seq: 6 });
  });

  test("of a thousand values about as many are kept as can be drawn, the newest among them", () => {
    const view = fold(NOTHING_YET, Array.from({ length: 5_000 }, (_, i) => record(i + 1, i, { kind: "metric", name: "rows", value: i })));
    const samples = view.metrics.get("rows")!.samples;
    expect(samples.length).toBeLessThanOrEqual(2 * MOST.samples);
    expect(samples.at(-1)![1]).toBe(4_999);
    expect(samples[0]![1]).toBe(0);
  });

  test("of too many runs the oldest that are over go, and are counted", () => {
    const records = Array.from({ length: MOST.runs + 5 }, (_, i) => step(i + 1, i, `s${i}`, i === 0 ? "running" : "completed"));
    const view = fold(NOTHING_YET, records);
    expect(view.runs.size).toBe(MOST.runs);
    expect(view.forgotten).toBe(5);
    expect(view.runs.has("s0")).toBe(true);
    expect(view.runs.has("s1")).toBe(false);
  });

  test("the view before stays as it was", () => {
    const before = fold(NOTHING_YET, [step(1, 0, "load", "running")]);
    fold(before, [step(2, 1, "load", "completed")]);
    expect(before.runs.get("load")!.status).toBe("running");
  });
});

const KINDS = fc.constantFrom(
  (seq: number) => step(seq, seq, `s${seq % 3}`, "running"),
  (seq: number) => step(seq, seq, `s${seq % 3}`, "completed", { duration_ms: 5 }),
  (seq: number) => said(seq, seq, "x", { step_name: `s${seq % 3}`, level: seq % 2 ? "error" : "warning" }),
  (seq: number) => record(seq, seq, { kind: "progress", progress: seq % 100 }),
  (seq: number) => record(seq, seq, { kind: "metric", name: "m", value: seq }),
);
const HISTORY = fc.array(KINDS, { maxLength: 40 }).map((kinds) => kinds.map((make, i) => make(i + 1)));

test("however records are cut into batches, and however many of them come again, the view is the same", () => {
  const cuts = fc.array(fc.tuple(fc.nat(12), fc.nat(7)), { maxLength: 10 });
  fc.assert(
    fc.property(HISTORY, cuts, (history, batches) => {
      let view = NOTHING_YET;
      for (const [more, again] of [...batches, [history.length, 0] as const]) {
        const from = Math.max(0, view.seq - again);
        view = fold(view, history.slice(from, view.seq + more));
      }
      expect(view).toEqual(fold(NOTHING_YET, history));
    }),
  );
});

describe("withOverview", () => {
  test("a run that began on one page and ended on the next is one", () => {
    const first = withOverview(NOTHING_YET, overview(10, { runs: [run("load", { first_seq: 3 })] }));
    const second = withOverview(first, overview(20, { runs: [run("load", { status: "completed", started_at: null, ended_at: new Date(T0 + 9_000).toISOString(), first_seq: 15, last_seq: 15 })] }));
    expect([...second.runs.values()]).toEqual([expect.objectContaining({ status: "completed", startedAt: T0, endedAt: T0 + 9_000, firstSeq: 3, lastSeq: 15 })]);
    expect(second.seq).toBe(20);
  });

  test("counts of pages are added up, and what a page does not tell stays", () => {
    const statistic = { step_name: "a", step_type: null, status: "", runs: 0, attempts: 0, started_at: null, ended_at: null, duration_ms: null, waited_ms: null, records: 5, levels: { error: 1 } };
    const plan = { steps: [{ name: "a" }] };
    const view = withOverview(withOverview(NOTHING_YET, overview(5, { plan, steps: [statistic] })), overview(9, { steps: [statistic] }));
    expect(view.counts.get("a")).toEqual({ records: 10, errors: 2, warnings: 0 });
    expect(view.plan!.steps).toEqual([{ name: "a", after: [], type: null }]);
  });

  test("live records go on behind it, and those it knew change nothing", () => {
    const past = withOverview(NOTHING_YET, overview(2, { runs: [run("load")] }));
    expect(fold(past, [step(2, 1, "load", "failed")])).toBe(past);
    expect(fold(past, [step(3, 1, "load", "failed")]).runs.get("load")!.status).toBe("failed");
  });
});
