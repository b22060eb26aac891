import { act, render, renderHook, screen } from "@testing-library/react";
import { type ReactElement, type ReactNode, StrictMode } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { beforeEach, describe, expect, test } from "vitest";
import { type Clock, RuntailProvider, useConnectionDetails, useExecution, useExecutions, useWebSocketLogs } from "../src/index.ts";
import { cursorAt, Gateway, line, lines } from "./gateway.ts";

let gateway: Gateway;
beforeEach(() => {
  gateway = new Gateway();
});

const Around = ({ children }: { readonly children: ReactNode }): ReactElement => (
  <RuntailProvider client={gateway.client}>{children}</RuntailProvider>
);

const watch = (id: string | null = "a") => renderHook((executionId: string | null) => useWebSocketLogs(executionId), { wrapper: Around, initialProps: id });

const seqs = (logs: readonly { readonly seq: number }[]): readonly number[] => logs.map(({ seq }) => seq);

describe("useWebSocketLogs", () => {
  test("is connecting at first, with no logs", async () => {
    const { result } = watch();
    expect(result.current).toMatchObject({ logs: [], connectionStatus: "connecting", ended: false, signedOut: false });
    expect(typeof result.current.reconnect).toBe("function");
  });

  test("hands over history and then what is new, each once and in order", async () => {
    const { result } = watch();
    await gateway.accept();
    await gateway.hello("a", 3);
    expect(result.current.connectionStatus).toBe("connected");
    await gateway.records("a", ...lines(1, 3));
    await gateway.caughtUp("a", 3);
    await gateway.records("a", line(4));
    await gateway.records("a", line(4), line(5));
    expect(seqs(result.current.logs)).toEqual([1, 2, 3, 4, 5]);
    expect(result.current.link).toEqual({ phase: "live" });
    expect(result.current.execution).toMatchObject({ id: "a", status: "running" });
  });

  test("connects again by itself, resumes after what it has, and repeats nothing", async () => {
    const { result } = watch();
    await gateway.accept();
    await gateway.hello("a", 2);
    await gateway.records("a", ...lines(1, 2));
    await gateway.cut(1006);
    expect(result.current).toMatchObject({ connectionStatus: "connecting", link: { phase: "retrying", attempt: 1 } });
    expect(seqs(result.current.logs)).toEqual([1, 2]);
    await gateway.pass(60_000);
    await gateway.accept();
    expect(gateway.sockets.length).toBeGreaterThan(1);
    expect(gateway.socket.said.at(-1)).toMatchObject({ type: "subscribe", execution_id: "a", after: expect.arrayContaining([cursorAt(2)]) as unknown });
    await gateway.hello("a", 4);
    await gateway.records("a", ...lines(3, 4));
    expect(seqs(result.current.logs)).toEqual([1, 2, 3, 4]);
    expect(result.current.connectionStatus).toBe("connected");
  });

  test("reconnect asks at once, and is the same function from render to render", async () => {
    const { result, rerender } = watch();
    await gateway.accept();
    await gateway.cut(1012);
    const { reconnect } = result.current;
    rerender("a");
    expect(result.current.reconnect).toBe(reconnect);
    const before = gateway.sockets.length;
    reconnect();
    await gateway.pass();
    expect(gateway.sockets.length).toBe(before + 1);
  });

  test("tells a refusal as an error, with its words, and does not come again", async () => {
    const { result } = watch();
    await gateway.accept();
    await gateway.say({ type: "error", execution_id: "a", code: "not_found", message: "no execution a" });
    expect(result.current).toMatchObject({
      connectionStatus: "error",
      link: { phase: "refused", reason: "not_found" },
      error: { code: "not_found", message: "no execution a" },
    });
    const before = gateway.sockets.length;
    await gateway.pass(120_000);
    expect(gateway.sockets.length).toBe(before);
  });

  test("is signed out when its token is not taken, and keeps what it showed", async () => {
    const { result } = watch();
    await gateway.accept();
    await gateway.hello("a", 1);
    await gateway.records("a", line(1));
    await gateway.cut(4402);
    await gateway.pass(1_000);
    expect(result.current).toMatchObject({ connectionStatus: "error", signedOut: true });
    expect(seqs(result.current.logs)).toEqual([1]);
  });

  test("drops what a reset takes back, and says so", async () => {
    const { result } = watch();
    await gateway.accept();
    await gateway.hello("a", 3);
    await gateway.records("a", ...lines(1, 3));
    await gateway.say({ type: "reset", execution_id: "a", reason: "failover", cursor: cursorAt(1) });
    await gateway.records("a", line(2, "another second line"));
    expect(result.current.logs.map(({ message }) => message)).toEqual(["line 1", "another second line"]);
    expect(result.current.notices).toMatchObject([{ type: "reset", afterSeq: 1, withdrawn: 2 }]);
  });

  test("is over after the end, disconnected, and known to be whole", async () => {
    const { result } = watch();
    await gateway.accept();
    await gateway.hello("a", 2);
    const totals = { first: 1, last: 2, records: 2, levels: { info: 1 }, dropped: 0, bytes: 99 };
    await gateway.records("a", line(1), { id: line(2).id, seq: 2, kind: "end", status: "completed", totals });
    await gateway.say({ type: "end", execution_id: "a", status: "completed", totals });
    expect(result.current).toMatchObject({
      connectionStatus: "disconnected",
      ended: true,
      completeness: { state: "complete", records: 2 },
    });
  });

  test("null watches nothing, and another id lets the first one go", async () => {
    const { result, rerender } = watch(null);
    expect(result.current).toMatchObject({ logs: [], connectionStatus: "disconnected", link: { phase: "closed" } });
    result.current.reconnect();
    await gateway.pass(5_000);
    expect(gateway.sockets).toEqual([]);
    rerender("a");
    await gateway.accept();
    await gateway.hello("a", 1);
    await gateway.records("a", line(1, "of a"));
    rerender("b");
    expect(result.current).toMatchObject({ logs: [], connectionStatus: "connecting" });
    await gateway.pass(5_000);
    expect(gateway.socket.said).toContainEqual({ type: "unsubscribe", execution_id: "a" });
    expect(gateway.subscribed()).toEqual(["a", "b"]);
  });
});

