import { RequestFailed } from "@runtail/client";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { MemoryClient } from "../../../app/src/gallery/memory.ts";
import { RuntailProvider, StartDialog } from "../../src/index.ts";

function show(client = new MemoryClient([])) {
  const started: string[] = [];
  const asked: [string, unknown][] = [];
  client.rest.others ??= (path, { body }) => void asked.push([path, body]);
  render(
    <RuntailProvider client={client}>
      <StartDialog onClose={() => started.push("closed")} onStarted={(id) => started.push(id)} />
    </RuntailProvider>,
  );
  return { client, started, asked };
}

afterEach(cleanup);

const start = (): void => void fireEvent.click(screen.getByRole("button", { name: "Start" }));
const way = (name: string): void => void fireEvent.click(screen.getByRole("tab", { name }));

test("the demo runs under a new name, and is shown", async () => {
  const { client, started } = show();
  start();
  await waitFor(() => expect(started).toHaveLength(1));
  expect(client.rest.started).toEqual(started);
  expect(started[0]).toMatch(/^demo-\d{8}-\d{6}-[a-z0-9]{4}$/);
});

test("a workflow that was built is sent as its definition, under the id that was asked for", async () => {
  const { started, asked } = show();
  way("Build a workflow");
  fireEvent.change(screen.getByLabelText("Execution id"), { target: { value: "mine 1" } });
  fireEvent.click(screen.getByRole("button", { name: "Remove check" }));
  fireEvent.change(within(screen.getByRole("group", { name: "Step 3" })).getByLabelText("After"), { target: { value: "transform" } });
  start();
  await waitFor(() => expect(started).toEqual(["mine 1"]));
  expect(asked[0]![0]).toBe("executions/mine%201/start-streaming");
  expect(asked[0]![1]).toMatchObject({ name: "my-workflow", steps: [{ name: "extract" }, { name: "transform" }, { name: "load", after: ["transform"] }] });
});

test("what the gateway objects to stands at its field", async () => {
  const client = new MemoryClient([]);
  const errors = [{ path: "steps[3].after[1]", message: "check is no step" }, { path: "steps[1].seconds", message: "is 900, expected at most 600" }];
  client.rest.others = () => {
    throw new RequestFailed({ status: 400, code: "bad_request", detail: "it is no workflow", errors });
  };
  const { started } = show(client);
  way("Build a workflow");
  start();
  await screen.findByText("2 things are wrong with it:");
  const field = (step: number, name: string): HTMLElement => within(screen.getByRole("group", { name: `Step ${step}` })).getByLabelText(name);
  expect(field(4, "After").getAttribute("aria-invalid")).toBe("true");
  expect(document.getElementById(field(4, "After").getAttribute("aria-describedby")!)?.textContent).toBe("After: check is no step");
  expect(field(2, "Seconds").getAttribute("aria-invalid")).toBe("true");
  expect(field(1, "Step").getAttribute("aria-invalid")).toBe("false");
  expect(started).toEqual([]);
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Start" }).disabled).toBe(false);
});

test("what is pasted and is no JSON is said before anybody is asked; what is, goes as it is", async () => {
  const { started, asked } = show();
  way("Paste JSON");
  const area = screen.getByLabelText("Definition");
  fireEvent.change(area, { target: { value: "{" } });
  start();
  expect((await screen.findByRole("alert")).textContent).toContain("JSON");
  expect(asked).toEqual([]);
  fireEvent.change(area, { target: { value: '{"steps": [{"name": "a"}]}' } });
  start();
  await waitFor(() => expect(started).toHaveLength(1));
  expect(asked[0]![1]).toEqual({ steps: [{ name: "a" }] });
});

test("a refusal without a place is said as it is", async () => {
  const client = new MemoryClient([]);
  client.rest.startDemo = () => Promise.reject(new RequestFailed({ status: 503, code: "too_many", detail: "10 demo runs are under way" }));
  show(client);
  start();
  expect(await screen.findByText("The gateway did not start it: 10 demo runs are under way")).toBeTruthy();
});

test("one may only wait, for a worker that takes the same id", () => {
  const { started, client } = show();
  fireEvent.change(screen.getByLabelText("Execution id"), { target: { value: "real-1" } });
  expect(screen.getByRole("dialog").textContent).toContain("Real runs come from real workers, which may use the same execution id");
  fireEvent.click(screen.getByRole("button", { name: "Only wait for a worker" }));
  expect(started).toEqual(["real-1"]);
  expect(client.rest.started).toEqual([]);
});

test("arrows lead from one way to the next", () => {
  show();
  screen.getByRole("tab", { name: "Demo run" }).focus();
  fireEvent.keyDown(document.activeElement!, { key: "ArrowRight" });
  expect(screen.getByRole("tab", { name: "Build a workflow" }).getAttribute("aria-selected")).toBe("true");
  fireEvent.keyDown(document.activeElement!, { key: "ArrowLeft" });
  fireEvent.keyDown(document.activeElement!, { key: "ArrowLeft" });
  expect(document.activeElement).toBe(screen.getByRole("tab", { name: "Paste JSON" }));
});
