import { describe, expect, test } from "vitest";
import { type LogEvent, RequestFailed } from "../src/index.ts";
import { cursor, nothing, says, World } from "./world.ts";

const a = says("a");

const collect = async (events: AsyncIterable<LogEvent>): Promise<LogEvent[]> => {
  const all: LogEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
};

describe("an iterator", () => {
  test("hands on every record and notice in order, and is over with the end", async () => {
    const world = new World();
    const all = collect(world.client.log("a").events());
    const socket = await world.opened();
    socket.hear(a.hello(), a.records(1, 2), a.gap(2, 4, 1), a.records(4, 5), a.reset(4), a.records(5, 5), a.end(5));
    const events = await all;
    expect(events.map((event) => (event.type === "record" ? event.record.seq : event.type))).toEqual([1, 2, "gap", 4, 5, "reset", 5, "end"]);
    expect(events[0]).toMatchObject({ cursor: null });
    expect(events[1]).toMatchObject({ cursor: cursor(2) });
    expect(events.at(-1)).toMatchObject({ snapshot: { link: { phase: "ended" }, totals: { last: 5 } } });
    expect(world.timers).toBe(0);
  });

  test("begins when it is first asked, with a subscription of its own", async () => {
    const world = new World();
    const store = world.client.log("a");
    store.subscribe(nothing);
    (await world.opened()).hear(a.hello(), a.records(1, 3));
    const events = store.events();
    await world.settle();
    expect(world.sockets).toHaveLength(1);
    const next = events.next();
    (await world.opened()).hear(a.hello(), a.records(1, 3));
    expect(await next).toMatchObject({ value: { record: { seq: 1 } } });
    expect(world.sockets).toHaveLength(2);
    await events.return?.();
    expect(world.socket.isClosed).toBe(true);
  });

  test("goes on through a cut, each record once", async () => {
    const world = new World();
    const all = collect(world.client.log("a", { tail: 9 }).events());
    (await world.opened()).hear(a.hello(), a.records(1, 4));
    world.socket.cut(1006);
    await world.pass(500);
    (await world.opened()).hear(a.hello(4), a.records(3, 6), a.end(6));
    expect((await all).map((event) => event.type === "record" && event.record.seq)).toEqual([1, 2, 3, 4, 5, 6, false]);
  });

  test("that lags lets its subscription go, holds a bounded number, and resumes without loss", async () => {
    const world = new World();
    const events = world.client.log("a").events();
    world.client.log("b").subscribe(nothing);
    const first = events.next();
    const socket = await world.opened();
    socket.hear(a.hello());
    for (let seq = 1; seq < 30_000; seq += 1000) socket.hear(a.records(seq, seq + 999));
    await first;
    expect(socket.of("unsubscribe")).toHaveLength(1);
    let seq = 1;
    const next = async (): Promise<void> => {
      const { value } = (await events.next()) as { value: LogEvent };
      seq += 1;
      expect(value).toMatchObject({ type: "record", record: { seq } });
    };
    while (seq < 8_499) await next();
    expect(socket.of("subscribe")).toHaveLength(2);
    await next();
    await next();
    expect(socket.of("subscribe")).toHaveLength(3);
    expect(socket.of("subscribe").at(-1)?.["after"]).toContain(cursor(11_000));
    socket.hear(a.unsubscribed(), a.subscribed(), a.hello(11_000), a.records(11_001, 11_100), a.end(11_100));
    while (seq < 11_100) await next();
    expect(await events.next()).toMatchObject({ value: { type: "end" } });
    expect(await events.next()).toMatchObject({ done: true });
  });

  test("of what is refused raises, once, and is over", async () => {
    const world = new World();
    const events = world.client.log("a", { wait: false }).events();
    const next = events.next();
    (await world.opened()).hear(a.error("not_found"));
    await expect(next).rejects.toBeInstanceOf(RequestFailed);
    await expect(next).rejects.toMatchObject({ status: 4404, code: "not_found", detail: "it is not_found" });
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });

  test("hands on what it holds before it raises", async () => {
    const world = new World();
    const events = world.client.log("a").events();
    const next = events.next();
    (await world.opened()).hear(a.hello(), a.records(1, 2), a.error("deleted"));
    expect(await next).toMatchObject({ value: { record: { seq: 1 } } });
    expect(await events.next()).toMatchObject({ value: { record: { seq: 2 } } });
    await expect(events.next()).rejects.toMatchObject({ code: "deleted" });
  });

  test("that is left takes its subscription back, and answers who still waits", async () => {
    const world = new World();
    const events = world.client.log("a").events();
    const next = events.next();
    await world.opened();
    await events.return?.();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(world.socket.isClosed).toBe(true);
    expect(await events.next()).toEqual({ value: undefined, done: true });
  });
});
