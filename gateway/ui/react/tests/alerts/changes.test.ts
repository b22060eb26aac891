import type { ExecutionState } from "@runtail/client";
import { expect, test } from "vitest";
import { Changes } from "../../src/alerts/changes.ts";

const run = (status: ExecutionState["status"], silent = 0, id = "a"): ExecutionState => ({ id, status, created_at: "", workers: { open: 1, silent } });

/** What each of *states*, one after another, alerts to. */
function told(...states: readonly ExecutionState[]): readonly (readonly string[])[] {
  const changes = new Changes();
  return states.map((state) => changes.take([state]).map(({ kind }) => kind));
}

test("a failure is told once, whatever comes after it", () => {
  expect(told(run("running"), run("failed"), run("failed"), { ...run("failed"), reason: "later words" })).toEqual([[], ["failed"], [], []]);
});

test("a silent worker is told when it falls silent, and again only after it spoke", () => {
  expect(told(run("running"), run("running", 1), run("running", 1), run("running"), run("running", 1))).toEqual([[], ["stalled"], [], [], ["stalled"]]);
});

test("a lost one is told as lost, and not once more when it counts as failed; one that came back may fail", () => {
  expect(told(run("running"), run("lost"), run("failed"))).toEqual([[], ["lost"], []]);
  expect(told(run("running"), run("lost"), run("running"), run("failed"))).toEqual([[], ["lost"], [], ["failed"]]);
});

test("what had failed before one came is no news, nor is what ends well", () => {
  expect(told(run("failed"))).toEqual([[]]);
  expect(told(run("lost"), run("lost"))).toEqual([[], []]);
  expect(told(run("running"), run("completed"))).toEqual([[], []]);
  expect(told(run("running"), run("cancelled"))).toEqual([[], []]);
});

test("several at once are told each", () => {
  const changes = new Changes();
  changes.take([run("running", 0, "a"), run("running", 0, "b"), run("running", 0, "c")]);
  const alerts = changes.take([run("failed", 0, "a"), run("running", 0, "b"), run("lost", 0, "c")]);
  expect(alerts.map(({ id, kind }) => `${id} ${kind}`)).toEqual(["a failed", "c lost"]);
});
