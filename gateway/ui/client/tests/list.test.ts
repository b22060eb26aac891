import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ListMessage } from "../src/messages.ts";
import { listModel } from "../src/list-model.ts";
import type { ListStore } from "../src/index.ts";
import { nothing, says, state, World } from "./world.ts";

const at = (n: number): string => new Date(Date.UTC(2026, 10, 25) + n * 1000).toISOString();
const run = (n: number, more: object = {}): Record<string, unknown> => state(`run-${n}`, { created_at: at(n), ...more });
const watching = (runs: object[], next: string | null = null): object => ({ type: "watching", executions: runs, next });
const changed = (runs: object[], removed: string[] = []): object => ({ type: "executions", executions: runs, removed });
const ids = (store: ListStore): string[] => store.getSnapshot().executions.map(({ id }) => id);

async function watched(world: World, filter = {}): Promise<ListStore> {
  const list = world.client.list(filter);
  list.subscribe(nothing);
  await world.opened();
  return list;
}

describe("the list", () => {
  test("is watched over the socket of the logs, with its filter", async () => {
    const world = new World();
    world.client.log("a").subscribe(nothing);
    await watched(world, { status: ["running"], workflow: ["w"], limit: 10 });
    expect(world.sockets).toHaveLength(1);
    expect(world.socket.of("watch")).toEqual([{ type: "watch", status: ["running"], workflow: ["w"], limit: 10 }]);
  });

  test("shows the newest first, what changed in place, and drops what is removed", async () => {
    const world = new World();
    const list = await watched(world);
    expect(list.getSnapshot()).toMatchObject({ loaded: false, connectionStatus: "connecting", executions: [] });
    world.socket.hear(watching([run(3), run(2), run(1)]));
    world.draw();
    expect(list.getSnapshot()).toMatchObject({ loaded: true, connectionStatus: "connected", next: null });
    expect(ids(list)).toEqual(["run-3", "run-2", "run-1"]);
    const [three] = list.getSnapshot().executions;
    world.socket.hear(changed([run(4), run(2, { status: "failed" })], ["run-1", "never-seen"]));
    world.draw();
    expect(ids(list)).toEqual(["run-4", "run-3", "run-2"]);
    expect(list.getSnapshot().executions[1]).toBe(three);
    expect(list.getSnapshot().executions[2]?.status).toBe("failed");
  });

  test("leaves what belongs to a page behind it to that page", async () => {
    const world = new World();
    const list = await watched(world);
    world.socket.hear(watching([run(9), run(8)], "more"), changed([run(1, { status: "completed" }), run(10)]));
    world.draw();
    expect(ids(list)).toEqual(["run-10", "run-9", "run-8"]);
  });

  test("keeps what is added up to date, and moves its end with it", async () => {
    const world = new World();
    const list = await watched(world);
    world.socket.hear(watching([run(9), run(8)], "8"));
    list.add([run(7), run(6)] as never, "6");
    world.socket.hear(changed([run(6, { status: "failed" }), run(3), run(10)]));
    world.draw();
    expect(ids(list)).toEqual(["run-10", "run-9", "run-8", "run-7", "run-6"]);
    expect(list.getSnapshot()).toMatchObject({ next: "6", begun: 1, executions: { 4: { status: "failed" } } });
    list.add([run(5), run(4)] as never, null);
    world.socket.hear(changed([run(1)]));
    world.draw();
    expect(ids(list).slice(-3)).toEqual(["run-5", "run-4", "run-1"]);
  });

  test("takes others out of turn, in the state that was told of them meanwhile, and forgets them when it begins anew", async () => {
    const world = new World();
    const list = await watched(world, { limit: 2 });
    world.socket.hear(watching([run(9), run(8)], "8"), changed([run(2, { status: "failed" })]));
    list.add([run(2), run(1)] as never);
    world.socket.hear(changed([run(3)]));
    world.draw();
    expect(ids(list)).toEqual(["run-9", "run-8", "run-2", "run-1"]);
    expect(list.getSnapshot()).toMatchObject({ next: "8", executions: { 2: { status: "failed" } } });
    expect(world.socket.of("watch")).toHaveLength(1); // what was added does not count
    world.socket.hear(watching([run(9), run(8)], "8"));
    world.draw();
    expect(ids(list)).toEqual(["run-9", "run-8"]);
    expect(list.getSnapshot().begun).toBe(2);
  });

  test("that has grown to twice its limit is asked for anew, so that `next` stays right", async () => {
    const world = new World();
    const list = await watched(world, { limit: 2 });
    world.socket.hear(watching([run(2), run(1)], "more"), changed([run(3), run(4)]));
    expect(world.socket.of("watch")).toHaveLength(1);
    world.socket.hear(changed([run(5)]));
    expect(world.socket.of("watch")).toHaveLength(2);
    world.socket.hear(watching([run(5), run(4)], "other"));
    world.draw();
    expect(list.getSnapshot()).toMatchObject({ next: "other" });
    expect(ids(list)).toEqual(["run-5", "run-4"]);
  });

  test("that is refused says why, and the logs go on", async () => {
    const world = new World();
    const log = world.client.log("a");
    log.subscribe(nothing);
    const list = await watched(world);
    world.socket.hear({ type: "error", watch: true, code: "forbidden", message: "no" }, says("a").hello(), says("a").caughtUp(0));
    world.draw();
    expect(list.getSnapshot()).toMatchObject({ connectionStatus: "error", link: { phase: "refused", code: 4403, reason: "forbidden" } });
    expect(log.getSnapshot().link.phase).toBe("live");
  });

  test("that is refused for now is asked for again", async () => {
    const world = new World();
    await watched(world);
    world.socket.hear({ type: "error", watch: true, code: "too_many", message: "no" });
    await world.pass(500);
    expect(world.socket.of("watch")).toHaveLength(2);
  });

  test("stays on screen through a cut, and is dropped for the new one", async () => {
    const world = new World();
    const list = await watched(world);
    world.socket.hear(watching([run(2), run(1)]));
    world.socket.cut(1006);
    world.draw();
    expect(ids(list)).toHaveLength(2);
    expect(list.getSnapshot().link.phase).toBe("retrying");
    await world.pass(500);
    (await world.opened()).hear(watching([run(3)]));
    world.draw();
    expect(ids(list)).toEqual(["run-3"]);
  });

  test("of which nothing is heard for long asks for a sign of life, and is dead without one", async () => {
    const world = new World();
    const list = await watched(world);
    world.socket.hear(watching([]));
    await world.pass(40_000);
    expect(world.socket.said.at(-1)).toEqual({ type: "unsubscribe", execution_id: "-" });
    world.socket.hear({ type: "unsubscribed", execution_id: "-" });
    await world.pass(44_000);
    expect(world.sockets).toHaveLength(1);
    await world.pass(1_000);
    world.draw();
    expect(list.getSnapshot().link.phase).toBe("retrying");
  });

  test("with another filter needs a socket of its own; what an old watch still says is not listened to", async () => {
    const world = new World();
    world.client.log("a").subscribe(nothing);
    const stop = world.client.list({ status: ["failed"] }).subscribe(nothing);
    const list = await watched(world);
    expect(world.sockets).toHaveLength(2);
    const [first] = world.sockets;
    first?.open();
    expect(first?.of("watch")).toEqual([{ type: "watch", limit: 100, status: ["failed"] }]);
    stop();
    await world.pass(1_000);
    expect(first?.of("unwatch")).toHaveLength(1);
    const other = world.client.list({ status: ["running"] });
    other.subscribe(nothing);
    first?.hear(watching([run(1)]), { type: "unwatched" });
    world.draw();
    expect(ids(other)).toEqual([]);
    first?.hear(watching([run(2)]));
    world.draw();
    expect(ids(other)).toEqual(["run-2"]);
    expect(ids(list)).toEqual([]);
  });
});

test("whatever changes, the list is the newest first and each execution is in it once, as it was told last", () => {
  const change = fc.record({ n: fc.integer({ min: 0, max: 30 }), gone: fc.boolean(), status: fc.constantFrom("running", "failed") });
  fc.assert(
    fc.property(fc.array(fc.array(change)), (turns) => {
      const model = listModel(100);
      const held = new Map<string, string>();
      model.take(watching([]) as ListMessage);
      for (const turn of turns) {
        const removed = turn.filter(({ gone }) => gone).map(({ n }) => `run-${n}`);
        const told = turn.filter(({ gone }) => !gone);
        model.take(changed(told.map(({ n, status }) => run(n, { status })), removed) as ListMessage);
        for (const { n, status } of told) held.set(`run-${n}`, status);
        for (const id of removed) held.delete(id);
      }
      const order = [...held.keys()].sort((x, y) => Number(y.slice(4)) - Number(x.slice(4)));
      expect(model.view.executions.map(({ id, status }) => [id, status])).toEqual(order.map((id) => [id, held.get(id)]));
    }),
  );
});
