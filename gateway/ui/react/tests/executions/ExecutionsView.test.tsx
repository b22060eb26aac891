import type { ExecutionState } from "@runtail/client";
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { type ReactElement, useState } from "react";
import { afterEach, expect, test } from "vitest";
import { MemoryClient } from "../../../app/src/gallery/memory.ts";
import { ALL_EXECUTIONS, ExecutionsView, type ExecutionsViewProps, type ListQuery, RuntailProvider } from "../../src/index.ts";

const NOW = Date.parse("2026-11-25T12:00:00Z");
const CLOCK = { now: () => NOW, onSecond: () => () => {} };
const ago = (seconds: number): string => new Date(NOW - seconds * 1000).toISOString();

const run = (n: number, more: Partial<ExecutionState> = {}): ExecutionState => ({
  id: `run-${n}`, workflow_id: "nightly", status: "completed", created_at: ago(n * 10), started_at: ago(n * 10), ended_at: ago(n * 10 - 8), last_seq: 40, ...more,
});
const runs = (count: number): readonly ExecutionState[] => Array.from({ length: count }, (_, n) => run(n));

interface Seen {
  readonly opened: string[];
  readonly together: [readonly string[], boolean][];
  readonly queries: [ListQuery, boolean][];
}

function show(client: MemoryClient, props: Partial<ExecutionsViewProps> = {}, first: Partial<ListQuery> = {}): Seen {
  const seen: Seen = { opened: [], together: [], queries: [] };
  function Page(): ReactElement {
    const [query, setQuery] = useState<ListQuery>({ ...ALL_EXECUTIONS, ...first });
    return (
      <ExecutionsView
        query={query} hrefOf={(id) => `/monitoring/executions/${id}`} onOpen={(id) => seen.opened.push(id)}
        onOpenSeveral={(ids, merged) => seen.together.push([ids, merged])}
        onQuery={(next, typing) => {
          seen.queries.push([next, typing]);
          setQuery(next);
        }}
        {...props}
      />
    );
  }
  render(
    <RuntailProvider client={client} clock={CLOCK}>
      <Page />
    </RuntailProvider>,
  );
  return seen;
}

afterEach(cleanup);

const rows = (): readonly string[] => screen.queryAllByRole("row").flatMap((row) => row.dataset["execution"] ?? []);
const row = (id: string): HTMLElement => document.querySelector<HTMLElement>(`[data-execution="${id}"]`)!;
const press = (key: string): boolean => fireEvent.keyDown(document.activeElement ?? document.body, { key });

test("of ten thousand executions the screen holds those in sight", () => {
  show(new MemoryClient([], runs(10_000)));
  expect(rows().length).toBeLessThan(40);
  expect(rows()[0]).toBe("run-0");
  expect(screen.getByRole("grid").getAttribute("aria-rowcount")).toBe("10001");
  expect(screen.getByText("10,000 executions")).toBeTruthy();
});

test("a row tells status, workflow, how far, how long against the usual, the last error, and notes", () => {
  const slow = run(1, { status: "running", started_at: ago(60), ended_at: null, progress: 42, notes: 2, last_error: { seq: 7, step_name: "store", message: "UniqueViolation: orders_pkey", at: ago(5) } });
  show(new MemoryClient([], [slow, run(2)]), { usual: new Map([["nightly", 20_000]]) });
  for (const words of ["running", "run-1", "nightly", "42 %", "1 min 00 s", "3 × slower", "UniqueViolation: orders_pkey", "2 notes"]) {
    expect(row("run-1").textContent).toContain(words);
  }
  expect(row("run-2").textContent).toContain("8.0 s");
  expect(row("run-2").textContent).toContain("usually 20 s");
  expect(row("run-2").textContent).not.toContain("slower");
});

test("a silent worker is seen before it counts as lost", () => {
  show(new MemoryClient([], [run(1, { status: "running", workers: { open: 1, silent: 1 } })]));
  expect(row("run-1").textContent).toContain("stalled");
});

