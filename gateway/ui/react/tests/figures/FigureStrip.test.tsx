import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { type ReactElement, useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { MemoryClient } from "../../../app/src/gallery/memory.ts";
import { linePoints, stacked } from "../../src/figures/chart.ts";
import { type Figures, FigureStrip, RuntailProvider, useFigures, useMedians } from "../../src/index.ts";

const minute = (n: number, started: number, completed: number, failed: number) => ({ minute: `2026-11-25T12:0${n}:00Z`, started, completed, failed, cancelled: 0 });
const FIGURES: Figures = {
  since: "", until: "", counted: 12, complete: false, success_rate: 0.964, records_per_second: 3.14159,
  per_minute: [minute(0, 4, 3, 1), minute(1, 2, 2, 0)],
  workflows: [{ workflow_id: "nightly", finished: 5, failed: 1, success_rate: 0.8, p50_ms: 61_000, p95_ms: null, history: [{ id: "n-1", ended_at: "", duration_ms: 900, status: "failed" }, { id: "n-2", ended_at: "", duration_ms: 1_800, status: "completed" }] }],
  steps: [{ workflow_id: "nightly", step_name: "load", runs: 4, failed: 1, p50_ms: 500, p95_ms: 9_000 }],
};

const workflows: string[] = [];

function Panel(): ReactElement {
  const [open, setOpen] = useState(false);
  return <FigureStrip {...useFigures()} running={2} open={open} onOpen={setOpen} onWorkflow={(name) => workflows.push(name)} />;
}

function show(client: MemoryClient): void {
  render(
    <RuntailProvider client={client}>
      <Panel />
    </RuntailProvider>,
  );
}

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const figure = (name: string): string | null | undefined => screen.getByText(name).parentElement?.querySelector("dd")?.textContent;

test("the strip tells what happened in the last hour, in figures and in a chart that has words", async () => {
  const client = new MemoryClient([]);
  const asked: unknown[] = [];
  client.rest.others = (path, { query }) => {
    asked.push([path, query]);
    return FIGURES;
  };
  show(client);
  await waitFor(() => expect(figure("Finished")).toBe("6"));
  expect(["Running", "Failed", "Success rate", "Records/s"].map(figure)).toEqual(["2", "1", "96 %", "3.1"]);
  expect(screen.getByRole("img", { name: "In the last 2 minutes 6 were started, 6 finished, 1 of them failed." }).querySelectorAll("rect")).toHaveLength(3);
  expect(asked).toEqual([["figures", { window_seconds: 3_600 }]]);
});

test("workflows and steps come when they are asked for; a workflow leads to its executions", async () => {
  const client = new MemoryClient([]);
  client.rest.others = () => FIGURES;
  show(client);
  await waitFor(() => expect(figure("Finished")).toBe("6"));
  expect(screen.queryByRole("table")).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Workflows and steps" }));
  const [all, steps] = screen.getAllByRole("table");
  expect(all!.textContent).toContain("of the newest 12 executions");
  const [, row] = within(all!).getAllByRole("row");
  expect(within(row!).getAllByRole("cell").map(({ textContent }) => textContent)).toEqual(["5", "1 20 %", "1 min 01 s", "–", "n-1: 0.9 s, failedn-2: 1.8 s, completed"]);
  expect(within(steps!).getAllByRole("row")[1]!.textContent).toContain("9.0 s");
  fireEvent.click(within(row!).getByRole("button", { name: "nightly" }));
  expect(workflows).toEqual(["nightly"]);
});

test("figures that cannot be had leave the page as it is, say so, and are asked for again", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const client = new MemoryClient([]);
  let answers = 0;
  client.rest.others = () => {
    answers += 1;
    if (answers === 2) throw new Error("the engine is away");
    return FIGURES;
  };
  show(client);
  await waitFor(() => expect(figure("Finished")).toBe("6"));
  await vi.advanceTimersByTimeAsync(15_000);
  expect(await screen.findByText("The figures are not up to date: the engine is away")).toBeTruthy();
  expect(figure("Finished")).toBe("6");
  await vi.advanceTimersByTimeAsync(15_000);
  await waitFor(() => expect(screen.queryByText(/not up to date/)).toBeNull());
});

test("what is usual is asked for over days", async () => {
  const client = new MemoryClient([]);
  const asked: unknown[] = [];
  client.rest.others = (_, { query }) => (asked.push(query), FIGURES);
  function Usual(): ReactElement {
    return <p>{[...useMedians()].join()}</p>;
  }
  render(
    <RuntailProvider client={client}>
      <Usual />
    </RuntailProvider>,
  );
  expect(await screen.findByText("nightly,61000")).toBeTruthy();
  expect(asked).toEqual([{ window_seconds: 604_800 }]);
});

test("nothing is asked while nobody looks", async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const client = new MemoryClient([]);
  let answers = 0;
  client.rest.others = () => ((answers += 1), FIGURES);
  show(client);
  await waitFor(() => expect(answers).toBe(1));
  const seen = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  await vi.advanceTimersByTimeAsync(60_000);
  expect(answers).toBe(1);
  seen.mockRestore();
  document.dispatchEvent(new Event("visibilitychange"));
  await waitFor(() => expect(answers).toBe(2));
});

test("bars stand on each other, and a line goes through its points", () => {
  expect(stacked([1, 3], 8, 40)).toEqual([{ y: 35, height: 5 }, { y: 20, height: 15 }]);
  expect(stacked([0, 0], 0, 40).every(({ height }) => height === 0)).toBe(true);
  expect(linePoints([0, 2, 4], 100, 40)).toBe("0,40 50,20 100,0");
  expect(linePoints([5], 100, 40)).toBe("0,0");
});
