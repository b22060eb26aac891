import { describe, expect, test } from "vitest";
import { RequestFailed } from "../src/index.ts";
import { cursor, record, state, World } from "./world.ts";

const answering = (world: World, ...bodies: object[]): void => {
  world.answer = () => Response.json(bodies.shift() ?? {});
};
const asked = (world: World): string[] =>
  world.requests.map(({ address, init }) => `${init.method ?? "GET"} ${address.replace("http://gateway.test/runtail/", "")}`);
const step = (step_name: string, more: object = {}): object => ({
  step_name, step_type: null, status: "completed", runs: 1, attempts: 1, started_at: "1", ended_at: "2", duration_ms: 10,
  waited_ms: null, records: 2, levels: { debug: 0, info: 1, warning: 0, error: 0 }, ...more,
});

describe("requests", () => {
  test("that are none of the named ones are asked by their path, with what is said", async () => {
    const world = new World();
    world.answer = (_, init) => (init.method === "POST" ? new Response(JSON.stringify({ status: 400, code: "bad_request", detail: "no", errors: [{ path: "steps[0]", message: "why" }] }), { status: 400 }) : Response.json({ n: 1 }));
    const { rest } = world.client;
    expect(await rest.ask("figures", { query: { window_seconds: 60 } })).toEqual({ n: 1 });
    await expect(rest.ask("executions/a/start-streaming", { method: "POST", body: { steps: [] } })).rejects.toMatchObject({
      status: 400, detail: "no", errors: [{ path: "steps[0]", message: "why" }],
    });
    expect(asked(world)).toEqual(["GET figures?window_seconds=60", "POST executions/a/start-streaming"]);
    expect(world.requests[1]?.init).toMatchObject({ body: '{"steps":[]}', headers: { "Content-Type": "application/json" } });
  });

  test("go to the gateway's addresses, with all that was asked", async () => {
    const world = new World();
    world.answer = () => Response.json({ records: [], executions: [], next: null });
    const { rest } = world.client;
    await rest.execution("a b");
    await rest.executions({ status: ["running", "lost"], workflow: ["w"], limit: 5, cursor: "1-a", from: "2026-01-01T00:00:00Z" });
    await rest.logs("a", { around: 500, limit: 100 });
    await rest.logs("a", { q: "x&y", level: ["error", "warning"], step: ["load"], context: 3, before: 90 });
    await rest.cancel("a", "too slow");
    await rest.cancel("a");
    await rest.remove("a");
    await rest.remove("a", true);
    await rest.startDemo("a");
    expect(asked(world)).toEqual([
      "GET executions/a%20b",
      "GET executions?status=running&status=lost&workflow=w&limit=5&cursor=1-a&from=2026-01-01T00%3A00%3A00Z",
      "GET executions/a/logs?around=500&limit=100",
      "GET executions/a/logs?q=x%26y&level=error&level=warning&step=load&context=3&before=90",
      "POST executions/a/cancel?reason=too+slow",
      "POST executions/a/cancel",
      "DELETE executions/a",
      "DELETE executions/a?force=true",
      "POST executions/a/start-streaming",
    ]);
    expect(rest.downloadUrl("a", "txt")).toBe("http://gateway.test/runtail/executions/a/logs.txt");
  });

  test("carry a fresh token each, or the share link", async () => {
    let count = 0;
    const world = new World({ token: async () => `token-${(count += 1)}` });
    answering(world);
    await world.client.rest.execution("a");
    await world.client.rest.execution("a");
    expect(world.requests.map(({ init }) => init.headers)).toEqual([{ Authorization: "Bearer token-1" }, { Authorization: "Bearer token-2" }]);
    const shared = new World({ share: "s" });
    answering(shared);
    await shared.client.rest.logs("a", { tail: 1 });
    expect(asked(shared)).toEqual(["GET executions/a/logs?share=s&tail=1"]);
    expect(shared.client.rest.downloadUrl("a", "ndjson")).toContain("logs.ndjson?share=s");
  });

  test("can be given up", async () => {
    const world = new World();
    const control = new AbortController();
    answering(world);
    await world.client.rest.logs("a", { tail: 1, signal: control.signal });
    expect(world.requests[0]?.init.signal).toBe(control.signal);
    expect(asked(world)).toEqual(["GET executions/a/logs?tail=1"]);
  });
});