test("keys move, open, choose, and open several together", () => {
  const seen = show(new MemoryClient([], runs(30)));
  for (const key of ["j", "j", "x", "j", "x", "k", "k"]) press(key);
  expect(row("run-0").dataset["active"]).toBe("true");
  press("Enter");
  expect(seen.opened).toEqual(["run-0"]);
  expect(screen.getByText("2 chosen")).toBeTruthy();
  press("o");
  press("m");
  expect(seen.together).toEqual([[["run-1", "run-2"], false], [["run-1", "run-2"], true]]);
  press("Escape");
  expect(screen.queryByText("2 chosen")).toBeNull();
});

test("the grid takes arrows, Home and End, and tells a screen reader where it is", () => {
  show(new MemoryClient([], runs(500)));
  const grid = screen.getByRole("grid");
  fireEvent.keyDown(grid, { key: "ArrowDown" });
  expect(document.getElementById(grid.getAttribute("aria-activedescendant") ?? "")?.dataset["execution"]).toBe("run-0");
  fireEvent.keyDown(grid, { key: "End" });
  fireEvent.scroll(grid);
  expect(rows()).toContain("run-499");
  fireEvent.keyDown(grid, { key: " " });
  expect(row("run-499").getAttribute("aria-selected")).toBe("true");
});

test("keys are letters where somebody types", () => {
  const seen = show(new MemoryClient([], runs(3)));
  press("/");
  const field = screen.getByRole("searchbox");
  expect(document.activeElement).toBe(field);
  fireEvent.keyDown(field, { key: "f" });
  expect(seen.queries).toEqual([]);
});

test("a click opens, a click with Ctrl is the browser's", () => {
  const seen = show(new MemoryClient([], runs(3)));
  fireEvent.click(within(row("run-1")).getByRole("link"), { ctrlKey: true });
  expect(seen.opened).toEqual([]);
  expect(within(row("run-1")).getByRole("link").getAttribute("href")).toBe("/monitoring/executions/run-1");
  fireEvent.click(row("run-2"));
  expect(seen.opened).toEqual(["run-2"]);
});

test("no more are chosen than can be open", () => {
  show(new MemoryClient([], runs(12)));
  for (let n = 0; n < 10; n += 1) fireEvent.click(within(row(`run-${n}`)).getByRole("checkbox"));
  expect(screen.getByText("8 chosen")).toBeTruthy();
  expect(screen.getByText("At most 8 can be open at once.")).toBeTruthy();
});

