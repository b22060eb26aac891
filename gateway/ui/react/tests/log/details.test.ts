import type { LogRecord } from "@runtail/client";
import { expect, it } from "vitest";
import { detailsOf } from "../../src/log/details_dom.ts";
import { STRINGS } from "../../src/log/strings.ts";

function deep(levels: number): unknown {
  let value: unknown = "bottom";
  for (let i = 0; i < levels; i += 1) value = { down: value };
  return value;
}

function opened(input_data: unknown): HTMLElement {
  const record: LogRecord = { id: "1-0", seq: 1, execution_id: "a", timestamp: "2026-11-24T03:15:00Z", message: "hi", level: "info", input_data };
  return detailsOf(record, { strings: STRINGS, query: "", resized: () => {} });
}
const lines = (details: HTMLElement): string[] => [...details.querySelectorAll(".rt-node")].map((line) => line.textContent);
const heads = (details: HTMLElement): HTMLElement[] => [...details.querySelectorAll<HTMLElement>(".rt-branch-head")];

it("a branch is opened below its line, and closed with all that was opened in it", () => {
  const details = opened({ rows: { first: { n: 1 } }, ok: true });
  heads(details)[0]?.click();
  heads(details)[1]?.click();
  heads(details)[2]?.click();
  const open = ["▾ input_data 2 fields", "▾ rows 1 field", "▾ first 1 field", "n 1", "ok true"];
  expect(lines(details).slice(0, -1)).toEqual(open);
  heads(details)[1]?.click();
  expect(lines(details).slice(0, -1)).toEqual(["▾ input_data 2 fields", "▸ rows 1 field", "ok true"]);
  expect(heads(details).map((head) => head.getAttribute("aria-expanded"))).toEqual(["true", "false"]);
});

it("hundreds of levels are opened without an element in an element for each", () => {
  const details = opened(deep(300));
  let line = details.querySelector(".rt-node");
  for (let head = line?.querySelector("button"); head; head = line?.querySelector("button")) {
    head.click();
    line = line?.nextElementSibling ?? null;
  }
  expect(line?.textContent).toBe("down bottom");
  expect(line?.parentElement?.parentElement).toBe(details);
});
