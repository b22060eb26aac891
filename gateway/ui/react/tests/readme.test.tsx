import { readFileSync } from "node:fs";
import { join } from "node:path";
import { act, render, renderHook, screen } from "@testing-library/react";
import { createElement } from "react";
import { expect, test, vi } from "vitest";
import { Errors } from "../examples/hook.tsx";
import { ENGLISH, RuntailProvider, StringsProvider, useStrings, useWebSocketLogs } from "../src/index.ts";
import { Gateway, line, lines } from "./gateway.ts";

const here = import.meta.dirname;
const readme = readFileSync(join(here, "../README.md"), "utf8");
const example = (name: string): string => readFileSync(join(here, "../examples", name), "utf8");

test.each(["ten-lines.tsx", "hook.tsx"])("the README shows %s as it is run here", (name) => {
  expect(readme).toContain(`\`\`\`tsx\n${example(name)}\`\`\``);
});

test("the README of the project shows the ten lines too", () => {
  expect(readFileSync(join(here, "../../../../README.md"), "utf8")).toContain(`\`\`\`tsx\n${example("ten-lines.tsx")}\`\`\``);
});

test("the ten lines are ten, and show the log of an execution", async () => {
  expect(example("ten-lines.tsx").trim().split("\n").filter((text) => text !== "")).toHaveLength(10);
  const gateway = new Gateway();
  vi.stubGlobal("WebSocket", gateway.environment.WebSocket);
  vi.stubGlobal("fetch", gateway.environment.fetch);
  const place = document.body.appendChild(document.createElement("div"));
  place.id = "root";
  await act(async () => void (await import("../examples/ten-lines.tsx")));
  await vi.waitFor(() => expect(gateway.sockets).toHaveLength(1));
  await gateway.accept();
  expect(gateway.subscribed()).toEqual(["nightly-1"]);
  await gateway.hello("nightly-1", 2);
  await gateway.records("nightly-1", ...lines(1, 2));
  expect(await screen.findByText("line 2")).toBeTruthy();
  expect(place.querySelector<HTMLElement>(".runtail-link")?.dataset["status"]).toBe("connected");
  vi.unstubAllGlobals();
});

test("the hook's example shows errors, and tries again when it is told to", async () => {
  const gateway = new Gateway();
  render(
    <RuntailProvider client={gateway.client}>
      <Errors executionId="a" />
    </RuntailProvider>,
  );
  await gateway.accept();
  expect(gateway.socket.said.at(-1)).toMatchObject({ type: "subscribe", execution_id: "a", level: ["error"] });
  await gateway.hello("a", 7);
  await gateway.records("a", line(7, "no space left", "error"));
  expect(screen.getByText("no space left")).toBeTruthy();
  expect(screen.getByRole("list").getAttribute("aria-label")).toBe("connected");
  await gateway.say({ type: "error", execution_id: "a", code: "deleted", message: "somebody deleted it" });
  await act(async () => screen.getByRole("button", { name: "Try again" }).click());
  await gateway.accept();
  expect(gateway.subscribed().length).toBeGreaterThan(0);
});

/** What the README names in the first column of the table that begins with *head*. */
function named(head: string): readonly string[] {
  const table = readme.slice(readme.indexOf(`| ${head} |`)).split("\n\n")[0] ?? "";
  return table.split("\n").flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ""));
}

test("the README names every field of the hook, and no other", () => {
  const { result } = renderHook(() => useWebSocketLogs(null));
  expect(named("field").toSorted()).toEqual(Object.keys(result.current).filter((key) => key !== "executionId").toSorted());
});

test("every variable that the README names is one of the styles'", () => {
  const styles = readFileSync(join(here, "../src/styles.css"), "utf8");
  const variables = named("variable").map((name) => `--runtail${name.replace("--runtail", "")}`).filter((name) => name !== "--runtail-wash");
  expect(variables.length).toBeGreaterThan(25);
  for (const variable of variables) expect(styles).toContain(`${variable}: `);
});

test("the words of the README's example are taken", () => {
  const Said = () => createElement("p", null, `${useStrings().status.running}, ${useStrings().lines(2)}, ${useStrings().status.lost}`);
  render(
    <StringsProvider strings={{ status: { running: "läuft" }, lines: (count) => (count === 1 ? "1 Zeile" : `${count} Zeilen`) }}>
      <Said />
    </StringsProvider>,
  );
  expect(screen.getByText(`läuft, 2 Zeilen, ${ENGLISH.status.lost}`)).toBeTruthy();
});
