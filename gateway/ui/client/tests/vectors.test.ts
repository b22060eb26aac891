/** The messages of real gateways, as tests/gateway/vectors has them, drive the models. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { codeOf, verdictOf } from "../src/close-codes.ts";
import { listModel } from "../src/list-model.ts";
import { type LogModel, logModel } from "../src/log-model.ts";
import type { ErrorMessage, GatewayMessage, ListMessage, LogMessage } from "../src/messages.ts";
import { nothing, World } from "./world.ts";

const recorded = (name: string): GatewayMessage[] =>
  readFileSync(fileURLToPath(new URL(`../../../../tests/gateway/vectors/${name}.ndjson`, import.meta.url)), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as GatewayMessage);

const told = (name: string, filtered = false): LogModel => {
  const model = logModel("x", { window: { windowRecords: 100 }, filtered, after: [] });
  for (const message of recorded(name)) model.take(message as LogMessage, 1000);
  return model;
};
const seqs = (model: LogModel): number[] => model.view.records.map(({ seq }) => seq);
const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe("recorded messages", () => {
  test("of a whole run prove that it is complete", () => {
    const model = told("whole");
    expect(seqs(model)).toEqual(range(1, 16));
    expect(model.view).toMatchObject({
      notices: [], firstSeq: 1, lastSeq: 16, completeness: { state: "complete", records: 16 },
      execution: { status: "failed", progress: 40, reason: "it broke" }, totals: { dropped: 4 },
    });
    expect(model.stage.phase).toBe("ended");
  });

  test("of a filtered viewer add up", () => {
    const model = told("filtered", true);
    expect(model.view).toMatchObject({ notices: [], completeness: { state: "complete", records: 16 } });
    expect(model.view.records.length + model.view.omitted).toBe(16);
  });

  test("of a reset and a gap leave what the gateway has, and what is gone", () => {
    const model = logModel("x", { window: { windowRecords: 100 }, filtered: false, after: [] });
    const messages = recorded("broken");
    const second = messages.findLastIndex(({ type }) => type === "hello");
    for (const message of messages.slice(0, second)) model.take(message as LogMessage, 1000);
    expect(seqs(model)).toEqual(range(1, 9));
    expect(model.view).toMatchObject({ resets: 1, notices: [{ type: "reset", afterSeq: 0 }] });
    const other = logModel("x", { window: { windowRecords: 100 }, filtered: false, after: [] });
    for (const message of messages.slice(second)) other.take(message as LogMessage, 1000);
    expect(other.view).toMatchObject({ firstSeq: 6, notices: [{ type: "gap", afterSeq: 3, beforeSeq: 6, lost: 2, proved: false }] });
  });

  test("of an event stream, of which the recording lacks all events with an id, are known to be incomplete", () => {
    expect(told("events").view.completeness).toEqual({ state: "missing", records: 16, lost: 16, ranges: [[1, 16]] });
  });

  test("of one socket for many reach the stores that they are for", async () => {
    const world = new World();
    const messages = recorded("many");
    const names = [...new Set(messages.flatMap((message) => ("execution_id" in message ? [message.execution_id ?? ""] : [])))];
    const stores = names.map((name) => world.client.log(name, { tail: 5, level: ["error"], step: ["load"] }));
    for (const store of stores) store.subscribe(nothing);
    const list = world.client.list();
    list.subscribe(nothing);
    (await world.opened()).hear(...messages);
    world.draw();
    const phases = stores.map((store) => [store.executionId, store.getSnapshot().link.phase]);
    expect(phases).toContainEqual(["nightly-4", "ended"]);
    expect(phases).toContainEqual(["later", "live"]);
    expect(phases).toContainEqual(["nobody", "refused"]);
    expect(stores[0]?.getSnapshot()).toMatchObject({ notices: [], windowFirst: 12, completeness: { state: "complete" } });
    expect(list.getSnapshot().loaded).toBe(true);
  });

  test("of the list are the list", () => {
    const model = listModel(100);
    for (const message of recorded("many")) {
      if (message.type === "watching" || message.type === "executions") model.take(message as ListMessage);
    }
    expect(model.view.loaded).toBe(true);
  });

  test("of refusals are refusals for good", () => {
    for (const message of recorded("refused")) expect(verdictOf(codeOf((message as ErrorMessage).code))).toBe("refused");
  });

  test("of signing in lead to a live viewer, and in the end to one that is signed out", async () => {
    const world = new World({ token: () => "t" });
    const store = world.client.log("nightly-5");
    store.subscribe(nothing);
    const messages = recorded("signed_in");
    const ofTheSocket = new Set(["auth", "expiring", "error"]);
    const about = (message: GatewayMessage): object =>
      ofTheSocket.has(message.type) ? message : { ...message, execution_id: "nightly-5" };
    const [first] = messages;
    world.now = first?.type === "auth" && "expires_at" in first ? (first.expires_at ?? 0) * 1000 - 600_000 : 0;
    (await world.opened()).hear(...messages.slice(0, -1).map(about));
    world.draw();
    expect(store.getSnapshot()).toMatchObject({ link: { phase: "live" }, lastSeq: 1 });
    world.socket.hear(...messages.slice(-1));
    world.socket.cut(4402);
    await world.settle();
    world.draw();
    expect(store.getSnapshot()).toMatchObject({ link: { phase: "signed_out", code: 4402 }, lastSeq: 1 });
  });
});
