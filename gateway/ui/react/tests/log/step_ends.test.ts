import type { LogPage, LogRecord, PageQuery, StepRecord } from "@runtail/client";
import { afterEach, describe, expect, it } from "vitest";
import { LogEngine } from "../../src/log/engine.ts";
import { memory, until } from "./memory.ts";
import { record } from "./snapshots.ts";

const step = (seq: number, name: string, status: string): StepRecord => record(seq, { kind: "step", step_name: name, step_id: name, status }) as StepRecord;
const page = (records: readonly LogRecord[]): LogPage => ({ records, notices: [], before: null, cursor: null, matches: [], looked: null });
let close = (): void => {};
afterEach(() => close());

/** A log of 1,000 lines of which the last 100 are held; the first two are the beginnings of steps. */
function opened(answer: (query: PageQuery) => readonly LogRecord[]): { readonly engine: LogEngine; readonly asked: string[]; pass: (ms: number) => void } {
  const log = memory(1000, { make: (seq) => (seq <= 2 ? step(seq, `step ${seq}`, "running") : record(seq)) });
  const asked: string[] = [];
  let now = 1_000_000;
  const rest = { ...log.rest, logs: async (id: string, query: PageQuery) => (query.step ? (asked.push(`${query.step} before ${query.before}`), page(answer(query))) : log.rest.logs(id, query)) };
  const engine = new LogEngine({ store: log, rest, now: () => now });
  close = engine.open();
  engine.visible([1, 2, 3], false);
  return { engine, asked, pass: (ms) => void (now += ms) };
}

const seen = async (engine: LogEngine): Promise<void> => {
  await until(() => engine.folds.steps.sections.size === 2);
  engine.visible([1, 2, 3], false);
};

describe("a step whose end is far away", () => {
  it("is asked for its end when its beginning is looked at, and shows it", async () => {
    const { engine, asked } = opened(({ step: [name] = [] }) => [record(700), step(701, name!, "completed")]);
    await seen(engine);
    await until(() => engine.folds.steps.sections.get(1)?.end?.seq === 701);
    engine.visible([1, 2, 3], false);
    expect(asked).toEqual(["step 1 before 1001", "step 2 before 1001"]);
  });

  it("is asked for again only after a while if there is none yet", async () => {
    const { engine, asked, pass } = opened(() => [record(999)]);
    await seen(engine);
    for (let frame = 0; frame < 50; frame += 1) engine.visible([1], false);
    expect(asked.filter((each) => each.startsWith("step 1"))).toHaveLength(1);
    pass(10_000);
    await new Promise((done) => setTimeout(done, 5));
    engine.visible([1], false);
    expect(asked.filter((each) => each.startsWith("step 1"))).toHaveLength(2);
  });

  it("is not said to run before that is known", async () => {
    const { engine } = opened(() => []);
    await seen(engine);
    expect([engine.goesOn(1), engine.goesOn(950)]).toEqual([false, true]);
  });
});

describe("new lines", () => {
  it("are not those that were there when an address was opened", () => {
    const log = memory(0);
    let snapshot = { ...log.getSnapshot(), link: { phase: "connecting", attempt: 0 } as const } as ReturnType<typeof log.getSnapshot>;
    let told = (): void => {};
    const store = { executionId: "run", subscribe: (listener: () => void) => ((told = listener), () => {}), getSnapshot: () => snapshot, reconnect: () => {}, events: () => log.events() };
    const engine = new LogEngine({ store, rest: log.rest, place: { line: { first: 5, last: 5 }, filter: { levels: [], steps: [] } } });
    close = engine.open();
    const grown = (last: number, phase: "replaying" | "live"): void => {
      const records = Array.from({ length: last }, (_, i) => record(i + 1));
      snapshot = { ...snapshot, records, windowFirst: 1, firstSeq: 1, lastSeq: last, link: phase === "live" ? { phase } : { phase, upTo: 100 } };
      told();
    };
    grown(50, "replaying");
    grown(100, "live");
    expect(engine.getState().newLines).toBe(0);
    grown(137, "live");
    expect(engine.getState().newLines).toBe(37);
  });
});
