import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryLog } from "../../../app/src/gallery/memory.ts";
import { type AskOverview, ExecutionFeed } from "../../src/execution/feed.ts";
import type { OverviewAnswer } from "../../src/execution/overview.ts";
import { overview, run, said, step, T0 } from "./records.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settled = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(300));

/** A gateway that answers in turn, and remembers what it was asked. */
function gateway(...answers: (OverviewAnswer | Error)[]): { readonly asked: (string | null)[]; readonly ask: AskOverview } {
  const asked: (string | null)[] = [];
  const ask: AskOverview = (after) => {
    asked.push(after);
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { asked, ask };
}

function watched(log: MemoryLog, ask: AskOverview): ExecutionFeed {
  const feed = new ExecutionFeed(log, ask);
  feed.subscribe(() => {});
  return feed;
}

const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => said(from + i, i, "x", { step_name: "a" }));

test("the past is asked for once, and live records go on behind it", async () => {
  const log = new MemoryLog("a", lines(9_001, 10_000), { firstSeq: 1 });
  const { asked, ask } = gateway(overview(10_000, { runs: [run("load")] }));
  const feed = watched(log, ask);
  await settled();
  log.add(step(10_001, 5, "load", "completed"));
  await settled();
  expect(asked).toEqual([null]);
  expect(feed.getSnapshot().view.runs.get("load")!.status).toBe("completed");
  expect(feed.getSnapshot().view.counts.get("load")!.records).toBe(1);
});

test("all pages are read, each behind the one before", async () => {
  const log = new MemoryLog("a", lines(9_001, 9_002), { firstSeq: 1 });
  const { asked, ask } = gateway(overview(5_000, { more: true }), overview(9_002, { runs: [run("load")] }));
  const feed = watched(log, ask);
  await settled();
  expect(asked).toEqual([null, overview(5_000).cursor]);
  expect(feed.getSnapshot()).toMatchObject({ loaded: true, view: { seq: 9_002 } });
});

test("records between the answer and what is held are asked for, from where the view stands", async () => {
  const log = new MemoryLog("a", lines(90, 100), { firstSeq: 1 });
  const { asked, ask } = gateway(overview(100), overview(900, { runs: [run("load")] }));
  const feed = watched(log, ask);
  await settled();
  log.add(said(101, 1, "x"));
  await settled();
  log.change({ records: lines(800, 901), windowFirst: 800, lastSeq: 901 });
  await settled();
  expect(asked).toEqual([null, `${T0 + 1_000}-0`]);
  expect(feed.getSnapshot().view).toMatchObject({ seq: 901 });
  expect(feed.getSnapshot().view.runs.has("load")).toBe(true);
});

test("lines that nobody keeps any more are not waited for", async () => {
  const log = new MemoryLog("a", lines(500, 510));
  const { asked, ask } = gateway(overview(480));
  const feed = watched(log, ask);
  await settled();
  expect(asked).toEqual([null]);
  expect(feed.getSnapshot().view.seq).toBe(510);
});

test("what was withdrawn is no longer in the view", async () => {
  const log = new MemoryLog("a", [step(1, 0, "load", "running"), step(2, 1, "store", "running")]);
  const { ask } = gateway(overview(2, { runs: [run("load"), run("store")] }), overview(1, { runs: [run("load")] }));
  const feed = watched(log, ask);
  await settled();
  log.change({ records: [step(1, 0, "load", "running"), said(2, 1, "other", { step_name: "load" })], resets: 1 });
  await settled();
  expect([...feed.getSnapshot().view.runs.keys()]).toEqual(["load"]);
  expect(feed.getSnapshot().view.seq).toBe(2);
});

test("a run that begins while it is watched needs no past", async () => {
  const log = new MemoryLog("a", [], { link: { phase: "live" } });
  const { ask } = gateway(new Error("there is no execution a"));
  const feed = watched(log, ask);
  await settled();
  expect(feed.getSnapshot().failure).toBe("there is no execution a");
  log.add(step(1, 0, "load", "running"));
  await settled();
  expect(feed.getSnapshot()).toMatchObject({ loaded: true, failure: null, view: { seq: 1 } });
});

test("without an answer what is here is shown, and the past is asked for again and counted once", async () => {
  const log = new MemoryLog("a", lines(90, 100), { firstSeq: 1 });
  const statistic = { step_name: "a", step_type: null, status: "", runs: 0, attempts: 0, started_at: null, ended_at: null, duration_ms: null, waited_ms: null, records: 100, levels: {} };
  const { asked, ask } = gateway(new Error("503"), overview(100, { steps: [statistic] }));
  const feed = watched(log, ask);
  await settled();
  expect(feed.getSnapshot()).toMatchObject({ loaded: false, failure: "503", view: { seq: 100 } });
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toEqual([null, null]);
  expect(feed.getSnapshot().view.counts.get("a")!.records).toBe(100);
});

test("records that come while the past is on its way are counted once", async () => {
  const log = new MemoryLog("a", lines(1, 10));
  let answer: (value: OverviewAnswer) => void = () => {};
  const feed = watched(log, () => new Promise((done) => (answer = done)));
  log.add(said(11, 1, "x", { step_name: "a" }));
  await settled();
  expect(feed.getSnapshot().view.counts.get("a")!.records).toBe(11);
  const statistic = { step_name: "a", step_type: null, status: "", runs: 0, attempts: 0, started_at: null, ended_at: null, duration_ms: null, waited_ms: null, records: 10, levels: {} };
  answer(overview(10, { steps: [statistic] }));
  await settled();
  expect(feed.getSnapshot().view.counts.get("a")!.records).toBe(11);
});
