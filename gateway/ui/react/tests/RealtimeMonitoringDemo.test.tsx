import type { ExecutionState } from "@runtail/client";
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { MemoryClient } from "../../app/src/gallery/memory.ts";
import { RealtimeMonitoringDemo, type RealtimeMonitoringDemoProps, RuntailProvider } from "../src/index.ts";
import { WORKER } from "../src/snippet.ts";

const state = (id: string, status: ExecutionState["status"] = "completed"): ExecutionState => ({
  id,
  workflow_id: "nightly",
  status,
  created_at: "2026-11-25T12:00:00Z",
  ended_at: status === "running" ? null : "2026-11-25T12:00:09Z",
  last_seq: 1200,
});

function show(client: MemoryClient, props: RealtimeMonitoringDemoProps = {}) {
  return render(
    <RuntailProvider client={client}>
      <RealtimeMonitoringDemo {...props} />
    </RuntailProvider>,
  );
}

const panes = (): readonly string[] => screen.queryAllByRole("article").map((pane) => pane.dataset["execution"] ?? "");
const listed = (id: string): HTMLElement => within(screen.getByRole("navigation")).getByTitle(id);

test("with nothing to see it helps: a button that starts a run, and a worker to copy", () => {
  show(new MemoryClient([]));
  const empty = screen.getByRole("region", { name: "Nothing is being watched yet" });
  expect(within(empty).getByRole("button", { name: "Start new execution" })).toBeTruthy();
  expect(within(empty).getByRole("button", { name: "Copy" })).toBeTruthy();
  expect(empty.textContent).toContain("from runtail import Publisher");
  expect(WORKER.trimEnd().split("\n")).toHaveLength(10);
});

test("the button starts a new execution, and shows it", async () => {
  const client = new MemoryClient([]);
  show(client);
  fireEvent.click(screen.getAllByRole("button", { name: "Start new execution" })[0]!);
  await waitFor(() => expect(panes()).toHaveLength(1));
  expect(client.rest.started).toEqual(panes());
  expect(panes()[0]).toMatch(/^demo-\d{8}-\d{6}-[a-z0-9]{4}$/);
  fireEvent.click(screen.getByRole("button", { name: "Start new execution" }));
  await waitFor(() => expect(new Set(panes()).size).toBe(2));
});

test("a run that cannot be started says why, and the button is there again", async () => {
  const client = new MemoryClient([]);
  client.rest.startDemo = () => Promise.reject(new Error("too many demo runs"));
  show(client);
  fireEvent.click(screen.getAllByRole("button", { name: "Start new execution" })[0]!);
  expect(await screen.findByText("The gateway did not start it: too many demo runs")).toBeTruthy();
  expect(screen.getAllByRole<HTMLButtonElement>("button", { name: "Start new execution" })[0]!.disabled).toBe(false);
});

test("several are watched at once, each once, and closed one by one; the page is told", () => {
  const told: (readonly string[])[] = [];
  show(new MemoryClient([], [state("a"), state("b"), state("c")]), { onWatch: (ids) => told.push(ids) });
  for (const id of ["a", "b", "a"]) fireEvent.click(listed(id));
  expect(panes()).toEqual(["a", "b"]);
  expect(listed("a").getAttribute("aria-pressed")).toBe("true");
  expect(listed("c").getAttribute("aria-pressed")).toBe("false");
  fireEvent.click(screen.getByRole("button", { name: "Close a" }));
  expect(panes()).toEqual(["b"]);
  expect(document.activeElement).toBe(screen.getByRole("main"));
  expect(told).toEqual([["a"], ["a", "b"], ["b"]]);
});

test("more than eight at once are refused in words", () => {
  const ids = Array.from({ length: 9 }, (_, i) => `run-${i}`);
  show(new MemoryClient([], ids.map((id) => state(id))), { defaultWatched: ids.slice(0, 8) });
  fireEvent.click(listed("run-8"));
  expect(panes()).toHaveLength(8);
  expect(screen.getByRole("alert").textContent).toContain("8 executions are open");
});

test("who names nothing sees the newest running execution at once, and only once", () => {
  const client = new MemoryClient([], [], { loaded: false });
  show(client);
  expect(panes()).toEqual([]);
  act(() => client.lists.change({ loaded: true, executions: [state("old"), state("new", "running")] }));
  expect(panes()).toEqual(["new"]);
  fireEvent.click(screen.getByRole("button", { name: "Close new" }));
  act(() => client.lists.change({ executions: [state("newer", "running")] }));
  expect(panes()).toEqual([]);
});

test("who names one sees that one, and no other opens by itself", () => {
  show(new MemoryClient([], [state("new", "running")]), { defaultWatched: ["mine"] });
  expect(panes()).toEqual(["mine"]);
});

test("the list tells status, workflow, lines and duration, and when it is not live", () => {
  const client = new MemoryClient([], [state("a", "failed")]);
  show(client);
  expect(listed("a").textContent).toContain("failed");
  for (const fact of ["nightly", "1,200 lines", "9.0 s"]) expect(within(listed("a")).getByText(fact)).toBeTruthy();
  act(() => client.lists.change({ link: { phase: "retrying", attempt: 2, retryAt: 0, code: 1006 } }));
  const nav = screen.getByRole("navigation");
  expect(within(nav).getByRole("status").textContent).toContain("reconnecting, try 2");
  fireEvent.click(within(nav).getByRole("button", { name: "Reconnect" }));
  expect(client.lists.reconnects).toBe(1);
});