describe("sharing", () => {
  test("two hooks on one execution share one subscription, and the last one to leave ends it", async () => {
    const one = watch();
    const two = watch();
    await gateway.accept();
    await gateway.hello("a", 1);
    await gateway.records("a", line(1));
    expect(gateway.subscribed()).toEqual(["a"]);
    expect(one.result.current.logs).toBe(two.result.current.logs);
    one.unmount();
    await gateway.pass(5_000);
    expect(gateway.open).toBe(1);
    two.unmount();
    await gateway.pass(5_000);
    expect(gateway.open).toBe(0);
  });

  test("several executions share one socket", async () => {
    watch("a");
    watch("b");
    await gateway.accept();
    expect(gateway.sockets.length).toBe(1);
    expect(gateway.subscribed()).toEqual(["a", "b"]);
  });

  test("under StrictMode, where it is mounted twice, it connects once", async () => {
    const { unmount } = renderHook(() => useWebSocketLogs("a"), {
      wrapper: ({ children }: { readonly children: ReactNode }) => (
        <StrictMode>
          <Around>{children}</Around>
        </StrictMode>
      ),
    });
    await gateway.accept();
    await gateway.pass(5_000);
    expect(gateway.sockets.length).toBe(1);
    expect(gateway.subscribed()).toEqual(["a"]);
    unmount();
    await gateway.pass(5_000);
    expect(gateway.open).toBe(0);
  });

  test("options that are spelled anew in each render do not connect anew", async () => {
    const { rerender } = renderHook(() => useWebSocketLogs("a", { tail: 10, level: ["error"] }), { wrapper: Around });
    await gateway.accept();
    rerender();
    rerender();
    await gateway.pass(5_000);
    expect(gateway.subscribed()).toEqual(["a"]);
    expect(gateway.socket.said.at(-1)).toMatchObject({ tail: 10, level: ["error"] });
  });
});

