import { act, fireEvent, screen, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { ExecutionPage } from "../../src/index.ts";
import { overview, run, said, step, T0 } from "./records.ts";
import { settled, state, World } from "./world.tsx";

beforeEach(() => {
  Element.prototype.scrollIntoView ??= () => {};
});

describe("a run that goes on", () => {
  test("status, steps and elapsed time are there before the log says anything", async () => {
    const world = new World([], state());
    world.overview = overview(500, { runs: [run("load"), run("store", { first_seq: 40, status: "completed", ended_at: new Date(T0 + 9_000).toISOString(), duration_ms: 4_000 })] });
    world.show(<ExecutionPage executionId="a" />);
    await settled();
    expect(screen.getByRole("article", { name: "Execution a" }).dataset["status"]).toBe("running");
    expect(screen.getByRole("treeitem", { name: /^load ?, running, 1 min 00 s/ })).toBeTruthy();
    expect(screen.getByRole("treeitem", { name: /^store ?, completed, 4.0 s/ })).toBeTruthy();
    expect(screen.getByText("1 of 2 steps")).toBeTruthy();
  });

  test("a step is one click, or one key, away from its lines", async () => {
    const world = new World([step(1, 0, "load", "running"), said(2, 1, "first words"), step(3, 2, "load", "completed", { duration_ms: 2_000 })]);
    const told = vi.fn();
    world.show(<ExecutionPage executionId="a" onLocationChange={told} />);
    await settled();
    fireEvent.click(screen.getByRole("treeitem", { name: /^load/ }));
    await settled();
    expect(told).toHaveBeenCalledWith(expect.objectContaining({ line: { first: 1, last: 1 } }));
  });

  test("how many watch is told, when the gateway tells it", async () => {
    const world = new World([], state(), { viewers: 3 });
    world.show(<ExecutionPage executionId="a" />);
    await settled();
    expect(screen.getByText("3 watching")).toBeTruthy();
  });
});

test("a failed run shows its failing step and error on top, with a link to the line", async () => {
  const world = new World([], state({ status: "failed", ended_at: new Date(T0 + 30_000).toISOString() }));
  world.overview = overview(900, {
    runs: [run("load", { status: "failed", first_seq: 3, last_seq: 812, duration_ms: 12_000, attempt: 3, attempts: 3, error_message: "Traceback (most recent call last):\n  File \"x.py\"\nValueError: no rows" })],
  });
  const told = vi.fn();
  world.show(<ExecutionPage executionId="a" onLocationChange={told} />);
  await settled();
  const card = within(screen.getByRole("region", { name: "Failed in load" }));
  expect(card.getByText("ValueError: no rows")).toBeTruthy();
  expect(card.getByText("attempt 3 of 3 · 12 s")).toBeTruthy();
  fireEvent.click(card.getByRole("link", { name: "Line 812" }));
  await settled(50);
  expect(told).toHaveBeenCalledWith(expect.objectContaining({ line: { first: 812, last: 812 } }));
});

test("a run that does not exist yet is waited for, and says so", async () => {
  const world = new World([], null, { link: { phase: "live" } });
  world.overview = new Error("there is no execution a");
  world.show(<ExecutionPage executionId="a" />);
  await settled();
  expect(screen.getByText(/^Waiting for a: nothing has been published/)).toBeTruthy();
  act(() => {
    const { workflow_id: _, ...told } = state();
    world.services = Object.assign(world.services, { state: () => Promise.resolve(state()) });
    world.log.change({ execution: told });
    world.log.add(step(1, 0, "load", "running"));
  });
  await settled();
  expect(screen.queryByText(/^Waiting for a/)).toBeNull();
  expect(screen.getByText("nightly")).toBeTruthy(); // which records alone do not tell
  expect(screen.getByRole("treeitem", { name: /^load ?, running/ })).toBeTruthy();
});
