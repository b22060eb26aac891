import type { ExecutionState } from "@runtail/client";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ALL_EXECUTIONS, CHOSEN_STATUSES, keeperOf, type ListQuery, narrows, needsAll, queryOf, queryParameters, sorted, SORTS, SPANS,
} from "../../src/executions/query.ts";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();
const run = (id: string, more: Partial<ExecutionState> = {}): ExecutionState => ({ id, status: "completed", created_at: ago(60), ...more });
const ids = (rows: readonly ExecutionState[]): readonly string[] => rows.map(({ id }) => id);
const kept = (all: readonly ExecutionState[], query: Partial<ListQuery>): readonly string[] => ids(all.filter(keeperOf({ ...ALL_EXECUTIONS, ...query }, NOW)));

const queries = fc.record<ListQuery>({
  status: fc.subarray([...CHOSEN_STATUSES]),
  workflow: fc.option(fc.string({ minLength: 1 })),
  within: fc.option(fc.constantFrom(...(Object.keys(SPANS) as (keyof typeof SPANS)[]))),
  text: fc.string(),
  sort: fc.constantFrom(...SORTS),
  turned: fc.boolean(),
});

test("what an address spells, it means", () => {
  fc.assert(
    fc.property(queries, (query) => {
      const spelled = new URLSearchParams(queryParameters(query).map(([name, value]) => [name, value]));
      expect(queryOf(new URLSearchParams(spelled.toString()))).toEqual(query);
    }),
  );
});

test("all executions need no word in the address", () => {
  expect(queryParameters(ALL_EXECUTIONS)).toEqual([]);
  expect(narrows(ALL_EXECUTIONS)).toBe(false);
});

describe("a filter keeps", () => {
  const all = [
    run("a", { status: "running", workflow_id: "nightly" }),
    run("b", { status: "failed", workflow_id: "nightly", created_at: ago(7_200), last_error: { seq: 3, step_name: "store", message: "UniqueViolation: orders", at: "" } }),
    run("c", { status: "failed", reason: "asked for by Simon" }),
  ];

  test.each<[Partial<ListQuery>, readonly string[]]>([
    [{}, ["a", "b", "c"]],
    [{ status: ["failed"] }, ["b", "c"]],
    [{ status: ["failed", "running"], workflow: "nightly" }, ["a", "b"]],
    [{ within: "1h" }, ["a", "c"]],
    [{ text: "uniqueviolation" }, ["b"]],
    [{ text: " SIMON " }, ["c"]],
    [{ text: "store" }, ["b"]],
    [{ text: "nightly", status: ["failed"] }, ["b"]],
    [{ text: "nowhere" }, []],
  ])("%o", (query, names) => {
    expect(kept(all, query)).toEqual(names);
  });
});

describe("in order", () => {
  const all = [
    run("new", { status: "running", created_at: ago(10), started_at: ago(10), progress: 20 }),
    run("long", { status: "completed", created_at: ago(500), started_at: ago(500), ended_at: ago(100) }),
    run("lost", { status: "lost", created_at: ago(600), started_at: ago(600), progress: 80 }),
    run("silent", { status: "running", created_at: ago(700), started_at: ago(700), workers: { open: 1, silent: 1 } }),
  ];

  test.each<[Partial<ListQuery>, readonly string[]]>([
    [{}, ["new", "long", "lost", "silent"]],
    [{ turned: true }, ["silent", "lost", "long", "new"]],
    [{ sort: "duration" }, ["silent", "lost", "long", "new"]],
    [{ sort: "duration", turned: true }, ["new", "long", "lost", "silent"]],
    [{ sort: "status" }, ["lost", "silent", "new", "long"]],
    [{ sort: "execution" }, ["long", "lost", "new", "silent"]],
    [{ sort: "progress" }, ["lost", "new", "long", "silent"]],
  ])("%o", (query, names) => {
    expect(ids(sorted(all, { ...ALL_EXECUTIONS, ...query }, NOW))).toEqual(names);
  });

  test("the newest first needs no older ones, any other order and a search need all", () => {
    expect(needsAll(ALL_EXECUTIONS)).toBe(false);
    expect(needsAll({ ...ALL_EXECUTIONS, status: ["failed"] })).toBe(false);
    for (const query of [{ text: "x" }, { sort: "duration" }, { turned: true }] as const) expect(needsAll({ ...ALL_EXECUTIONS, ...query })).toBe(true);
  });
});