test("what tells quiet from dead is told in figures, by the second", async () => {
  let tick = (): void => {};
  const clock: Clock = { now: () => gateway.now, onSecond: (told) => ((tick = told), () => {}) };
  const wrapper = ({ children }: { readonly children: ReactNode }): ReactElement => (
    <RuntailProvider client={gateway.client} clock={clock}>{children}</RuntailProvider>
  );
  const { result } = renderHook(() => useConnectionDetails(useWebSocketLogs("a")), { wrapper });
  await gateway.accept();
  await gateway.hello("a", 1);
  await gateway.records("a", line(1));
  await gateway.caughtUp("a", 1);
  await gateway.pass(4_000);
  act(() => tick());
  expect(result.current).toMatchObject({ lastHeardMs: 4_000, retryInMs: null, attempt: 0, workerSilentMs: null });
  await gateway.say({ type: "beat", execution_id: "a", cursor: cursorAt(1), quiet_ms: 30_000, workers: { open: 1, silent: 1 } });
  expect(result.current).toMatchObject({ lastHeardMs: 0, workerSilentMs: 30_000 });
  await gateway.cut(1006);
  expect(result.current).toMatchObject({ attempt: 1, workerSilentMs: null });
  expect(result.current.retryInMs).toBeGreaterThan(0);
});

describe("unmounting", () => {
  const states: readonly (readonly [string, () => Promise<void>])[] = [
    ["before the socket opened", async () => gateway.pass()],
    ["before the greeting", async () => gateway.accept()],
    ["while history comes", async () => { await gateway.accept(); await gateway.hello("a", 3); await gateway.records("a", line(1)); }],
    ["while it is live", async () => { await gateway.accept(); await gateway.hello("a", 1); await gateway.records("a", line(1)); await gateway.caughtUp("a", 1); }],
    ["while it waits for the next try", async () => { await gateway.accept(); await gateway.hello("a", 1); await gateway.cut(1006); }],
    ["when it is signed out", async () => { await gateway.accept(); await gateway.cut(4401); await gateway.pass(10); }],
    ["when it was refused", async () => { await gateway.accept(); await gateway.say({ type: "error", execution_id: "a", code: "forbidden", message: "no" }); }],
  ];

  test.each(states)("%s leaves no socket and no timer that opens one", async (_name, reach) => {
    const { unmount } = watch();
    await reach();
    unmount();
    await gateway.pass(5_000);
    expect(gateway.open).toBe(0);
    const before = gateway.sockets.length;
    await gateway.pass(300_000);
    expect(gateway.sockets.length).toBe(before);
  });
});

function Count({ id }: { readonly id: string }): ReactElement {
  const { logs, connectionStatus } = useWebSocketLogs(id);
  return <p>{`${logs.length} logs, ${connectionStatus}`}</p>;
}

describe("on a server", () => {
  test("it renders as connecting, without a client and without a provider", () => {
    expect(renderToString(<Count id="a" />)).toBe("<p>0 logs, connecting</p>");
    const asked: string[] = [];
    const client = { ...gateway.client, log: (id: string) => (asked.push(id), gateway.client.log(id)) };
    renderToString(<RuntailProvider client={client}><Count id="a" /></RuntailProvider>);
    expect(asked).toEqual([]);
  });

  test("its markup is taken over without a difference, and goes live", async () => {
    const page = (
      <Around>
        <Count id="a" />
      </Around>
    );
    const place = document.body.appendChild(document.createElement("div"));
    place.append(...new DOMParser().parseFromString(renderToString(page), "text/html").body.childNodes);
    expect(gateway.sockets).toEqual([]);
    const differences: unknown[] = [];
    const root = hydrateRoot(place, page, { onRecoverableError: (error) => differences.push(error) });
    await gateway.accept();
    await gateway.hello("a", 2);
    await gateway.records("a", ...lines(1, 2));
    expect(place.textContent).toBe("2 logs, connected");
    expect(differences).toEqual([]);
    root.unmount();
    place.remove();
    await gateway.pass(5_000);
  });
});

