import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryLog } from "../../../app/src/gallery/memory.ts";
import { ExecutionPage, SeveralExecutions } from "../../src/index.ts";
import { overview, record, run, said, step, T0 } from "./records.ts";
import { settled, state, World } from "./world.tsx";

beforeEach(() => {
  Element.prototype.scrollIntoView ??= () => {};
});

const PLAN = { steps: [{ name: "extract" }, { name: "load", after: ["extract"] }, { name: "report", after: ["load"] }] };

describe("the plan", () => {
  test("is drawn with the live state of each step, and reached by arrows", async () => {
    const world = new World([], state());
    world.overview = overview(50, { plan: PLAN, runs: [run("extract", { status: "completed", duration_ms: 3_000 }), run("load", { attempt: 2, attempts: 3, first_seq: 20 })] });
    world.show(<ExecutionPage executionId="a" />);
    await settled();
    const plan = within(screen.getByRole("group", { name: /^Plan/ }));
    expect(plan.getAllByRole("button", { name: /^extract ?, completed, 3\.0 s$|^load ?, running, .*attempt 2 of 3, after extract$|^report ?, not begun, after load$/ })).toHaveLength(3);
    const [extract, load] = plan.getAllByRole("button");
    expect(plan.getAllByRole("button").map(({ tabIndex }) => tabIndex)).toEqual([0, -1, -1]);
    act(() => extract!.focus());
    fireEvent.keyDown(extract!, { key: "ArrowDown" });
    expect(document.activeElement).toBe(load);
  });

  test("appears when it comes, also when the run is under way", async () => {
    const world = new World([step(1, 0, "extract", "running")]);
    world.show(<ExecutionPage executionId="a" />);
    await settled();
    expect(screen.queryByRole("tab", { name: "Plan" })).toBeNull();
    act(() => world.log.add(record(2, 1, { kind: "plan", ...PLAN })));
    await settled();
    expect(screen.getByRole("tab", { name: "Plan", selected: true })).toBeTruthy();
    expect(screen.getByText("0 of 3 steps")).toBeTruthy();
  });
});

test("the time line leads to the lines of a step, and marks notes", async () => {
  const world = new World([], state());
  world.overview = overview(50, { runs: [run("load", { first_seq: 20 })] });
  world.notes.put({ seq: 20, text: "look here" });
  const told = vi.fn();
  world.show(<ExecutionPage executionId="a" tab="time" onLocationChange={told} />);
  await settled();
  fireEvent.click(screen.getByRole("button", { name: /^load ?, running/ }));
  await settled(50);
  expect(told).toHaveBeenCalledWith(expect.objectContaining({ line: { first: 20, last: 20 } }));
  fireEvent.click(screen.getByRole("button", { name: "Note: look here" }));
  expect(screen.getByRole("tab", { name: /Notes/, selected: true })).toBeTruthy();
});

test("links lead out by http alone, metrics are charts with words", async () => {
  const world = new World();
  world.overview = overview(9, {
    links: [{ name: "report", url: "https://x.example/r" }, { name: "bad", url: "javascript:alert(1)" }],
    metrics: [{ name: "rows", unit: "rows/s", samples: [[T0, 1], [T0 + 1000, 3]] }],
    parts: [{ name: "orders", progress: 50, done: 5, total: 10 }],
  });
  world.show(<ExecutionPage executionId="a" tab="values" />);
  await settled();
  const panel = within(screen.getByRole("tabpanel"));
  expect(panel.getAllByRole("link").map((link) => link.getAttribute("href"))).toEqual(["https://x.example/r"]);
  expect(panel.getByText("bad: javascript:alert(1)")).toBeTruthy();
  expect(panel.getByRole("img", { name: "rows: 3 rows/s now, between 1 and 3" })).toBeTruthy();
  expect(panel.getByRole("progressbar", { name: "Progress of orders" }).getAttribute("aria-valuenow")).toBe("50");
});

