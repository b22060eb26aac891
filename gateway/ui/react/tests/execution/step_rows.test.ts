import { describe, expect, test } from "vitest";
import { failureOf, reasonOf } from "../../src/execution/failure.ts";
import { fold } from "../../src/execution/fold.ts";
import { doneOf, stepRows, tookMs } from "../../src/execution/step_rows.ts";
import { type ExecutionView, NOTHING_YET } from "../../src/execution/view.ts";
import { record, said, step, T0 } from "./records.ts";
import { state } from "./world.tsx";

const viewOf = (...records: Parameters<typeof fold>[1][number][]): ExecutionView => fold(NOTHING_YET, records);
const names = (view: ExecutionView): string[] => stepRows(view).map(({ depth, name, status }) => `${"- ".repeat(depth)}${name} ${status}`);

describe("stepRows", () => {
  test("steps within steps are a tree, parents before their parts", () => {
    const view = viewOf(
      step(1, 0, "region", "running"), step(2, 1, "extract", "running", { parent_step_id: "region" }),
      step(3, 2, "other", "running"), step(4, 3, "load", "running", { parent_step_id: "region" }),
    );
    expect(names(view)).toEqual(["region running", "- extract running", "- load running", "other running"]);
  });

  test("planned steps that have not begun come last, in the plan's order", () => {
    const view = viewOf(record(1, 0, { kind: "plan", steps: [{ name: "c" }, { name: "a" }, { name: "b" }] }), step(2, 1, "a", "running"));
    expect(names(view)).toEqual(["a running", "c pending", "b pending"]);
    expect(doneOf(stepRows(view), false)).toEqual({ done: 0, total: 3 });
  });

  test("a skipped step is done, unless it was skipped because the run failed", () => {
    const rows = stepRows(viewOf(step(1, 0, "a", "completed"), step(2, 1, "b", "skipped")));
    expect([doneOf(rows, false).done, doneOf(rows, true).done]).toEqual([2, 1]);
  });

  test("a step that runs again without an attempt is a row of its own", () => {
    const view = viewOf(step(1, 0, "a", "running", { step_id: "1" }), step(2, 1, "a", "completed", { step_id: "1" }), step(3, 2, "a", "running", { step_id: "2" }));
    expect(names(view)).toEqual(["a completed", "a running"]);
  });

  test("a step that is its own parent, or whose parent is not known, is at the top", () => {
    const view = viewOf(step(1, 0, "a", "running", { parent_step_id: "a" }), step(2, 0, "b", "running", { parent_step_id: "gone" }));
    expect(names(view)).toEqual(["a running", "b running"]);
  });

  test("all attempts count for how long it took", () => {
    const [row] = stepRows(viewOf(step(1, 0, "a", "retried", { step_id: "1", duration_ms: 1_000 }), step(2, 9, "a", "running", { step_id: "2" })));
    expect(tookMs(row!, T0 + 20_000)).toBe(21_000);
  });
});

describe("failureOf", () => {
  const failed = state({ status: "failed", reason: "KeyError: 'x'" });
  const TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 1, in load\n    store()\npsycopg.UniqueViolation: duplicate key\nDETAIL:  Key (id)=(1)';

  test("names the innermost failed step, not those around it", () => {
    const view = viewOf(
      step(1, 0, "outer", "running"), step(2, 0, "inner", "running", { parent_step_id: "outer" }),
      step(3, 1, "inner", "failed", { error_message: TRACEBACK }), step(4, 1, "outer", "failed", { error_message: "in inner" }),
    );
    expect(failureOf(failed, view)).toMatchObject({ stepName: "inner", seq: 3, message: "psycopg.UniqueViolation: duplicate key\nDETAIL:  Key (id)=(1)", detail: TRACEBACK });
  });

  test("leads to the step's own last error, and not to that of another step", () => {
    const run = [step(1, 0, "load", "running"), said(2, 1, "no such row", { level: "error", step_name: "load" }), step(3, 2, "load", "failed")];
    expect(failureOf(failed, viewOf(...run))).toMatchObject({ seq: 2, message: "no such row" });
    expect(failureOf(failed, viewOf(...run, said(4, 3, "elsewhere", { level: "error", step_name: "other" })))).toMatchObject({ seq: 3, stepName: "load" });
  });

  test("without steps and errors there is the reason; what has not failed has none", () => {
    expect(failureOf(failed, NOTHING_YET)).toMatchObject({ stepName: null, seq: null, message: "KeyError: 'x'" });
    expect(failureOf(state({ status: "cancelled" }), NOTHING_YET)).toBeNull();
    expect(failureOf(null, NOTHING_YET)).toBeNull();
  });

  test("before the steps are known, what the state tells leads there", () => {
    const told = { ...failed, last_error: { seq: 7, step_name: "load", message: "no rows", at: "" } };
    expect(failureOf(told, NOTHING_YET)).toMatchObject({ stepName: "load", seq: 7, message: "no rows" });
  });
});

test.each([["ValueError: x", "ValueError: x"], ["", ""], ["one\n  indented", "indented"]])("the reason of %j", (text, reason) => {
  expect(reasonOf(text)).toBe(reason);
});
