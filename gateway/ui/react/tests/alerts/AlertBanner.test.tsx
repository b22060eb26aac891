import type { ExecutionState } from "@runtail/client";
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { type ReactElement, useCallback } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MemoryClient, MemoryLog } from "../../../app/src/gallery/memory.ts";
import { AlertBanner, ENGLISH, notify, NotifyButton, RuntailProvider, type ToldAlert, useAlerts, useOpened } from "../../src/index.ts";

const run = (id: string, status: ExecutionState["status"], more: Partial<ExecutionState> = {}): ExecutionState => ({ id, status, created_at: "", ...more });
const ERROR = { seq: 2, step_name: "store", message: "UniqueViolation: orders_pkey", at: "" };

function Page({ executions, tell }: { readonly executions: readonly ExecutionState[]; readonly tell: (alerts: readonly ToldAlert[]) => void }): ReactElement {
  const alerts = useAlerts(executions, useCallback(tell, [tell]));
  return <AlertBanner {...alerts} hrefOf={(id) => `/executions/${id}`} onOpen={(id) => opened.push(id)} />;
}

let opened: string[];
let told: string[];
const tell = (alerts: readonly ToldAlert[]): void => void told.push(...alerts.map(({ id, kind }) => `${id} ${kind}`));
beforeEach(() => {
  opened = [];
  told = [];
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function shown() {
  const log = new MemoryLog("a", [
    { id: "1-0", seq: 1, level: "info", message: "page 7 of 20" },
    { id: "2-0", seq: 2, level: "error", message: ERROR.message },
  ]);
  const client = new MemoryClient([log]);
  const page = (executions: readonly ExecutionState[]): ReactElement => (
    <RuntailProvider client={client}>
      <Page executions={executions} tell={tell} />
    </RuntailProvider>
  );
  const { rerender } = render(page([run("a", "running"), run("b", "running"), run("c", "failed")]));
  return (executions: readonly ExecutionState[]): void => rerender(page(executions));
}

test("a failure is told once, with its error and its last lines; it opens, and goes when it is dismissed", async () => {
  const change = shown();
  expect(screen.queryAllByRole("article")).toEqual([]);
  change([run("a", "failed", { last_error: ERROR }), run("b", "running"), run("c", "failed")]);
  const alert = await screen.findByRole("article");
  expect(alert.textContent).toContain("a failed");
  expect(alert.textContent).toContain(ERROR.message);
  expect(within(alert).getByRole("region", { name: "Last lines" }).textContent).toBe("page 7 of 20");
  change([run("a", "failed", { last_error: ERROR, reason: "said later" }), run("b", "running"), run("c", "failed")]);
  expect(told).toEqual(["a failed"]);
  fireEvent.click(within(alert).getByRole("link", { name: "Open" }));
  expect(opened).toEqual(["a"]);
  fireEvent.click(within(alert).getByRole("button", { name: "Dismiss the alert about a" }));
  expect(screen.queryAllByRole("article")).toEqual([]);
});

test("it is read out when it comes, without being an interruption", () => {
  shown();
  expect(screen.getByRole("region", { name: "Alerts" }).getAttribute("aria-live")).toBe("polite");
});

test("many at once are three, and a number", async () => {
  const many = (status: ExecutionState["status"]): readonly ExecutionState[] => Array.from({ length: 7 }, (_, n) => run(`r${n}`, status));
  const change = shown();
  change(many("running"));
  change(many("failed"));
  expect(await screen.findByText("and 4 more")).toBeTruthy();
  expect(screen.getAllByRole("article")).toHaveLength(3);
  expect(told).toHaveLength(7);
  fireEvent.click(screen.getByRole("button", { name: "Dismiss all" }));
  expect(screen.queryAllByRole("article")).toEqual([]);
});

test("what is open tells of its silent worker, whom no list knows of; a new record is no news", () => {
  const log = new MemoryLog("old-1", [], { execution: run("old-1", "running") });
  let renders = 0;
  function Opened(): ReactElement {
    const states = useOpened(["old-1"]);
    renders += 1;
    return <p>{states.map(({ id, status, workers }) => `${id} ${status} ${workers?.silent}`)}</p>;
  }
  render(
    <RuntailProvider client={new MemoryClient([log])}>
      <Opened />
    </RuntailProvider>,
  );
  expect(screen.getByText("old-1 running 0")).toBeTruthy();
  const before = renders;
  act(() => log.add({ id: "1-0", seq: 1, message: "one more" }));
  expect(renders).toBe(before);
  act(() => log.change({ workers: { open: 1, silent: 1 } }));
  expect(screen.getByText("old-1 running 1")).toBeTruthy();
});

function notifications(permission: NotificationPermission) {
  const made: { title: string; body: string }[] = [];
  const asked = vi.fn(() => Promise.resolve("granted"));
  class Shown {
    static permission = permission;
    static requestPermission = asked;
    constructor(title: string, { body }: { body: string }) {
      made.push({ title, body });
    }
  }
  vi.stubGlobal("Notification", Shown);
  return { made, asked };
}

test("the browser is asked by a press of the button alone", async () => {
  const { asked } = notifications("default");
  render(<NotifyButton />);
  expect(asked).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole("button", { name: "Notify me" }));
  expect(await screen.findByRole("button", { name: "Notifications on" })).toBeTruthy();
  expect(asked).toHaveBeenCalledOnce();
});

test("where notifications are refused, or there are none, nothing begs for them", () => {
  notifications("denied");
  render(<NotifyButton />);
  expect(screen.getByRole<HTMLButtonElement>("button").disabled).toBe(true);
  cleanup();
  vi.stubGlobal("Notification", undefined);
  render(<NotifyButton />);
  expect(screen.queryByRole("button")).toBeNull();
});

test("several alerts are one notification, and only while the page is out of sight", () => {
  const { made } = notifications("granted");
  const alert = (id: string): ToldAlert => ({ id, kind: "failed", state: run(id, "failed", { last_error: ERROR }), lines: ["page 7"] });
  notify([alert("a"), alert("b")], ENGLISH.alerts, () => {});
  expect(made).toEqual([]);
  vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
  notify([alert("a"), alert("b")], ENGLISH.alerts, () => {});
  expect(made).toEqual([{ title: "a failed", body: `${ERROR.message}\npage 7\nand 1 more` }]);
  vi.restoreAllMocks();
});
