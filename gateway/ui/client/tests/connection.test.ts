import { describe, expect, test } from "vitest";
import type { LogSnapshot, LogStore } from "../src/index.ts";
import { cursor, nothing, says, World } from "./world.ts";

const a = says("a");
const b = says("b");

/** A store that is watched and has heard three records. */
async function watched(world: World, options: object = {}): Promise<{ store: LogStore; stop: () => void }> {
  const store = world.client.log("a", options);
  const stop = store.subscribe(nothing);
  const socket = await world.opened();
  socket.hear(a.subscribed(), a.hello(0, 3), a.records(1, 3), a.caughtUp(3));
  world.draw();
  return { store, stop };
}
const seen = (world: World, store: LogStore): LogSnapshot => {
  world.draw();
  return store.getSnapshot();
};

describe("connecting", () => {
  test("begins with the first subscriber: one socket, a subscription that waits", async () => {
    const world = new World();
    const store = world.client.log("a");
    expect(store.getSnapshot()).toMatchObject({ connectionStatus: "connecting", link: { phase: "connecting", attempt: 0 } });
    await world.settle();
    expect(world.sockets).toHaveLength(0);
    store.subscribe(nothing);
    const socket = await world.opened();
    expect(socket.address).toBe("ws://gateway.test/runtail/ws/executions");
    expect(socket.said).toEqual([{ type: "subscribe", execution_id: "a", wait: true }]);
  });

  test("says what was asked for, and later where it stands instead", async () => {
    const world = new World();
    const { store } = await watched(world, { tail: 5, level: ["error"], step: ["load"], wait: false });
    expect(world.socket.said).toEqual([
      { type: "subscribe", execution_id: "a", tail: 5, wait: false, level: ["error"], step: ["load"] },
    ]);
    world.socket.cut(1006);
    await world.pass(2_000);
    const socket = await world.opened();
    expect(socket.said).toEqual([
      { type: "subscribe", execution_id: "a", after: [cursor(3), cursor(0)], wait: false, level: ["error"], step: ["load"] },
    ]);
    expect(store.getSnapshot().records).toHaveLength(3);
  });

  test("goes from connecting over replaying to live", async () => {
    const world = new World();
    const store = world.client.log("a");
    store.subscribe(nothing);
    const socket = await world.opened();
    expect(seen(world, store).link).toEqual({ phase: "connecting", attempt: 0 });
    socket.hear(a.subscribed(), a.hello(0, 3));
    expect(seen(world, store)).toMatchObject({ connectionStatus: "connected", link: { phase: "replaying", upTo: 3 } });
    socket.hear(a.records(1, 3), a.caughtUp(3));
    expect(seen(world, store)).toMatchObject({ connectionStatus: "connected", link: { phase: "live" } });
  });

  test("takes too long: it is given up, and tried again", async () => {
    const world = new World();
    const store = world.client.log("a");
    store.subscribe(nothing);
    await world.settle();
    await world.pass(15_000);
    expect(world.socket.isClosed).toBe(true);
    expect(seen(world, store).link).toMatchObject({ phase: "retrying", attempt: 1, code: 4000 });
  });
});

test("a socket that says only that it failed, as Node's does, is closed", async () => {
  const world = new World();
  const { store } = await watched(world);
  world.socket.onerror?.();
  const { link } = seen(world, store);
  expect(link).toMatchObject({ phase: "retrying", attempt: 1, code: 1006 });
  world.socket.cut(1006); // a browser's says both
  expect(seen(world, store).link).toBe(link);
});

