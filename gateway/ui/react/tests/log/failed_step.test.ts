import type { ExecutionState, LogPage, PageQuery, RestApi, StepStatistic } from "@runtail/client";
import { afterEach, describe, expect, it } from "vitest";
import { LogEngine } from "../../src/log/engine.ts";
import { failureIn, failureOf } from "../../src/log/failed_step.ts";
import { placeOf } from "../../src/log/place.ts";
import { memory, until } from "./memory.ts";
import { record } from "./snapshots.ts";

const step = (seq: number, name: string, status: string, more: object = {}) => record(seq, { kind: "step", step_name: name, step_id: name, status, ...more });

describe("the failure in a log", () => {
  it("is the last step that failed, and none where none did", () => {
    const records = [step(1, "a", "running"), step(3, "a", "failed"), step(4, "b", "running"), step(8, "b", "failed"), record(9), step(10, "c", "completed")];
    expect(failureIn(records)?.seq).toBe(8);
    expect(failureIn(records.slice(-1))).toBeNull();
  });

  it("is that of the innermost step, which takes those around it along", () => {
    const parent = (name: string) => ({ parent_step_id: name });
    const records = [step(4, "inner", "failed", parent("middle")), step(5, "other", "failed"), step(6, "middle", "failed", parent("outer")), step(7, "outer", "failed")];
    expect(failureIn(records)?.seq).toBe(4);
  });

  it("of steps without an id is the last", () => {
    expect(failureIn([step(4, "a", "failed", { step_id: undefined }), step(5, "b", "failed", { step_id: undefined })])?.seq).toBe(5);
  });
});

const statistic = (step_name: string, status: string, ended_at: string | null): StepStatistic =>
  ({ step_name, step_type: null, status, runs: 1, attempts: 1, started_at: null, ended_at, duration_ms: null, waited_ms: null, records: 9, levels: {} });
const page = (records: LogPage["records"], before: number | null): LogPage => ({ records, notices: [], before, cursor: null, matches: [], looked: null });

function answering(steps: readonly StepStatistic[], pages: readonly LogPage[]): { readonly rest: RestApi; readonly asked: PageQuery[] } {
  const asked: PageQuery[] = [];
  const rest = { ...memory(1).rest, steps: async () => steps, logs: async (_: string, query: PageQuery) => (asked.push(query), pages[Math.min(asked.length, pages.length) - 1]!) };
  return { rest, asked };
}
const { signal } = new AbortController();

describe("the gateway", () => {
  it("is asked which step failed last, and page by page for its records, from the end", async () => {
    const steps = [statistic("late", "failed", "2026-11-25T12:00:09Z"), statistic("early", "failed", "2026-11-25T12:00:01Z"), statistic("good", "completed", "2026-11-25T12:01:00Z")];
    const { rest, asked } = answering(steps, [page([record(900)], 880), page([record(40), step(41, "late", "failed")], 40)]);
    expect(await failureOf(rest, "run", 1000, signal)).toBe(41);
    expect(asked).toMatchObject([{ step: ["late"], before: 1001 }, { step: ["late"], before: 880 }]);
  });

  it("is asked for nothing where no step failed, and not for ever where none is found", async () => {
    const none = answering([statistic("good", "completed", null)], []);
    expect([await failureOf(none.rest, "run", 1000, signal), none.asked]).toEqual([null, []]);
    const endless = answering([statistic("bad", "failed", null)], Array.from({ length: 100 }, () => page([], 5)));
    expect(await failureOf(endless.rest, "run", 1000, signal)).toBeNull();
    expect(endless.asked.length).toBeLessThanOrEqual(20);
  });
});

describe("a log", () => {
  let close = (): void => {};
  afterEach(() => close());

  const FAILED = { id: "run", status: "failed", created_at: "" } as ExecutionState;
  const parts = (seq: number) => (seq === 3 ? step(seq, "load", "running") : seq === 40 ? step(seq, "load", "failed") : record(seq));

  function opened({ execution = FAILED, window = 100, hash = "" } = {}): LogEngine {
    const log = memory(60, { make: parts, window, ended: true });
    const snapshot = { ...log.getSnapshot(), execution, link: { phase: "ended" } as const };
    const { rest } = answering([statistic("load", "failed", null)], [page([step(40, "load", "failed")], null)]);
    const store = { ...log, executionId: "run", subscribe: log.subscribe, getSnapshot: () => snapshot, reconnect: () => {}, events: () => log.events() };
    const engine = new LogEngine({ store, rest, place: placeOf(hash) });
    close = engine.open();
    return engine;
  }

  it("of a run that had failed opens at the last lines of the step that failed, not following", () => {
    const engine = opened();
    expect([engine.goal, engine.follow.mode]).toEqual([{ seq: 40, align: "end" }, "reading"]);
  });

  it("asks for where that is if its own window does not reach back to it", async () => {
    const engine = opened({ window: 5 });
    expect(engine.follow.mode).toBe("following");
    await until(() => engine.follow.mode === "reading");
    expect(engine.goal).toEqual({ seq: 40, align: "end" });
  });

  it("stays at the lines of an address, at a filter, and where the reader went meanwhile", async () => {
    expect(opened({ hash: "#L12" }).goal).toMatchObject({ seq: 12 });
    close();
    expect(opened({ hash: "#level=error" }).goal).toBeNull();
    close();
    const engine = opened({ window: 5 });
    engine.leave("wheel");
    await new Promise((done) => setTimeout(done, 20));
    expect(engine.goal).toBeNull();
  });

  it("of any other run opens at its end", () => {
    const engine = opened({ execution: { ...FAILED, status: "completed" } });
    expect([engine.goal, engine.follow.mode]).toEqual([null, "following"]);
  });

  it("that is opened again before the answer came asks again", async () => {
    const engine = opened({ window: 5 });
    close();
    close = engine.open();
    await until(() => engine.goal?.seq === 40);
  });

  it("that was watched until it failed stays at its end", () => {
    const log = memory(60, { make: parts });
    let snapshot = { ...log.getSnapshot(), execution: { ...FAILED, status: "running" } as ExecutionState };
    let told = (): void => {};
    const store = { ...log, executionId: "run", subscribe: (listener: () => void) => ((told = listener), () => {}), getSnapshot: () => snapshot, reconnect: () => {}, events: () => log.events() };
    const engine = new LogEngine({ store, rest: log.rest });
    close = engine.open();
    snapshot = { ...snapshot, version: 9, execution: FAILED };
    told();
    expect([engine.goal, engine.follow.mode]).toEqual([null, "following"]);
  });
});
