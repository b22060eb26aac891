import { afterEach, describe, expect, it } from "vitest";
import { LogEngine } from "../../src/log/engine.ts";
import { type LogFilter, placeOf } from "../../src/log/place.ts";
import { memory, until } from "./memory.ts";

const ERRORS: LogFilter = { levels: ["error"], steps: [] };
let close = (): void => {};

function opened(log = memory(1000), hash = ""): LogEngine {
  const engine = new LogEngine({ store: log, rest: log.rest, place: placeOf(hash) });
  close = engine.open();
  return engine;
}

afterEach(() => close());

describe("the engine", () => {
  it("has a row for every line of the log, and follows", () => {
    const engine = opened();
    expect(engine.layout.rows.count).toBe(1000);
    expect(engine.getState()).toMatchObject({ first: 1, last: 1000, follow: { mode: "following" }, newLines: 0 });
  });

  it("opens at the lines of an address, highlighted and not following", () => {
    const engine = opened(memory(1000), "#L120-L140");
    expect(engine.goal).toEqual({ seq: 120, align: "center" });
    expect(engine.getState()).toMatchObject({ selection: { first: 120, last: 140 }, follow: { mode: "reading" } });
  });

  it("keeps what an address said after the run has ended", () => {
    const log = memory(1000);
    const engine = opened(log, "#L120&level=error");
    log.append(50);
    log.end();
    expect(engine.getState()).toMatchObject({ selection: { first: 120, last: 120 }, filter: ERRORS, follow: { mode: "reading" }, completeness: { state: "complete" } });
  });

  it("never leaves following by what comes", () => {
    const log = memory(1000);
    const engine = opened(log);
    log.append(500);
    engine.fold(3);
    engine.toggle(900);
    engine.setWrap(true);
    engine.setFilter(ERRORS);
    engine.find("line");
    log.trim(500);
    log.end();
    expect(engine.follow.mode).toBe("following");
  });

  it("counts new lines from where the reader left", () => {
    const log = memory(1000);
    const engine = opened(log);
    engine.leave("wheel");
    log.append(37);
    expect(engine.getState().newLines).toBe(37);
    engine.resume();
    expect(engine.getState().newLines).toBe(0);
  });

  it("gives the same state until something of it changed", () => {
    const log = memory(1000);
    const engine = opened(log);
    const before = engine.getState();
    expect(engine.getState()).toBe(before);
    log.append(1);
    expect(engine.getState()).not.toBe(before);
  });

  it("filters live lines as it filters history", async () => {
    const log = memory(1000);
    const engine = opened(log);
    engine.setFilter(ERRORS);
    await until(() => engine.getState().shown?.exact === true);
    expect(engine.getState().shown).toEqual({ count: 100, all: 1000, exact: true });
    log.append(25);
    expect(engine.getState().shown).toEqual({ count: 102, all: 1025, exact: true });
    expect(engine.layout.rows.at(engine.layout.rows.count - 1)).toEqual({ kind: "record", seq: 1020 });
  });

  it("says how many of how many are shown when a filter hides everything", async () => {
    const log = memory(812, { make: (seq) => ({ id: `${seq}-0`, seq, level: "info", message: "" }) });
    const engine = opened(log);
    engine.setFilter(ERRORS);
    await until(() => engine.getState().shown?.exact === true);
    const { shown } = engine.getState();
    expect(engine.strings.shownOf(shown!.count, shown!.all, "error", shown!.exact)).toBe("0 of 812 shown — filter: error");
  });

  it("does not claim to know of lines that it has not looked at", () => {
    const engine = opened(memory(1_000_000, { latencyMs: 60_000 }));
    engine.setFilter({ levels: ["warning"], steps: [] });
    const { shown } = engine.getState();
    expect([shown?.exact, engine.layout.rows.at(0)]).toEqual([false, { kind: "notice", seq: 0, id: "looking" }]);
  });

  it("goes to a line of an address behind its filter once it is known whether that is shown", async () => {
    const log = memory(120_000);
    const engine = opened(log, "#L500&level=error");
    expect([engine.isKnown(500), engine.isKnown(119_990)]).toEqual([false, true]);
    await until(() => engine.isKnown(500));
    expect(engine.layout.rows.at(engine.layout.rows.indexOf(500)).seq).toBe(500);
    expect(engine.goal).toMatchObject({ seq: 500 });
  });

  it("unfolds the step that hides a line somebody goes to", () => {
    const log = memory(5);
    const engine = opened(log);
    log.append(0, [{ kind: "step", step_name: "a", status: "running" }, {}, {}, { kind: "step", step_name: "a", status: "completed" }] as never);
    engine.fold(6);
    expect(engine.layout.rows.count).toBe(6);
    engine.show(8);
    expect(engine.layout.rows.count).toBe(9);
  });

  it("asks at once for the line that it is to open at, and goes on asking until it is shown", async () => {
    const log = memory(1000, { latencyMs: 5 });
    const engine = opened(log, "#L500");
    expect(log.requests).toBe(1);
    engine.visible([990, 991], false);
    await until(() => engine.held.here(500) !== null);
    expect(log.requests).toBe(1);
  });

  it("forgets what a reset withdrew", async () => {
    const log = memory(1000);
    const engine = opened(log);
    engine.setFilter(ERRORS);
    engine.opened.add(995);
    engine.visible([500], false);
    await until(() => engine.held.here(500) !== null);
    log.reset(990);
    expect(engine.last).toBe(990);
    expect(engine.matches!.seqs.at(-1)).toBe(990);
    expect(engine.opened.size).toBe(0);
    expect(engine.held.get(500)).toBe("loading"); // asked for before: what was remembered beside the window is void
    log.append(10);
    expect(engine.matches!.seqs.at(-1)).toBe(1000);
  });

  it("stops asking when it is closed, and can be opened again", () => {
    const log = memory(1000);
    const engine = opened(log);
    close();
    log.append(5);
    expect(engine.last).toBe(1000);
    close = engine.open();
    expect(engine.last).toBe(1005);
  });
});