describe("notes", () => {
  test("are written for the selected lines, under the name that was given, and stand beside them", async () => {
    const world = new World([said(1, 0, "one"), said(2, 1, "two"), said(3, 2, "three")], state());
    world.show(<ExecutionPage executionId="a" line={[2, 3]} />);
    await settled();
    fireEvent.click(screen.getByRole("button", { name: "Note" }));
    const form = within(screen.getByRole("form", { name: "Note on lines 2–3" }));
    fireEvent.change(form.getByRole("textbox", { name: "What is there to see?" }), { target: { value: "  odd, isn't it?  " } });
    fireEvent.change(form.getByRole("textbox", { name: "Your name" }), { target: { value: "Maria" } });
    fireEvent.click(form.getByRole("button", { name: "Pin it" }));
    await settled();
    expect(world.notes.asked).toEqual([expect.stringContaining("add 2-3 odd, isn't it?")]);
    expect(world.asked).toContain("rename Maria");
    expect(screen.queryByRole("form")).toBeNull();
    expect(document.querySelector('.rt-row[data-seq="2"] .rt-note')?.textContent).toContain("odd, isn't it?");
    expect(document.querySelectorAll(".rt-noted")).toHaveLength(2);
  });

  test("of others come live, cannot be changed here, and go when they are removed", async () => {
    const world = new World([said(1, 0, "one")], state({ status: "completed" }), { link: { phase: "ended" } });
    world.show(<ExecutionPage executionId="a" tab="notes" />);
    await settled();
    act(() => world.notes.put({ id: "x", text: "<b>mine</b>", author: "Jo" }));
    expect(screen.getByText("<b>mine</b>")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Edit" })).toBeNull();
    act(() => world.notes.put({ id: "x", removed: true }));
    expect(screen.queryByText("<b>mine</b>")).toBeNull();
  });

  test("of one's own are edited, and removed after asking once more", async () => {
    const world = new World([said(1, 0, "one")]);
    world.wrote.add("x");
    world.notes.put({ id: "x", text: "first" });
    world.show(<ExecutionPage executionId="a" tab="notes" />);
    await settled();
    fireEvent.click(screen.getByRole("button", { name: "Edit" }));
    fireEvent.change(screen.getByRole("textbox"), { target: { value: "second" } });
    fireEvent.click(screen.getByRole("button", { name: "Save" }));
    fireEvent.click(await screen.findByRole("button", { name: "Remove" }, { timeout: 5_000 }));
    expect(within(screen.getByRole("list", { name: "Notes" })).getByText("second")).toBeTruthy();
    expect(world.notes.asked).toEqual(["edit x second"]);
    fireEvent.click(screen.getByRole("button", { name: "Remove" }));
    await waitFor(() => expect(world.notes.asked).toEqual(["edit x second", "remove x"]));
  });

  test("that are refused say so, and what was written stays", async () => {
    const world = new World([said(1, 0, "one")]);
    world.notes.fails = new Error("there are 1,000 notes, which is the most");
    world.show(<ExecutionPage executionId="a" line={1} />);
    await settled();
    fireEvent.click(screen.getByRole("button", { name: "Note" }));
    fireEvent.change(screen.getByRole("textbox", { name: "What is there to see?" }), { target: { value: "words" } });
    fireEvent.click(screen.getByRole("button", { name: "Pin it" }));
    expect((await screen.findByRole("alert")).textContent).toBe("It was not kept: there are 1,000 notes, which is the most");
    expect(screen.getByDisplayValue("words")).toBeTruthy();
  });
});

describe("what one can do", () => {
  test("cancelling asks once more, and then says that it was asked", async () => {
    const world = new World([], state({ cancellable: true }));
    world.show(<ExecutionPage executionId="a" />);
    await settled();
    fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
    expect(world.asked).toEqual([]);
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Yes, stop" }));
    fireEvent.click(screen.getByRole("button", { name: "Yes, stop" }));
    await waitFor(() => expect(screen.getByText("Asked to stop")).toBeTruthy());
    expect(world.asked).toEqual(["cancel a"]);
  });

  test("there is no cancelling where no worker listens, where it is over, or for who only reads", async () => {
    for (const [execution, readOnly] of [[state(), false], [state({ cancellable: true, status: "completed" }), false], [state({ cancellable: true }), true]] as const) {
      const { unmount } = new World([], execution).show(<ExecutionPage executionId="a" readOnly={readOnly} />);
      await settled();
      expect(screen.queryByRole("button", { name: "Cancel" })).toBeNull();
      unmount();
    }
  });

  test("sharing shows the link and when it expires", async () => {
    const world = new World();
    world.show(<ExecutionPage executionId="a" />);
    await settled();
    fireEvent.click(screen.getByRole("button", { name: "Share" }));
    const field = await screen.findByRole("textbox", { name: "Link" });
    expect((field as HTMLInputElement).value).toBe("http://here/monitoring/executions/a?share=s");
    expect(screen.getByText(/until .*2026/)).toBeTruthy();
    fireEvent.keyDown(field, { key: "Escape" });
    expect(screen.queryByRole("textbox", { name: "Link" })).toBeNull();
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Share" }));
  });
});

describe("what is wrong", () => {
  test("a silent worker, and since when", async () => {
    const world = new World([], state(), { workers: { open: 1, silent: 1 }, lastRecordAt: T0 + 20_000 });
    world.show(<ExecutionPage executionId="a" />);
    await settled();
    expect(screen.getByText("Stalled: the worker has been silent for 40 s")).toBeTruthy();
    expect(screen.getByRole("article").dataset["status"]).toBe("stalled");
    world.hand.pass(2_000);
    expect(screen.getByText("Stalled: the worker has been silent for 42 s")).toBeTruthy();
  });

  test("slower than usual", async () => {
    const world = new World([], state());
    world.usual = { medianMs: 20_000, finished: 12 };
    world.show(<ExecutionPage executionId="a" />);
    await settled();
    expect(screen.getByText(/^3 × slower than usual/)).toBeTruthy();
  });
});

test("title and icon of the tab tell the status first, and are put back", async () => {
  document.head.innerHTML = '<link rel="icon" href="http://here/favicon.svg">';
  document.title = "runtail";
  const world = new World([], state({ progress: 42 }));
  const { unmount } = world.show(<ExecutionPage executionId="a" inTitle />);
  await settled();
  expect(document.title).toBe("running 42 % · nightly");
  expect(document.querySelector("link")!.href).toMatch(/^data:image\/svg\+xml,/);
  act(() => world.log.change({ execution: state({ status: "failed" }) }));
  await settled();
  expect(document.title).toBe("failed · nightly");
  unmount();
  expect([document.title, document.querySelector("link")!.href]).toEqual(["runtail", "http://here/favicon.svg"]);
});

describe("several executions", () => {
  test("are one log, each with its name and colour, and can be left out", async () => {
    const world = new World([said(1, 0, "from a")]);
    world.client.logs.set("b", new MemoryLog("b", [said(1, 1, "from b")], { execution: state({ id: "b" }) }));
    const view = vi.fn();
    world.show(<SeveralExecutions executionIds={["a", "b"]} view="merged" onView={view} />);
    await settled();
    const lines = () => [...document.querySelectorAll(".rt-row[data-seq] .rt-body")].map((row) => row.textContent);
    expect(lines()).toEqual(["afrom a", "bfrom b"]);
    act(() => world.log.add(said(2, 5, "a again")));
    await settled();
    expect(lines()).toEqual(["afrom a", "bfrom b", "aa again"]);
    fireEvent.click(screen.getByRole("checkbox", { name: "Lines of a" }));
    await settled();
    expect(lines()).toEqual(["bfrom b"]);
    fireEvent.click(screen.getByRole("button", { name: "Side by side" }));
    expect(view).toHaveBeenCalledWith("side");
  });

  test("or stand side by side", async () => {
    const world = new World([said(1, 0, "from a")]);
    world.client.logs.set("b", new MemoryLog("b", [], { execution: state({ id: "b" }) }));
    world.show(<SeveralExecutions executionIds={["a", "b"]} view="side" onView={() => {}} actionsFor={(id) => <button type="button">close {id}</button>} />);
    await settled();
    expect(screen.getAllByRole("article").map((one) => one.getAttribute("aria-label"))).toEqual(["Execution a", "Execution b"]);
    expect(screen.getByRole("button", { name: "close b" })).toBeTruthy();
  });
});