describe("a refusal", () => {
  test("is thrown with its problem", async () => {
    const world = new World();
    world.answer = () => Response.json({ status: 409, code: "conflict", detail: "it is over" }, { status: 409 });
    const failed: unknown = await world.client.rest.cancel("a").catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(RequestFailed);
    expect(failed).toMatchObject({ status: 409, code: "conflict", detail: "it is over", message: "it is over (conflict, 409)" });
  });

  test("of a proxy, which is no problem+json, is thrown too", async () => {
    const world = new World();
    world.answer = () => new Response("<h1>Bad Gateway</h1>", { status: 502 });
    await expect(world.client.rest.execution("a")).rejects.toMatchObject({ status: 502, code: "http" });
  });
});

describe("a page", () => {
  test("tells its notices as types", async () => {
    const world = new World();
    answering(world, {
      records: [record(7)],
      cursor: cursor(7),
      notices: [
        { type: "reset", reason: "another history", cursor: cursor(2) },
        { type: "gap", after_seq: 2, before_seq: 7, lost: 4, proved: true },
        { type: "gap", after_seq: null, before_seq: 7, lost: null, proved: false },
      ],
    });
    const page = await world.client.rest.logs("a", { after: cursor(9) });
    expect(page).toMatchObject({ before: null, cursor: cursor(7), matches: [], looked: null });
    expect(page.notices).toEqual([
      { type: "reset", afterSeq: 2, withdrawn: 0, reason: "another history" },
      { type: "gap", afterSeq: 2, beforeSeq: 7, lost: 4, proved: true, reason: "not kept" },
      { type: "gap", afterSeq: 6, beforeSeq: 7, lost: null, proved: false, reason: "not kept" },
    ]);
  });

  test("of a search says what matched, and how far it looked", async () => {
    const world = new World();
    answering(world, { records: [record(7)], before: 3, notices: [], matches: [7], looked: { first_seq: 3, last_seq: 9 } });
    expect(await world.client.rest.logs("a", { q: "x", tail: 1 })).toMatchObject({
      before: 3, cursor: null, matches: [7], looked: { firstSeq: 3, lastSeq: 9 },
    });
  });
});

test("step statistics are added up over all pages", async () => {
  const world = new World();
  answering(
    world,
    {
      steps: [step("load", { status: "running", ended_at: null, duration_ms: null, waited_ms: 5 }), step("check", { status: null, runs: 0, started_at: null })],
      cursor: cursor(50), more: true,
    },
    {
      steps: [step("load", { runs: 0, started_at: null, ended_at: "9", duration_ms: 70, step_type: "sql" }), step("save")],
      cursor: cursor(90), more: true,
    },
    { steps: [step("load", { status: null, runs: 0, attempts: 0, ended_at: null, duration_ms: null, records: 1, levels: { error: 1 } })], cursor: cursor(99), more: false },
  );
  const steps = await world.client.rest.steps("a");
  expect(asked(world)).toEqual([
    "GET executions/a/steps",
    `GET executions/a/steps?after=${encodeURIComponent(cursor(50))}`,
    `GET executions/a/steps?after=${encodeURIComponent(cursor(90))}`,
  ]);
  expect(steps.map(({ step_name }) => step_name)).toEqual(["load", "check", "save"]);
  expect(steps[0]).toEqual({
    step_name: "load", step_type: "sql", status: "completed", runs: 1, attempts: 1, started_at: "1", ended_at: "9",
    duration_ms: 70, waited_ms: 5, records: 5, levels: { debug: 0, info: 2, warning: 0, error: 1 },
  });
});

test("an execution's state comes as it is", async () => {
  const world = new World();
  answering(world, state("a", { progress: 40 }));
  expect(await world.client.rest.execution("a")).toMatchObject({ id: "a", progress: 40 });
});