describe("a close code", () => {
  test.each([1000, 1001, 1005, 1006, 1009, 1011, 1012, 1013, 4000, 4329, 4330, 4399])("%i comes again", async (code) => {
    const world = new World();
    const { store } = await watched(world);
    world.socket.cut(code);
    expect(seen(world, store)).toMatchObject({
      connectionStatus: "connecting",
      link: { phase: "retrying", attempt: 1, code, retryAt: world.now + 500 },
    });
    await world.pass(500);
    expect(world.sockets).toHaveLength(2);
    (await world.opened()).hear(a.hello(3, 5), a.records(4, 5), a.caughtUp(5));
    expect(seen(world, store)).toMatchObject({ connectionStatus: "connected", link: { phase: "live" } });
    expect(store.getSnapshot().records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test.each([[4400, "bad_request"], [4403, "forbidden"], [4404, "not_found"], [4408, "too_many_messages"], [4410, "deleted"], [4499, "odd"]])(
    "%i (%s) does not", async (code, word) => {
      const world = new World();
      const { store } = await watched(world);
      world.socket.hear(says().error(word));
      world.socket.cut(code);
      expect(seen(world, store)).toMatchObject({
        connectionStatus: "error",
        link: { phase: "refused", code, reason: word, message: `it is ${word}` },
        error: { code: word, message: `it is ${word}` },
      });
      await world.pass(600_000);
      expect(world.sockets).toHaveLength(1);
      expect(store.getSnapshot().records).toHaveLength(3);
    },
  );

  test("after the end of the only execution: the socket is let go, and nothing comes again", async () => {
    const world = new World();
    const { store } = await watched(world);
    world.socket.hear(a.end(3));
    expect(world.socket.isClosed).toBe(true);
    expect(seen(world, store)).toMatchObject({
      connectionStatus: "disconnected", link: { phase: "ended" }, completeness: { state: "complete", records: 3 },
    });
    await world.pass(600_000);
    expect(world.sockets).toHaveLength(1);
    expect(world.timers).toBe(0);
    expect(world.listensForWakes).toBe(false);
  });

  test("before the end: the run has not ended", async () => {
    const world = new World();
    const { store } = await watched(world);
    world.socket.cut(1000);
    expect(seen(world, store).link.phase).toBe("retrying");
  });
});

describe("the back-off", () => {
  test.each([[0, 0], [0.999_999, 30_000]])("with chance %f grows to %i ms at the most, and never beyond its bound", async (chance, most) => {
    const world = new World({ transport: "websocket" });
    world.chance = chance;
    const store = world.client.log("a");
    store.subscribe(nothing);
    await world.settle();
    const waits: number[] = [];
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      world.socket.cut(1006);
      const { link } = seen(world, store);
      if (link.phase !== "retrying") throw new Error(link.phase);
      expect(link.attempt).toBe(attempt);
      waits.push(link.retryAt - world.now);
      expect(waits.at(-1)).toBeLessThanOrEqual(Math.min(30_000, 1_000 * 2 ** (attempt - 1)));
      await world.pass(link.retryAt - world.now);
    }
    expect(Math.round(Math.max(...waits))).toBe(most);
  });

  test("goes on for a gateway that greets and falls over, and begins anew after something came", async () => {
    const world = new World();
    const { store } = await watched(world);
    for (let attempt = 1; attempt < 4; attempt += 1) {
      world.socket.cut(1006);
      const { link } = seen(world, store);
      if (link.phase !== "retrying") throw new Error(link.phase);
      expect(link.attempt).toBe(attempt);
      await world.pass(link.retryAt - world.now);
      (await world.opened()).hear(a.hello(3));
    }
    world.socket.hear(a.caughtUp(3));
    world.socket.cut(1006);
    expect(seen(world, store).link).toMatchObject({ attempt: 1 });
  });

  test("ends at once when the network or the page comes back, and when the user wishes", async () => {
    const world = new World();
    const { store } = await watched(world);
    world.socket.cut(1006);
    world.wake();
    await world.settle();
    expect(world.sockets).toHaveLength(2);
    world.socket.cut(1006);
    store.reconnect();
    await world.settle();
    expect(world.sockets).toHaveLength(3);
    expect(seen(world, store).link).toEqual({ phase: "connecting", attempt: 0 });
  });
});

describe("a dead link", () => {
  test("is known by missing beats", async () => {
    const world = new World();
    const { store } = await watched(world);
    await world.pass(30_000);
    world.socket.hear(a.beat(3, 30_000));
    expect(seen(world, store)).toMatchObject({ lastHeardAt: world.now, lastRecordAt: world.now - 30_000, workers: { open: 1 } });
    await world.pass(44_999);
    expect(world.sockets).toHaveLength(1);
    await world.pass(1);
    expect(world.socket.isClosed).toBe(true);
    expect(seen(world, store).link).toMatchObject({ phase: "retrying", code: 4000 });
  });

  test("is asked for a sign of life when the page wakes up", async () => {
    const world = new World();
    await watched(world);
    world.wake();
    expect(world.socket.said.at(-1)).toEqual({ type: "unsubscribe", execution_id: "-" });
    world.socket.hear({ type: "unsubscribed", execution_id: "-" });
    await world.pass(10_000);
    expect(world.sockets).toHaveLength(1);
    world.wake();
    await world.pass(5_000);
    await world.pass(1_000);
    expect(world.sockets).toHaveLength(2);
  });

  test("that was silent for longer than any beat is not waited for when the page wakes up", async () => {
    const world = new World();
    await watched(world);
    await world.pass(21_000);
    world.wake();
    await world.settle();
    expect(world.sockets).toHaveLength(2);
  });

  test("that was begun while there was no network is not waited for when that comes back", async () => {
    const world = new World();
    const { store } = await watched(world);
    world.socket.cut(1006);
    store.reconnect();
    await world.pass(1_000);
    world.wake(); // as when somebody looks again: it was begun just now
    await world.settle();
    expect(world.sockets).toHaveLength(2);
    await world.pass(1);
    world.wake();
    await world.settle();
    expect(world.sockets).toHaveLength(3);
    expect(seen(world, store).link).toEqual({ phase: "connecting", attempt: 0 });
  });

  test("may still speak: it is not listened to", async () => {
    const world = new World();
    const { store } = await watched(world);
    const [old] = world.sockets;
    store.reconnect();
    old?.hear(a.records(4, 9));
    old?.cut(4410);
    expect(seen(world, store)).toMatchObject({ link: { phase: "connecting" }, lastSeq: 3 });
  });

  test("of something that is no message is made anew", async () => {
    const world = new World();
    const { store } = await watched(world);
    world.socket.onmessage?.({ data: "<html>" });
    expect(seen(world, store).link).toMatchObject({ phase: "retrying", code: 1007 });
  });
});

describe("several executions", () => {
  test("share one socket, and two subscribers one subscription", async () => {
    const world = new World();
    await watched(world);
    world.client.log("a").subscribe(nothing);
    world.client.log("a", {}).subscribe(nothing);
    world.client.log("b").subscribe(nothing);
    await world.settle();
    expect(world.sockets).toHaveLength(1);
    expect(world.socket.of("subscribe").map((said) => said["execution_id"])).toEqual(["a", "b"]);
    expect(world.client.log("a")).toBe(world.client.log("a", {}));
  });

  test("are told apart", async () => {
    const world = new World();
    const { store } = await watched(world);
    const other = world.client.log("b");
    other.subscribe(nothing);
    world.socket.hear(b.hello(), b.records(1, 7));
    expect(seen(world, store).records).toHaveLength(3);
    expect(other.getSnapshot().records).toHaveLength(7);
  });

  test("of which one twice with other options need a second socket", async () => {
    const world = new World();
    await watched(world);
    world.client.log("a", { level: ["error"] }).subscribe(nothing);
    await world.opened();
    expect(world.sockets).toHaveLength(2);
    expect(world.socket.of("subscribe")).toHaveLength(1);
  });

  test("that are one refused leave the others as they are", async () => {
    const world = new World();
    const { store } = await watched(world);
    const other = world.client.log("b");
    other.subscribe(nothing);
    world.socket.hear(b.error("forbidden"));
    expect(seen(world, store).link.phase).toBe("live");
    expect(other.getSnapshot()).toMatchObject({ connectionStatus: "error", link: { phase: "refused", code: 4403, reason: "forbidden" } });
  });

  test.each(["too_many", "unavailable", "full"])("that are one refused by %s for now are asked for again", async (word) => {
    const world = new World();
    await watched(world);
    const other = world.client.log("b");
    other.subscribe(nothing);
    world.socket.hear(b.error(word));
    expect(seen(world, other).link).toMatchObject({ phase: "retrying", attempt: 1, retryAt: world.now + 500 });
    await world.pass(500);
    expect(world.socket.of("subscribe")).toHaveLength(3);
    expect(world.sockets).toHaveLength(1);
  });

  test("are all subscribed to again after a cut, no faster than a gateway listens", async () => {
    const world = new World();
    for (let i = 0; i < 150; i += 1) world.client.log(`run-${i}`).subscribe(nothing);
    const socket = await world.opened();
    expect(socket.of("subscribe")).toHaveLength(80);
    const one = says("run-0");
    socket.hear(one.hello());
    for (let i = 0; i < 5; i += 1) {
      await world.pass(10_000);
      socket.hear(one.beat(0));
      expect(socket.said.length).toBeLessThanOrEqual(80 + Math.ceil(((i + 1) * 10_000) / 700));
    }
    expect(socket.of("subscribe")).toHaveLength(150);
  });

  test("beyond what a socket may carry go over a second one", async () => {
    const world = new World();
    for (let i = 0; i < 201; i += 1) world.client.log(`run-${i}`).subscribe(nothing);
    await world.settle();
    expect(world.sockets).toHaveLength(2);
  });
});

describe("leaving", () => {
  test("takes the subscription back after a moment, in which one may come back", async () => {
    const world = new World();
    const { store, stop } = await watched(world);
    world.client.log("b").subscribe(nothing);
    stop();
    await world.pass(500);
    const again = store.subscribe(nothing);
    await world.pass(5_000);
    expect(world.socket.of("unsubscribe")).toEqual([]);
    again();
    again(); // twice is once
    await world.pass(1_000);
    expect(world.socket.of("unsubscribe")).toEqual([{ type: "unsubscribe", execution_id: "a" }]);
    expect(store.getSnapshot()).toMatchObject({ connectionStatus: "disconnected", link: { phase: "closed" } });
    expect(store.getSnapshot().records).toHaveLength(3);
  });

  test("and coming back resumes, deaf to what the old subscription still says", async () => {
    const world = new World();
    const { store, stop } = await watched(world);
    world.client.log("b").subscribe(nothing);
    stop();
    await world.pass(1_000);
    store.subscribe(nothing);
    expect(world.socket.of("subscribe").at(-1)).toMatchObject({ execution_id: "a", after: [cursor(3), cursor(0)] });
    world.socket.hear(a.records(4, 6), a.reset(1), a.unsubscribed(), a.subscribed(), a.hello(3, 6), a.records(4, 6), a.caughtUp(6));
    expect(seen(world, store)).toMatchObject({ lastSeq: 6, notices: [] });
  });

  test.each([
    ["before the socket is there", async () => {}],
    ["while it opens", async (world: World) => world.settle()],
    ["while it replays", async (world: World) => (await world.opened()).hear(a.hello(0, 9), a.records(1, 2))],
    ["while it is live", async (world: World) => (await world.opened()).hear(a.hello(), a.caughtUp(0))],
    ["while it waits for the next try", async (world: World) => (await world.opened()).cut(1006)],
    ["when it was refused", async (world: World) => (await world.opened()).hear(a.error("deleted"))],
    ["when it has ended", async (world: World) => (await world.opened()).hear(a.hello(), a.end(0))],
  ])("%s leaves nothing behind", async (_, until) => {
    const world = new World();
    const stop = world.client.log("a").subscribe(nothing);
    await until(world);
    stop();
    await world.pass(1_000);
    await world.pass(120_000);
    expect(world.sockets.every((socket) => socket.isClosed)).toBe(true);
    expect(world.sockets.length).toBeLessThanOrEqual(2);
    expect(world.timers).toBe(0);
    expect(world.listensForWakes).toBe(false);
  });

  test("the whole client closes everything at once", async () => {
    const world = new World();
    const { store } = await watched(world);
    world.client.list().subscribe(nothing);
    const events = store.events();
    const next = events.next();
    await world.settle();
    world.client.close();
    expect(await next).toEqual({ value: undefined, done: true });
    expect(world.sockets.every((socket) => socket.isClosed)).toBe(true);
    expect(world.timers).toBe(0);
  });
});

describe("a snapshot", () => {
  test("is made at most once a frame, and subscribers hear of it then", async () => {
    const world = new World();
    const store = world.client.log("a");
    let heard = 0;
    store.subscribe(() => (heard += 1));
    const socket = await world.opened();
    world.draw();
    heard = 0;
    const before = store.getSnapshot();
    socket.hear(a.hello(0, 9));
    for (let seq = 1; seq < 10; seq += 1) socket.hear(a.records(seq, seq));
    expect(store.getSnapshot()).toBe(before);
    expect([heard, world.framesAsked]).toEqual([0, 1]);
    world.draw();
    expect(heard).toBe(1);
    expect(store.getSnapshot()).toMatchObject({ version: before.version + 1, lastSeq: 9 });
    expect(store.getSnapshot()).toBe(store.getSnapshot());
  });

  test("shares what did not change", async () => {
    const world = new World();
    const { store } = await watched(world);
    const before = store.getSnapshot();
    world.socket.hear(a.beat(3));
    const after = seen(world, store);
    expect(after).not.toBe(before);
    for (const field of ["records", "notices", "execution", "link", "completeness"] as const) {
      expect(after[field]).toBe(before[field]);
    }
  });
});

test("a store that nobody watches is not kept for ever", () => {
  const world = new World();
  const first = world.client.log("run-0");
  for (let i = 1; i <= 256; i += 1) world.client.log(`run-${i}`);
  expect(world.client.log("run-0")).not.toBe(first);
});

test("without an address, and with one that is none, no client is made", () => {
  expect(() => new World({ url: "nowhere" })).toThrow(/nowhere|Invalid URL/);
});
