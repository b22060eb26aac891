import { act, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LogView } from "../../src/log/index.ts";
import { memory } from "./memory.ts";

const button = (name: RegExp | string): HTMLElement => screen.getByRole("button", { name });

describe("controls behind a button", () => {
  test("are opened by it, and closed by Escape, which goes back to it and closes nothing else", () => {
    const log = memory(20);
    const { container } = render(<LogView store={log} rest={log.rest} />);
    const more = button("More");
    const controls = document.getElementById(more.getAttribute("aria-controls")!)!;
    expect([more.getAttribute("aria-expanded"), controls.dataset["open"]]).toEqual(["false", "false"]);
    fireEvent.keyDown(container.querySelector(".rt-scroller")!, { key: "/" });
    fireEvent.click(more);
    expect([more.getAttribute("aria-expanded"), controls.dataset["open"]]).toEqual(["true", "true"]);
    controls.querySelector("button")!.focus();
    fireEvent.keyDown(document.activeElement!, { key: "Escape" });
    expect([more.getAttribute("aria-expanded"), document.activeElement]).toEqual(["false", more]);
    expect(screen.getByRole("search")).toBeTruthy();
  });

  test("are closed by a press elsewhere, and when the focus goes on", () => {
    const log = memory(20);
    const { container } = render(<LogView store={log} rest={log.rest} />);
    const more = button("More");
    fireEvent.click(more);
    fireEvent.pointerDown(button(/^Next error/));
    expect(more.getAttribute("aria-expanded")).toBe("true");
    fireEvent.pointerDown(container.querySelector(".rt-scroller")!);
    expect(more.getAttribute("aria-expanded")).toBe("false");
    fireEvent.click(more);
    act(() => more.focus());
    act(() => container.querySelector<HTMLElement>(".rt-scroller")!.focus());
    expect(more.getAttribute("aria-expanded")).toBe("false");
  });
});

describe("a log without a line to show", () => {
  test("says that a filter hides them, or that none came, or that it does not know yet", () => {
    const log = memory(20);
    const { container, rerender } = render(<LogView store={log} rest={log.rest} filter={{ levels: ["warning"], steps: [] }} />);
    const words = (): string | undefined | null => container.querySelector(".rt-empty")?.textContent;
    expect(words()).toBe("0 of 20 shown — filter: warning");
    const empty = memory(0);
    rerender(<LogView store={empty} rest={empty.rest} />);
    expect(words()).toBe("No lines yet");
    const snapshot = { ...empty.getSnapshot(), link: { phase: "connecting", attempt: 0 } as const };
    const connecting = { executionId: "run", subscribe: empty.subscribe, getSnapshot: () => snapshot, reconnect: () => {}, events: () => empty.events() };
    rerender(<LogView store={connecting} rest={empty.rest} />);
    expect(words()).toBe("loading …");
  });
});

describe("Ctrl+F and Cmd+F", () => {
  afterEach(() => vi.restoreAllMocks());

  test.each(["ctrlKey", "metaKey"] as const)("with %s is taken once, and given back while the search has the focus", (modifier) => {
    const log = memory(20);
    const { container } = render(<LogView store={log} rest={log.rest} />);
    const wasTaken = (on: Element): boolean => !fireEvent.keyDown(on, { key: "f", [modifier]: true });
    expect(wasTaken(container.querySelector(".rt-scroller")!)).toBe(true);
    const input = screen.getByRole("search").querySelector("input")!;
    expect(document.activeElement).toBe(input);
    expect(wasTaken(input)).toBe(false);
    expect(wasTaken(container.querySelector(".rt-scroller")!)).toBe(true); // from the lines it is the log's again
  });
});
