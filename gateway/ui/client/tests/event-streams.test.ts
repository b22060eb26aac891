import { describe, expect, test } from "vitest";
import { EventStreamParser } from "../src/event-stream.ts";
import type { ClientOptions } from "../src/index.ts";
import { cursor, nothing, record, says, state, World } from "./world.ts";

/** An event stream that a test writes to. */
class Stream {
  readonly response: Response;
  #control!: ReadableStreamDefaultController<Uint8Array>;

  constructor() {
    const body = new ReadableStream<Uint8Array>({ start: (control) => void (this.#control = control) });
    this.response = new Response(body, { status: 200, headers: { "content-type": "text/event-stream" } });
  }

  hear(...messages: object[]): void {
    for (const message of messages) this.write(`id: x\ndata: ${JSON.stringify(message)}\n\n`);
  }

  write(text: string): void {
    this.#control.enqueue(new TextEncoder().encode(text));
  }

  end(): void {
    this.#control.close();
  }
}

const problem = (status: number, code: string): Response =>
  new Response(JSON.stringify({ status, code, detail: `it is ${code}` }), { status });

interface Streaming {
  readonly world: World;
  readonly streams: Stream[];
}

/** A world in which each request is answered by a new stream. */
function streaming(options: ClientOptions = { transport: "events" }): Streaming {
  const streams: Stream[] = [];
  const world = new World(options);
  world.answer = () => {
    const stream = new Stream();
    streams.push(stream);
    return stream.response;
  };
  return { world, streams };
}

const snapshot = async (world: World, id: string, options = {}) => {
  await world.settle();
  world.draw();
  return world.client.log(id, options).getSnapshot();
};

test("an event is read whole, in however many pieces it comes", () => {
  const text = 'retry: 2000\n\nid: 1\ndata: {"a":\ndata: 1}\n\n: beat\nevent: beat\ndata: {}\r\n\r\ndata: cut';
  for (let size = 1; size < text.length; size += 1) {
    const parser = new EventStreamParser();
    const events: string[] = [];
    for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
    expect(events).toEqual(['{"a":\n1}', "{}"]);
  }
});

describe("where sockets are blocked", () => {
  test("two that never said anything are enough: event streams go on", async () => {
    const { world, streams } = streaming({});
    world.client.log("a").subscribe(nothing);
    await world.settle();
    world.socket.cut(1006);
    await world.pass(500);
    expect(world.requests).toHaveLength(0);
    world.socket.open(); // a proxy may say that it is open, and cut it
    world.socket.cut(1006);
    await world.settle();
    expect(world.requests[0]?.address).toBe("http://gateway.test/runtail/executions/a/events?wait=true");
    const a = says();
    streams[0]?.hear(a.hello(0, 2), a.records(1, 2), a.caughtUp(2));
    expect(await snapshot(world, "a")).toMatchObject({ connectionStatus: "connected", link: { phase: "live" }, lastSeq: 2 });
    expect(world.sockets).toHaveLength(2);
  });

  test("one that spoke once is never given up for them", async () => {
    const { world } = streaming({});
    world.client.log("a").subscribe(nothing);
    (await world.opened()).hear(says("a").hello());
    for (let i = 0; i < 5; i += 1) {
      world.socket.cut(1006);
      await world.pass(14_000);
    }
    expect(world.requests).toHaveLength(0);
  });

  test("they are not tried if only sockets are wanted", async () => {
    const { world } = streaming({ transport: "websocket" });
    world.client.log("a").subscribe(nothing);
    await world.settle();
    for (let i = 0; i < 5; i += 1) {
      world.socket.cut(1006);
      await world.pass(14_000);
    }
    expect(world.requests).toHaveLength(0);
  });

  test("and nobody answers them either, sockets have their turn again", async () => {
    const { world } = streaming({});
    world.answer = () => Promise.reject(new TypeError("offline"));
    world.client.log("a").subscribe(nothing);
    await world.settle();
    world.socket.cut(1006);
    await world.pass(500);
    world.socket.cut(1006);
    await world.settle();
    expect(world.requests).toHaveLength(1);
    expect(await snapshot(world, "a")).toMatchObject({ link: { phase: "retrying" } });
    await world.pass(30_000);
    expect(world.sockets.length).toBeGreaterThan(2);
  });
});

describe("an event stream", () => {
  test("carries the token in a header, resumes by all cursors, and ends with the run", async () => {
    const { world, streams } = streaming({ transport: "events", token: () => "secret" });
    world.client.log("a").subscribe(nothing);
    await world.settle();
    const a = says();
    expect(world.requests[0]?.init.headers).toEqual({ Authorization: "Bearer secret" });
    expect(world.requests[0]?.address).not.toContain("secret");
    streams[0]?.hear(a.hello(0, 2), a.records(1, 2), a.caughtUp(2));
    await world.settle();
    streams[0]?.end();
    expect(await snapshot(world, "a")).toMatchObject({ link: { phase: "retrying", code: 1006 } });
    await world.pass(500);
    expect(new URL(world.requests[1]?.address ?? "").searchParams.getAll("after")).toEqual([cursor(2), cursor(0)]);
    streams[1]?.hear(a.hello(2, 3), a.records(3, 3), a.caughtUp(3), a.end(3));
    expect(await snapshot(world, "a")).toMatchObject({ link: { phase: "ended" }, completeness: { state: "complete", records: 3 } });
    expect(world.requests[1]?.init.signal?.aborted).toBe(true);
  });

  test.each([
    [400, "bad_request", 4400], [403, "foreign_origin", 4403], [404, "not_found", 4404], [410, "deleted", 4410],
  ])("refused with %i (%s) does not come again", async (status, code, close) => {
    const { world } = streaming();
    world.answer = () => problem(status, code);
    world.client.log("a").subscribe(nothing);
    expect(await snapshot(world, "a")).toMatchObject({
      connectionStatus: "error", link: { phase: "refused", code: close, message: `it is ${code}` },
    });
    await world.pass(60_000);
    expect(world.requests).toHaveLength(1);
  });

  test.each([[503, "draining", 1012], [503, "too_many", 4329], [429, "http", 1006], [502, "http", 1006]])(
    "refused with %i (%s) for now comes again", async (status, code, close) => {
      const { world } = streaming();
      world.answer = () => problem(status, code);
      world.client.log("a").subscribe(nothing);
      expect(await snapshot(world, "a")).toMatchObject({ link: { phase: "retrying", code: close } });
    },
  );

  test("whose token has expired comes again with a new one", async () => {
    const tokens = ["one", "two"];
    const { world, streams } = streaming({ transport: "events", token: () => tokens.shift() ?? null });
    world.client.log("a").subscribe(nothing);
    await world.settle();
    streams[0]?.hear(says().hello(0, 0), says().caughtUp(0), says().error("expired"));
    streams[0]?.end();
    await world.settle();
    expect(world.requests[1]?.init.headers).toEqual({ Authorization: "Bearer two" });
  });

  test("that falls silent is dead", async () => {
    const { world, streams } = streaming();
    world.client.log("a").subscribe(nothing);
    await world.settle();
    streams[0]?.hear(says().hello(0, 0), says().caughtUp(0));
    await world.settle();
    await world.pass(45_000);
    expect(world.requests[0]?.init.signal?.aborted).toBe(true);
    expect(await snapshot(world, "a")).toMatchObject({ link: { phase: "retrying", code: 4000 } });
  });

  test("serves several that ask alike, each from where it stands", async () => {
    const { world, streams } = streaming();
    world.client.log("a").subscribe(nothing);
    world.client.log("b").subscribe(nothing);
    world.client.log("c", { tail: 5 }).subscribe(nothing);
    await world.settle();
    await world.pass(0);
    const addresses = world.requests.map(({ address }) => address.split("runtail/")[1]);
    expect(addresses).toContain("events?execution=a&execution=b&wait=true");
    expect(addresses).toContain("executions/c/events?tail=5&wait=true");
    const shared = addresses.indexOf("events?execution=a&execution=b&wait=true");
    streams[shared]?.hear(says("a").hello(), says("a").records(1, 2), says("b").error("forbidden"));
    expect(await snapshot(world, "a")).toMatchObject({ lastSeq: 2 });
    expect(await snapshot(world, "b")).toMatchObject({ link: { phase: "refused", code: 4403 } });
    streams[shared]?.end();
    await world.settle();
    await world.pass(500);
    expect(world.requests.at(-1)?.address).toContain("executions/a/events?after=");
  });

  test("of several resumes each at its newest cursor", async () => {
    const { world, streams } = streaming();
    for (const id of ["a", "b"]) world.client.log(id).subscribe(nothing);
    await world.settle();
    await world.pass(0);
    streams.at(-1)?.hear(says("a").hello(), says("a").records(1, 2), says("b").hello(), says("b").records(1, 4));
    await world.settle();
    streams.at(-1)?.end();
    await world.settle();
    await world.pass(500);
    const query = new URL(world.requests.at(-1)?.address ?? "").searchParams;
    expect(query.get("after")).toBe(`a=${cursor(2)},b=${cursor(4)}`);
    expect(query.getAll("execution")).toEqual(["a", "b"]);
  });
});

test("the list is asked for again and again", async () => {
  const { world } = streaming();
  const pages = [[state("a")], [state("a"), state("b")]];
  world.answer = () => Response.json({ executions: pages.shift() ?? [], next: null });
  const list = world.client.list({ status: ["running"], limit: 10 });
  list.subscribe(nothing);
  await world.settle();
  world.draw();
  expect(world.requests[0]?.address).toBe("http://gateway.test/runtail/executions?limit=10&status=running");
  expect(list.getSnapshot()).toMatchObject({ connectionStatus: "connected", loaded: true, executions: [{ id: "a" }] });
  await world.pass(5_000);
  world.draw();
  expect(list.getSnapshot().executions).toHaveLength(2);
  world.client.close();
  await world.pass(60_000);
  expect(world.requests).toHaveLength(2);
});

test("a record of 200 kB in small pieces is read", async () => {
  const { world, streams } = streaming();
  world.client.log("a").subscribe(nothing);
  await world.settle();
  const message = { type: "records", records: [record(1, { message: "ä".repeat(100_000) })], cursor: cursor(1) };
  const bytes = new TextEncoder().encode(`data: ${JSON.stringify(message)}\n\n`);
  streams[0]?.hear(says().hello());
  const text = new TextDecoder();
  for (let at = 0; at < bytes.length; at += 4096) {
    streams[0]?.write(text.decode(bytes.slice(at, at + 4096), { stream: true }));
  }
  const held = await snapshot(world, "a");
  expect(held.records[0]?.["message"]).toHaveLength(100_000);
});

test("who signed in for one stream, or for the list, has signed in for all", async () => {
  let token: string | null = null;
  const world = new World({ transport: "events", token: () => token });
  world.answer = (_, { headers }) => ("Authorization" in (headers ?? {}) ? new Stream().response : problem(401, "signed_out"));
  world.client.log("a").subscribe(nothing);
  world.client.log("b", { tail: 1 }).subscribe(nothing); // a stream of its own: it asks otherwise
  const list = world.client.list();
  list.subscribe(nothing);
  await world.settle();
  expect(list.getSnapshot().link.phase).toBe("signed_out");
  token = "mine";
  list.reconnect();
  for (const [id, options] of [["a", {}], ["b", { tail: 1 }]] as const) {
    expect((await snapshot(world, id, options)).link).toEqual({ phase: "connecting", attempt: 0 });
  }
  expect(world.requests.filter(({ init }) => "Authorization" in (init.headers ?? {}))).toHaveLength(3);
});
