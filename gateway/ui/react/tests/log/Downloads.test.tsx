import { fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, test, vi } from "vitest";
import { LogView } from "../../src/log/index.ts";
import { memory } from "./memory.ts";

interface Asked {
  readonly path: string;
  readonly query: object | undefined;
}

/** A view whose gateway answers a wish for a ticket so; what was asked, and what was saved. */
function viewed(ticket: () => Promise<unknown>, address = (format: string) => `http://gateway/executions/run/logs.${format}`) {
  const log = memory(3);
  const asked: Asked[] = [];
  const saved: string[] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    saved.push(`${this.download} ${this.href}`);
  });
  const rest = {
    ...log.rest,
    downloadUrl: (_: string, format: string) => address(format),
    ask: (path: string, request?: { readonly query?: object }) => {
      asked.push({ path, query: request?.query });
      return ticket() as Promise<never>;
    },
  };
  render(<LogView store={log} rest={rest} />);
  return { asked, saved };
}

describe("downloads", () => {
  afterEach(() => vi.restoreAllMocks());

  test("carry a ticket for a moment where people sign in, as an address can carry no token", async () => {
    const { asked, saved } = viewed(() => Promise.resolve({ query: "share=abc" }));
    fireEvent.click(screen.getByText("NDJSON, whole log"));
    await vi.waitFor(() => expect(saved).toEqual(["memory.ndjson http://gateway/executions/run/logs.ndjson?share=abc"]));
    expect(asked).toEqual([{ path: "executions/memory/share", query: { expires_in_seconds: 60 } }]);
  });

  test("go without where nobody signs in", async () => {
    const { saved } = viewed(() => Promise.reject(new Error("nobody signs in here")));
    fireEvent.click(screen.getByText("Text, whole log"));
    await vi.waitFor(() => expect(saved).toEqual(["memory.txt http://gateway/executions/run/logs.txt"]));
  });

  test("by a share link use that link", async () => {
    const { asked, saved } = viewed(() => Promise.reject(new Error("no")), (format) => `http://gateway/logs.${format}?share=own`);
    fireEvent.click(screen.getByText("Text, whole log"));
    await vi.waitFor(() => expect(saved).toEqual(["memory.txt http://gateway/logs.txt?share=own"]));
    expect(asked).toEqual([]);
  });

  test("raw is opened at once, and led to the log when the ticket is there", async () => {
    viewed(() => Promise.resolve({ query: "share=abc" }));
    const replace = vi.fn();
    const tab = { opener: window, location: { replace } };
    vi.spyOn(window, "open").mockReturnValue(tab as unknown as Window);
    fireEvent.click(screen.getByText("Raw, in a tab"));
    expect(tab.opener).toBeNull();
    await vi.waitFor(() => expect(replace).toHaveBeenCalledWith("http://gateway/executions/run/logs.txt?inline=1&share=abc"));
  });
});
