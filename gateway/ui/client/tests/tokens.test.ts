import { describe, expect, test } from "vitest";
import type { ClientOptions, LogSnapshot, LogStore } from "../src/index.ts";
import { nothing, says, World } from "./world.ts";

const a = says("a");

interface Signing {
  readonly world: World;
  readonly store: LogStore;
  tokens: (string | null | Error)[];
  asked: number;
}

/** A client whose tokens are given one after the other; the last one stays. */
async function signing(tokens: Signing["tokens"], options: ClientOptions = {}): Promise<Signing> {
  const signing = { tokens, asked: 0 };
  const world = new World({
    token: async () => {
      signing.asked += 1;
      const token = signing.tokens.length > 1 ? signing.tokens.shift() : signing.tokens[0];
      if (token instanceof Error) throw token;
      return token ?? null;
    },
    ...options,
  });
  const store = world.client.log("a");
  store.subscribe(nothing);
  await world.settle();
  return Object.assign(signing, { world, store });
}
const seen = ({ world, store }: Signing): LogSnapshot => {
  world.draw();
  return store.getSnapshot();
};
const live = (signed: Signing, expiresIn: number | null): void => {
  const { world } = signed;
  world.socket.open();
  const expires_at = expiresIn === null ? null : world.now / 1000 + expiresIn;
  world.socket.hear({ type: "auth", expires_at }, a.hello(0, 3), a.records(1, 3), a.caughtUp(3));
};

test("is asked for before each connection, and is the first thing said", async () => {
  const signed = await signing(["one", "two"]);
  const { world } = signed;
  live(signed, null);
  expect(world.socket.said.map(({ type, token }) => [type, token])).toEqual([["auth", "one"], ["subscribe", undefined]]);
  expect(world.socket.address).not.toContain("one");
  world.socket.cut(1006);
  await world.pass(1_000);
  world.socket.open();
  expect(world.socket.said[0]).toEqual({ type: "auth", token: "two" });
  expect(signed.asked).toBe(2);
});

describe("a token that expires", () => {
  test.each([[3600, 3540], [30, 15]])("in %i s is renewed in place after %i s", async (lasts, after) => {
    const signed = await signing(["one", "two"]);
    const { world } = signed;
    live(signed, lasts);
    for (let s = 0; s < after - 1; s += 10) {
      await world.pass(Math.min(10, after - 1 - s) * 1000);
      world.socket.hear(a.beat(3));
    }
    expect(world.socket.of("auth")).toHaveLength(1);
    await world.pass(1_000);
    expect(world.socket.of("auth").at(-1)).toEqual({ type: "auth", token: "two" });
    expect(world.sockets).toHaveLength(1);
    expect(seen(signed).link.phase).toBe("live");
  });

  test("is renewed at the gateway's hint", async () => {
    const signed = await signing(["one", "two"]);
    live(signed, null);
    signed.world.socket.hear({ type: "expiring", remaining_ms: 60_000 });
    await signed.world.settle();
    expect(signed.world.socket.of("auth").at(-1)).toEqual({ type: "auth", token: "two" });
  });

  test("by a clock that is ahead by far is not renewed all the time", async () => {
    const signed = await signing(["one", "two", "three", "four"]);
    live(signed, -3600);
    await signed.world.pass(40_000);
    expect(signed.asked).toBe(1);
  });

  test("in a year does not set off a timer at once", async () => {
    const signed = await signing(["one", "two"]);
    live(signed, 366 * 86_400);
    await signed.world.pass(10_000);
    expect(signed.asked).toBe(1);
  });

  test("and is the same one again is asked for once more, and the connection goes on", async () => {
    const signed = await signing(["one"]);
    live(signed, 100);
    await signed.world.pass(44_000);
    signed.world.socket.hear(a.beat(3));
    await signed.world.pass(10_000);
    expect(signed.asked).toBeGreaterThanOrEqual(2);
    expect(signed.world.socket.of("auth")).toHaveLength(1);
    expect(seen(signed).link.phase).toBe("live");
  });

  test("and whose newer one is not taken, or does not come, is tried again while it lasts", async () => {
    const signed = await signing(["one", "two", new Error("offline"), "three"]);
    const { world } = signed;
    live(signed, 60);
    await world.pass(30_000);
    world.socket.hear({ type: "auth", code: "forbidden", message: "somebody else's" });
    await world.pass(30_000);
    expect(world.socket.of("auth").map(({ token }) => token)).toEqual(["one", "two", "three"]);
    expect(seen(signed).link.phase).toBe("live");
  });

  test("in mid-stream (4402) comes again with a new one and the cursor; what is held stays", async () => {
    const signed = await signing(["one", "two"]);
    const { world } = signed;
    live(signed, null);
    world.socket.hear(says().error("expired"));
    world.socket.cut(4402);
    await world.settle();
    expect(world.sockets).toHaveLength(2);
    world.socket.open();
    expect(world.socket.said[0]).toEqual({ type: "auth", token: "two" });
    expect(world.socket.said[1]).toMatchObject({ type: "subscribe" });
    expect(world.socket.said[1]).toHaveProperty("after");
    world.socket.hear(a.hello(3), a.records(4, 4), a.caughtUp(4));
    expect(seen(signed)).toMatchObject({ link: { phase: "live" }, lastSeq: 4, notices: [] });
  });

  test("and has no newer one is signed out; what is held stays, and the user may come again", async () => {
    const signed = await signing(["one"]);
    const { world, store } = signed;
    live(signed, null);
    world.socket.hear(says().error("expired"));
    world.socket.cut(4402);
    await world.settle();
    expect(seen(signed)).toMatchObject({
      connectionStatus: "error", link: { phase: "signed_out", code: 4402, message: "it is expired" }, error: { code: "expired" },
    });
    expect(store.getSnapshot().records).toHaveLength(3);
    await world.pass(600_000);
    expect(world.sockets).toHaveLength(1);
    signed.tokens = ["two"];
    store.reconnect();
    await world.settle();
    live(signed, null);
    expect(seen(signed)).toMatchObject({ link: { phase: "live" }, error: null });
  });
});

