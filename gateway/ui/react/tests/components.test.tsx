import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import type { ReactElement, ReactNode } from "react";
import { renderToString } from "react-dom/server";
import { beforeEach, describe, expect, test } from "vitest";
import { MemoryClient, MemoryLog } from "../../app/src/gallery/memory.ts";
import {
  type Clock, ENGLISH, ExecutionLogViewer, type MonitoredExecution, RuntailProvider, StatusBadge, STATUSES, StatusDot, StringsProvider,
  WorkflowExecutionMonitor,
} from "../src/index.ts";
import { EPOCH, line, lines } from "./gateway.ts";

/** Let two frames be drawn. */
const drawn = async (): Promise<void> => {
  for (const _ of [1, 2]) await new Promise((done) => requestAnimationFrame(done));
};

/** A clock that goes on when it is told to. */
class Hand implements Clock {
  at = EPOCH;
  readonly #ticks = new Set<() => void>();
  now = (): number => this.at;
  onSecond = (tick: () => void): (() => void) => {
    this.#ticks.add(tick);
    return () => void this.#ticks.delete(tick);
  };

  get watchers(): number {
    return this.#ticks.size;
  }

  pass(ms: number): void {
    act(() => {
      this.at += ms;
      for (const tick of this.#ticks) tick();
    });
  }
}

let hand: Hand;
let client: MemoryClient;
beforeEach(() => {
  hand = new Hand();
  client = new MemoryClient([]);
});

const Around = ({ children }: { readonly children: ReactNode }): ReactElement => (
  <RuntailProvider client={client} clock={hand}>
    {children}
  </RuntailProvider>
);

const show = (element: ReactElement) => render(element, { wrapper: Around });

const started = (secondsAgo: number): string => new Date(EPOCH - secondsAgo * 1000).toISOString();

const execution = (changed: Partial<MonitoredExecution> = {}): MonitoredExecution => ({
  id: "a",
  workflow_id: "nightly",
  status: "running",
  created_at: started(5),
  progress: 40,
  ...changed,
});

const dotOf = (place: HTMLElement): string | undefined => place.querySelector<HTMLElement>(".runtail-link")?.dataset["status"];
const wordsOf = (place: HTMLElement): string | null | undefined => place.querySelector(".runtail-words")?.textContent;

describe("StatusDot", () => {
  const log = new MemoryLog("a", lines(1, 3));

  test.each(["connected", "connecting", "error", "disconnected"] as const)("says %s by its colour", (connectionStatus) => {
    const { container } = show(<StatusDot {...log.getSnapshot()} connectionStatus={connectionStatus} />);
    expect(dotOf(container)).toBe(connectionStatus);
  });

  test("counts the seconds since it last heard, and those until the next try", () => {
    const live = { ...log.getSnapshot(), lastHeardAt: EPOCH - 4_000, lastRecordAt: EPOCH - 60_000 };
    const { container, rerender } = show(<StatusDot {...live} />);
    expect(wordsOf(container)).toBe("live · quiet, last heard 4 s ago");
    hand.pass(3_000);
    expect(wordsOf(container)).toBe("live · quiet, last heard 7 s ago");
    rerender(<StatusDot {...live} link={{ phase: "retrying", attempt: 3, retryAt: hand.at + 5_000, code: 1006 }} />);
    hand.pass(1_000);
    expect(wordsOf(container)).toBe("reconnecting, try 3 in 4 s");
  });

  test("has no clock running where no second counts", () => {
    show(<StatusDot {...log.getSnapshot()} link={{ phase: "ended" }} />);
    expect(hand.watchers).toBe(0);
  });

  test("tells a screen reader of a change, not of each second", () => {
    show(<StatusDot {...log.getSnapshot()} lastHeardAt={EPOCH - 4_000} lastRecordAt={0} />);
    expect(screen.getByRole("status").textContent).toBe("live");
    hand.pass(9_000);
    expect(screen.getByRole("status").textContent).toBe("live");
  });
});

describe("StatusBadge", () => {
  const TONES = { pending: "muted", running: "running", completed: "ok", failed: "error", cancelled: "muted", stalled: "warning", lost: "lost" };

  test.each(STATUSES)("%s has an icon, a colour and a word", (status) => {
    const { container } = show(<StatusBadge status={status} />);
    expect(container.querySelector("svg")?.dataset["icon"]).toBe(status);
    expect(container.querySelector<HTMLElement>(".runtail-status")?.dataset["tone"]).toBe(TONES[status]);
    expect(screen.getByText(ENGLISH.status[status])).toBeTruthy();
  });

  test("a status that nobody knows is shown as it is told", () => {
    const { container } = show(<StatusBadge status="<b>odd</b>" />);
    expect(container.textContent).toBe("<b>odd</b>");
    expect(container.querySelector("svg")?.dataset["icon"]).toBe("unknown");
  });
});

describe("WorkflowExecutionMonitor", () => {
  const bar = (): HTMLElement | null => screen.queryByRole("progressbar");
  const duration = (container: HTMLElement): string | null | undefined => container.querySelector("time")?.textContent;

  test("shows a plain object without any gateway, also on a server", () => {
    const page = <WorkflowExecutionMonitor execution={execution({ status: "completed" })} />;
    expect(renderToString(page)).toContain("completed");
    const { container } = render(page);
    expect(container.textContent).toContain("nightly");
    expect(screen.getByText("completed")).toBeTruthy();
    expect(bar()?.getAttribute("aria-valuenow")).toBe("100");
  });

  test("running has a bar of its progress and counts its seconds", () => {
    const { container } = show(<WorkflowExecutionMonitor execution={execution()} />);
    expect(bar()?.getAttribute("aria-valuenow")).toBe("40");
    expect(bar()?.querySelector("rect")?.getAttribute("width")).toBe("40%");
    expect(duration(container)).toBe("5 s");
    hand.pass(57_000);
    expect(duration(container)).toBe("1 min 02 s");
    expect(container.querySelector("time")?.getAttribute("datetime")).toBe("PT62S");
  });

  test("running without known progress has a bar without a value", () => {
    show(<WorkflowExecutionMonitor execution={execution({ progress: null })} />);
    expect(bar()?.hasAttribute("aria-valuenow")).toBe(false);
    expect(bar()?.dataset["unknown"]).toBe("true");
  });

  test("its clock stands when it ends: where it says, or else where it was seen to", () => {
    const { container, rerender } = show(<WorkflowExecutionMonitor execution={execution()} />);
    hand.pass(4_000);
    rerender(<WorkflowExecutionMonitor execution={execution({ status: "failed" })} />);
    hand.pass(60_000);
    expect(duration(container)).toBe("9.0 s");
    rerender(<WorkflowExecutionMonitor execution={execution({ status: "failed", ended_at: started(-2) })} />);
    expect(duration(container)).toBe("7.0 s");
    expect(hand.watchers).toBe(0);
  });

  test("one that was over when it came, and does not say when it ended, has no duration", () => {
    const { container } = show(<WorkflowExecutionMonitor execution={execution({ status: "completed" })} />);
    hand.pass(60_000);
    expect(duration(container)).toBe(undefined);
  });

  test("shows words of others as they are, and what would act on the screen by its number", () => {
    const reason = "<img src=x onerror=alert(1)> \u202Etxt.exe\u202C \u0007";
    const { container } = show(<WorkflowExecutionMonitor execution={execution({ status: "failed", reason, workflow_id: "w\u200Bf" })} />);
    expect(container.querySelector(".runtail-reason")?.textContent).toBe("<img src=x onerror=alert(1)> <U+202E>txt.exe<U+202C> ^G");
    expect(container.querySelector(".runtail-workflow")?.textContent).toBe("w<U+200B>f");
    expect(container.querySelector("img")).toBe(null);
  });

  test("a reason without end is cut", () => {
    const { container } = show(<WorkflowExecutionMonitor execution={execution({ status: "failed", reason: "x".repeat(1_000_000) })} />);
    expect(container.querySelector(".runtail-reason")?.textContent).toHaveLength(2_001);
  });

  test("pending says how long it waits", () => {
    const { container } = show(<WorkflowExecutionMonitor execution={execution({ status: "pending", progress: null })} />);
    expect(duration(container)).toBe("waiting for 5 s");
    expect(bar()).toBe(null);
  });

  test("shows and hides its logs, and watches them only while they are shown", () => {
    const log = new MemoryLog("a", [line(1, "the first line")], { execution: null });
    client = new MemoryClient([log]);
    show(<WorkflowExecutionMonitor execution={execution()} />);
    expect(log.watchers).toBe(0);
    const button = screen.getByRole("button", { name: "Show logs" });
    expect(button.getAttribute("aria-expanded")).toBe("false");
    fireEvent.click(button);
    expect(screen.getByRole("button", { name: "Hide logs" }).getAttribute("aria-expanded")).toBe("true");
    expect(log.watchers).toBeGreaterThan(0);
    fireEvent.click(screen.getByRole("button", { name: "Hide logs" }));
    expect(log.watchers).toBe(0);
    expect(screen.queryByLabelText("Log of a")).toBe(null);
  });

  test("takes what the shown log tells of the execution, which is newer", () => {
    const log = new MemoryLog("a", [], { execution: { id: "a", status: "running", created_at: started(5), progress: 60 } });
    client = new MemoryClient([log]);
    show(<WorkflowExecutionMonitor execution={execution()} defaultOpen />);
    expect(bar()?.getAttribute("aria-valuenow")).toBe("60");
    act(() => log.change({ execution: { id: "a", status: "failed", created_at: started(5), progress: 61, reason: "no more disk" } }));
    expect(screen.getByText("failed")).toBeTruthy();
    expect(screen.getByText("no more disk")).toBeTruthy();
  });

  test("a clock that is behind shows no negative time, and no time is no time", () => {
    const { container, rerender } = show(<WorkflowExecutionMonitor execution={execution({ created_at: started(-90) })} />);
    expect(duration(container)).toBe("0 s");
    rerender(<WorkflowExecutionMonitor execution={execution({ created_at: "soon" })} />);
    expect(duration(container)).toBe(undefined);
  });
});

describe("ExecutionLogViewer", () => {
  test("shows what a log holds, and each change at once", async () => {
    const log = new MemoryLog("a", lines(1, 2));
    const { container } = show(<ExecutionLogViewer log={log} />);
    expect(await within(container).findByText("line 2")).toBeTruthy();
    act(() => log.add(line(3)));
    expect(await within(container).findByText("line 3")).toBeTruthy();
  });

  /** First and last line that are drawn: those in sight, and a dozen around. */
  const drawnLines = (container: HTMLElement): readonly [number, number] => {
    const seqs: readonly number[] = [...container.querySelectorAll<HTMLElement>(".rt-row")].map(({ dataset }) => Number(dataset["seq"]));
    return [seqs[0] ?? 0, seqs.at(-1) ?? 0];
  };

  test("scrolls along when new logs arrive, and for nothing else", async () => {
    const log = new MemoryLog("a", lines(1, 200), { lastHeardAt: EPOCH });
    const { container } = render(<ExecutionLogViewer log={log} rest={client.rest} />);
    await waitFor(() => expect(drawnLines(container)[1]).toBe(200));
    const [first] = drawnLines(container);
    expect(first).toBeGreaterThan(100);
    act(() => log.change({ lastHeardAt: EPOCH + 17_000, workers: { open: 1, silent: 1 } }));
    await drawn();
    expect(drawnLines(container)).toEqual([first, 200]);
    act(() => log.add(...lines(201, 203)));
    await waitFor(() => expect(drawnLines(container)).toEqual([first + 3, 203]));
  });

  test("leaves the reader where they are who scrolled away from the end, and counts what is new", async () => {
    const log = new MemoryLog("a", lines(1, 200));
    const { container } = render(<ExecutionLogViewer log={log} rest={client.rest} />);
    await waitFor(() => expect(drawnLines(container)[1]).toBe(200));
    const [first] = drawnLines(container);
    fireEvent.wheel(container.querySelector(".rt-scroller")!, { deltaY: -300 });
    act(() => log.add(...lines(201, 237)));
    expect((await screen.findAllByText(/37 new lines/)).length).toBeGreaterThan(0);
    await drawn();
    expect(drawnLines(container)[0]).toBe(first);
  });

  test("takes the log of an id from the client around, its end first", () => {
    client = new MemoryClient([new MemoryLog("a", lines(1, 2))]);
    show(<ExecutionLogViewer executionId="a" />);
    expect(client.log("a").watchers).toBeGreaterThan(0);
    expect(screen.getByLabelText("Log of a")).toBeTruthy();
  });

  test.each([
    ["retrying", { phase: "retrying", attempt: 1, retryAt: EPOCH, code: 1006 }],
    ["signed out", { phase: "signed_out", code: 4401, message: "no token" }],
    ["refused", { phase: "refused", code: 4404, reason: "not_found", message: "none" }],
    ["trying again", { phase: "connecting", attempt: 1 }],
  ] as const)("%s: a button reconnects at once", (_name, link) => {
    const log = new MemoryLog("a", [], { link });
    show(<ExecutionLogViewer log={log} />);
    fireEvent.click(screen.getByRole("button", { name: "Reconnect" }));
    expect(log.reconnects).toBe(1);
  });

  test.each([
    ["connecting for the first time", { phase: "connecting", attempt: 0 }],
    ["live", { phase: "live" }],
    ["ended", { phase: "ended" }],
  ] as const)("%s: there is nothing to reconnect", (_name, link) => {
    show(<ExecutionLogViewer log={new MemoryLog("a", [], { link })} />);
    expect(screen.queryByRole("button", { name: "Reconnect" })).toBe(null);
  });

  test("signed out says why, keeps its lines, and offers to sign in where somebody can", async () => {
    let asked = 0;
    const log = new MemoryLog("a", lines(1, 1), { connectionStatus: "error", link: { phase: "signed_out", code: 4402, message: "it expired" } });
    const { container } = show(<ExecutionLogViewer log={log} onSignIn={() => (asked += 1)} />);
    expect(dotOf(container)).toBe("error");
    expect(screen.getByText("it expired")).toBeTruthy();
    expect(await screen.findByText("line 1")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
    expect(asked).toBe(1);
  });

  test("shows the progress of what runs, unless it is told not to", () => {
    const log = new MemoryLog("a", [], { execution: { id: "a", status: "running", created_at: started(1), progress: 12 } });
    const { rerender } = show(<ExecutionLogViewer log={log} />);
    expect(screen.getByRole("progressbar").getAttribute("aria-valuenow")).toBe("12");
    rerender(<ExecutionLogViewer log={log} progress={false} />);
    expect(screen.queryByRole("progressbar")).toBe(null);
  });

  test("without an execution it says so", () => {
    show(<ExecutionLogViewer executionId={null} />);
    expect(screen.getByText("No execution is chosen.")).toBeTruthy();
  });

  test("renders on a server without a client", () => {
    const page = renderToString(<ExecutionLogViewer executionId="a" />);
    expect(page).toContain("connecting");
    expect(page).not.toContain("style=");
  });
});

describe("strings", () => {
  test("are replaced from around, the nearest first", () => {
    const log = new MemoryLog("a", [], { link: { phase: "signed_out", code: 4401, message: "" } });
    render(
      <RuntailProvider client={client} strings={{ viewer: { reconnect: "Neu verbinden" }, link: { signedOut: "abgemeldet" } }}>
        <StringsProvider strings={{ link: { signedOut: "ausgesperrt" } }}>
          <ExecutionLogViewer log={log} />
        </StringsProvider>
      </RuntailProvider>,
    );
    expect(screen.getByRole("button", { name: "Neu verbinden" })).toBeTruthy();
    expect(screen.getAllByText("ausgesperrt").length).toBeGreaterThan(0);
  });
});
