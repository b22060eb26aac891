import { describe, expect, test } from "vitest";
import type { Note } from "../src/index.ts";
import { notesModel, notesStore } from "../src/notes.ts";
import { FakeSocket, World } from "./world.ts";

const note = (id: string, more: Partial<Note> = {}): Note => ({
  id, seq: 1, to_seq: null, text: id, author: null, created_at: "2026-11-25T12:00:00Z", edited_at: null, removed: false, ...more,
});

const HELLO = { type: "hello", execution_id: "a", execution: null, cursor: "1-0:0:-", first: null, last: null };

describe("notesModel", () => {
  test("holds notes by line, the newest text of each, and forgets what was removed for good", () => {
    const model = notesModel();
    model.take([note("2", { seq: 9 }), note("1", { seq: 3 })]);
    model.take([note("2", { seq: 9, text: "edited", edited_at: "2026-11-25T12:01:00Z" })]);
    model.take([note("2", { seq: 9, text: "old" })]);
    expect(model.notes.map(({ text }) => text)).toEqual(["1", "edited"]);
    model.take([note("1", { removed: true })]);
    model.take([note("1")]);
    expect(model.notes.map(({ id }) => id)).toEqual(["2"]);
    model.take([note("3")], true);
    expect(model.notes.map(({ id }) => id)).toEqual(["3"]);
  });
});

describe("notesStore", () => {
  test("shares the socket of the logs, goes on after the end, and resumes behind what it knows", async () => {
    const world = new World();
    world.client.log("a").subscribe(() => {});
    const store = notesStore(world.client, "a");
    store.subscribe(() => {});
    await world.settle();
    expect(FakeSocket.all).toHaveLength(1);
    const [socket] = FakeSocket.all;
    socket!.open();
    await world.settle();
    expect(socket!.of("subscribe_notes")).toEqual([{ type: "subscribe_notes", execution_id: "a" }]);
    socket!.hear(HELLO, { type: "end", execution_id: "a", status: "completed", totals: { first: 1, last: 0, records: 0, levels: {}, dropped: 0, bytes: 0 } });
    socket!.hear({ type: "notes", execution_id: "a", notes: [note("1")], all: true, notes_cursor: "5-0" });
    await world.settle();
    expect(store.getSnapshot()).toMatchObject({ loaded: true, notes: [{ id: "1" }] });
    socket!.cut();
    await world.pass(60_000);
    FakeSocket.all.at(-1)!.open();
    await world.settle();
    expect(FakeSocket.all.at(-1)!.of("subscribe_notes")).toEqual([{ type: "subscribe_notes", execution_id: "a", after: "5-0" }]);
  });

  test("what it lets go of is left by its own word, and the log stays", async () => {
    const world = new World();
    world.client.log("a").subscribe(() => {});
    const leave = notesStore(world.client, "a").subscribe(() => {});
    await world.settle();
    FakeSocket.all[0]!.open();
    await world.settle();
    leave();
    await world.pass(5_000);
    expect(FakeSocket.all[0]!.of("unsubscribe_notes")).toEqual([{ type: "unsubscribe_notes", execution_id: "a" }]);
    expect(FakeSocket.all[0]!.of("unsubscribe")).toEqual([]);
  });

  test("a refusal of notes does not concern the log; what does not exist yet is asked for again", async () => {
    const world = new World();
    const log = world.client.log("a");
    log.subscribe(() => {});
    notesStore(world.client, "a").subscribe(() => {});
    await world.settle();
    const [socket] = FakeSocket.all;
    socket!.open();
    socket!.hear(HELLO, { type: "error", execution_id: "a", notes: true, code: "not_found", message: "there is no execution a" });
    await world.settle();
    expect(log.getSnapshot().link.phase).toBe("replaying");
    await world.pass(5_100);
    expect(socket!.of("subscribe_notes")).toHaveLength(2);
  });

  test("where it is refused notes are asked for every few seconds", async () => {
    const world = new World();
    world.answer = () => Response.json({ notes: [note("1")], all: true, notes_cursor: "7-0" });
    const store = notesStore(world.client, "a");
    store.subscribe(() => {});
    await world.settle();
    FakeSocket.all[0]!.open();
    FakeSocket.all[0]!.cut(4403);
    await world.settle();
    await world.pass(5_100);
    expect(store.getSnapshot().notes.map(({ id }) => id)).toEqual(["1"]);
    expect(world.requests.map(({ address }) => address.replace(/^.*executions/, ""))).toEqual(["/a/notes", "/a/notes?after=7-0"]);
  });

  test("what is written is shown when it is answered; the key goes into a header", async () => {
    const world = new World();
    world.answer = (_address, { method }) => (method === "DELETE" ? new Response(null, { status: 204 }) : Response.json(note("1", { text: "hello" }), { status: 201 }));
    const store = notesStore(world.client, "a");
    const author = { name: "Maria", key: "secret" };
    await store.add({ text: "hello", seq: 4, to_seq: 6 }, author);
    expect(store.getSnapshot().notes.map(({ text }) => text)).toEqual(["hello"]);
    await store.remove("1", author);
    expect(store.getSnapshot().notes).toEqual([]);
    const [add, remove] = world.requests;
    expect(JSON.parse(String(add!.init.body))).toEqual({ text: "hello", seq: 4, to_seq: 6, author: "Maria" });
    expect(add!.init.headers).toMatchObject({ "Runtail-Author-Key": "secret", "Content-Type": "application/json" });
    expect([remove!.init.method, remove!.address]).toEqual(["DELETE", expect.stringMatching(/executions\/a\/notes\/1$/)]);
  });
});