describe("signed out", () => {
  test("is who has no token where one is needed (4401)", async () => {
    const signed = await signing([null]);
    signed.world.socket.open();
    expect(signed.world.socket.said).toHaveLength(1);
    signed.world.socket.hear(says().error("signed_out"));
    signed.world.socket.cut(4401);
    await signed.world.settle();
    expect(seen(signed).link).toEqual({ phase: "signed_out", code: 4401, message: "it is signed_out" });
    expect(signed.world.sockets).toHaveLength(1);
  });

  test("is who has only tokens that are refused: nobody asks for ever", async () => {
    const signed = await signing(["one", "two", "three", "four", "five"]);
    for (let i = 0; i < 5; i += 1) {
      if (!signed.world.socket.isClosed) signed.world.socket.open();
      signed.world.socket.cut(4401);
      await signed.world.settle();
    }
    expect(seen(signed).link.phase).toBe("signed_out");
    expect(signed.world.sockets).toHaveLength(2);
  });

  test("is whose callback fails, with its words", async () => {
    const signed = await signing([new Error("no session")]);
    expect(seen(signed).link).toEqual({ phase: "signed_out", code: 4401, message: "Error: no session" });
    expect(signed.world.sockets).toHaveLength(0);
  });
});

test("a callback that never answers is given up after a while", async () => {
  const world = new World({ token: () => new Promise(nothing) });
  const store = world.client.log("a");
  store.subscribe(nothing);
  await world.pass(15_000);
  world.draw();
  expect(store.getSnapshot().link).toMatchObject({ phase: "retrying", attempt: 1 });
});

test("a share link opens one execution's own socket, without a token", async () => {
  const signed = await signing(["one"], { share: "s h" });
  const { world, store } = signed;
  expect(signed.asked).toBe(0);
  expect(world.socket.address).toBe("ws://gateway.test/runtail/ws/executions/a/logs?share=s+h&wait=true");
  world.socket.open();
  const one = says();
  world.socket.hear(one.hello(0, 2), one.records(1, 2), one.caughtUp(2));
  expect(seen(signed)).toMatchObject({ link: { phase: "live" }, lastSeq: 2 });
  expect(world.socket.said).toEqual([]);
  world.socket.cut(1006);
  await world.pass(1_000);
  expect(world.socket.address).toMatch(/share=s\+h&after=1002-0%3A2%3Aaaaaaaaa&after=1000-0%3A0%3Aaaaaaaaa&wait=true$/);
  world.socket.open();
  world.socket.hear(one.hello(2), one.caughtUp(2), one.end(2));
  world.socket.cut(1000);
  expect(seen(signed).link).toEqual({ phase: "ended" });
  expect(store.getSnapshot().completeness).toEqual({ state: "complete", records: 2 });
});