describe("the list", () => {
  test("useExecutions shows the newest executions as they change, once for all who ask alike", async () => {
    const Names = (): ReactElement => <p>{useExecutions({ limit: 5 }).executions.map(({ id, status }) => `${id} ${status}`).join(", ")}</p>;
    render(<Around><Names /><Names /></Around>);
    await gateway.accept();
    const state = (id: string, status: string, at: number): object => ({ id, status, created_at: new Date(at).toISOString() });
    await gateway.say({ type: "watching", executions: [state("b", "running", 2), state("a", "running", 1)], next: null });
    await gateway.say({ type: "executions", executions: [state("a", "completed", 1)], removed: [] });
    expect(screen.getAllByText("b running, a completed")).toHaveLength(2);
    expect(gateway.socket.said.filter(({ type }) => type === "watch")).toHaveLength(1);
  });

  test("useExecution knows the state without reading the log", async () => {
    const { result } = renderHook(() => useExecution("a"), { wrapper: Around });
    expect(result.current).toBe(null);
    await gateway.accept();
    expect(gateway.socket.said.at(-1)).toMatchObject({ type: "subscribe", execution_id: "a", after: ["$"] });
    await gateway.hello("a", 900);
    expect(result.current).toMatchObject({ id: "a", status: "running", progress: 10 });
  });

  const Both = ({ logs }: { readonly logs: boolean }): ReactElement => (
    <Around>
      <State />
      {logs && <Count id="a" />}
    </Around>
  );
  const State = (): ReactElement => <b>{useExecution("a")?.status ?? "not known"}</b>;

  test("useExecution has no subscription of its own where the log is watched, and its state is the same", async () => {
    const { container } = render(<Both logs />);
    await gateway.accept();
    await gateway.hello("a", 1);
    await gateway.records("a", line(1));
    await gateway.pass(5_000);
    expect(gateway.sockets).toHaveLength(1);
    expect(gateway.socket.said.filter(({ type }) => type === "subscribe")).toHaveLength(1);
    expect(gateway.socket.said.at(-1)).not.toHaveProperty("after");
    expect(container.querySelector("b")?.textContent).toBe("running");
    await gateway.records("a", { id: line(2).id, seq: 2, kind: "status", status: "completed" });
    expect(container.querySelector("b")?.textContent).toBe("completed");
  });

  test("useExecution goes over to a log that is opened later, and back when it is closed, and knows its state all the time", async () => {
    const { container, rerender, unmount } = render(<Both logs={false} />);
    const said = (): string | null | undefined => container.querySelector("b")?.textContent;
    await gateway.accept();
    await gateway.hello("a", 1);
    expect([said(), gateway.socket.said.at(-1)?.["after"]]).toEqual(["running", ["$"]]);
    rerender(<Both logs />);
    expect(said()).toBe("running");
    await gateway.accept();
    await gateway.hello("a", 1, "stalled");
    await gateway.pass(5_000);
    expect([said(), gateway.open]).toEqual(["stalled", 1]);
    rerender(<Both logs={false} />);
    await gateway.pass(5_000);
    await gateway.accept();
    expect([said(), gateway.open, gateway.socket.said.at(-1)?.["after"]]).toEqual(["stalled", 1, ["$"]]);
    unmount();
    await gateway.pass(5_000);
    expect(gateway.open).toBe(0);
  });
});