test("a filter says how many of how many it shows, and how to be rid of it", () => {
  const seen = show(new MemoryClient([], [run(1, { status: "failed" }), run(2), run(3)]));
  fireEvent.click(screen.getByRole("button", { name: "Failed" }));
  expect(rows()).toEqual(["run-1"]);
  expect(screen.getByText("1 of 3 executions")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Failed" }));
  fireEvent.click(screen.getByRole("button", { name: "Cancelled" }));
  expect(screen.getByText("No execution passes the filter.")).toBeTruthy();
  fireEvent.click(screen.getAllByRole("button", { name: "Clear filter" })[0]!);
  expect(rows()).toHaveLength(3);
  expect(seen.queries.every(([, typing]) => !typing)).toBe(true);
});

test("what is typed is looked for once it was typed, without a step back for each letter", async () => {
  const seen = show(new MemoryClient([], [run(1, { reason: "disk full" }), run(2)]));
  for (const value of ["d", "di", "disk"]) fireEvent.change(screen.getByRole("searchbox"), { target: { value } });
  expect(await screen.findByText("1 of 2 executions")).toBeTruthy();
  expect(seen.queries.map(([query, typing]) => [query.text, typing])).toEqual([["disk", true]]);
});

test("a column orders the list, a second press turns it", () => {
  show(new MemoryClient([], [run(1, { ended_at: ago(1) }), run(2, { ended_at: ago(19) }), run(3, { ended_at: ago(25) })]));
  const header = (): HTMLElement => screen.getByRole("columnheader", { name: /Duration/ });
  fireEvent.click(within(header()).getByRole("button"));
  expect(rows()).toEqual(["run-1", "run-3", "run-2"]);
  expect(header().getAttribute("aria-sort")).toBe("descending");
  fireEvent.click(within(header()).getByRole("button"));
  expect(rows()).toEqual(["run-2", "run-3", "run-1"]);
  expect(header().getAttribute("aria-sort")).toBe("ascending");
});

test("older pages are read to the end for a search, and it says how far it looked", async () => {
  const client = new MemoryClient([], runs(3), { next: "p1" });
  const pages: Record<string, ExecutionState[]> = { p1: [run(10), run(11, { reason: "the needle" })], p2: [run(20)] };
  const asked: unknown[] = [];
  client.rest.executions = (async (query: { cursor: string }) => {
    asked.push(query.cursor);
    return { executions: pages[query.cursor]!, next: query.cursor === "p1" ? "p2" : null };
  }) as never;
  show(client, {}, { text: "needle" });
  expect(await screen.findByText("1 of 6 executions")).toBeTruthy();
  expect(asked).toEqual(["p1", "p2"]);
  expect(rows()).toEqual(["run-11"]);
});

test("older pages that cannot be read say why, and the rest stays", async () => {
  const client = new MemoryClient([], runs(3), { next: "p1" });
  client.rest.executions = () => Promise.reject(new Error("the engine is away"));
  show(client);
  expect(await screen.findByText(/Older executions could not be read: the engine is away/)).toBeTruthy();
  expect(rows()).toHaveLength(3);
});

test("a list that begins anew shows what it showed until it is read again", async () => {
  const client = new MemoryClient([], runs(3), { next: null });
  show(client);
  client.rest.executions = () => new Promise(() => {});
  act(() => client.lists.change({ executions: runs(1), next: "p1", begun: 2 }));
  expect(rows()).toHaveLength(3);
  act(() => client.lists.change({ executions: runs(2), next: null }));
  expect(rows()).toHaveLength(2);
});

test("an empty list helps, one that is being read says so, one that is cut says so and stays", () => {
  const empty = <p>start something</p>;
  const client = new MemoryClient([], [], { loaded: false });
  show(client, { empty });
  expect(screen.getByText("Reading the list …")).toBeTruthy();
  act(() => client.lists.change({ loaded: true }));
  expect(screen.getByText("start something")).toBeTruthy();
  act(() => client.lists.change({ executions: runs(2), link: { phase: "retrying", attempt: 2, retryAt: 0, code: 1006 }, connectionStatus: "connecting" }));
  expect(rows()).toHaveLength(2);
  fireEvent.click(screen.getByRole("button", { name: "Reconnect" }));
  expect(client.lists.reconnects).toBe(1);
});

test("what comes in above moves nothing that is read; at the top it is seen at once", () => {
  const client = new MemoryClient([], runs(500));
  show(client);
  const grid = screen.getByRole("grid");
  act(() => client.lists.change({ executions: [run(-1), ...runs(500)] }));
  expect(grid.scrollTop).toBe(0);
  expect(rows()[0]).toBe("run--1");
  grid.scrollTop = 4_800;
  fireEvent.scroll(grid);
  act(() => client.lists.change({ executions: [run(-3), run(-2), run(-1), ...runs(500)] }));
  expect(grid.scrollTop).toBe(4_800 + 2 * 48);
});

test("the keys are told on ?", () => {
  show(new MemoryClient([], runs(2)));
  press("?");
  const dialog = screen.getByRole("dialog", { name: "Keys" });
  expect(dialog.textContent).toContain("open the chosen ones side by side");
  fireEvent.click(within(dialog).getByRole("button", { name: "Close" }));
  expect(screen.queryByRole("dialog")).toBeNull();
});
