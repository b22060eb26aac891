import type { LogRecord, StepRecord } from "@runtail/client";
import { describe, expect, it } from "vitest";
import { Folds } from "../../src/log/folds.ts";
import { foldedLines, sectionsOf, Steps } from "../../src/log/steps.ts";
import { record } from "./snapshots.ts";

const step = (seq: number, name: string, status: string, more: object = {}): StepRecord => record(seq, { kind: "step", step_name: name, status, ...more }) as StepRecord;
const here = (records: readonly LogRecord[]) => (seq: number): LogRecord | null => records.find((each) => each.seq === seq) ?? null;

describe("sections", () => {
  it("reach from a step's beginning to its end; one that goes on has none", () => {
    const sections = sectionsOf([step(1, "load", "running"), step(9, "load", "completed"), step(10, "save", "running")]);
    expect([...sections].map(([seq, { end, mixed }]) => [seq, end?.seq ?? null, mixed])).toEqual([[1, 9, false], [10, null, false]]);
  });

  it("of attempts are one each", () => {
    const sections = sectionsOf([step(1, "load", "running"), step(3, "load", "retried"), step(4, "load", "running"), step(8, "load", "failed")]);
    expect([...sections.values()].map(({ end }) => end?.status)).toEqual(["retried", "failed"]);
  });

  it("know steps that run at the same time from steps within", () => {
    const within = sectionsOf([step(1, "a", "running", { step_id: "1" }), step(2, "b", "running", { step_id: "2", parent_step_id: "1" }), step(5, "b", "completed", { step_id: "2" }), step(8, "a", "completed", { step_id: "1" })]);
    expect([...within.values()].map(({ mixed }) => mixed)).toEqual([false, false]);
    const beside = sectionsOf([step(1, "a", "running", { step_id: "1" }), step(2, "b", "running", { step_id: "2" }), step(5, "a", "completed", { step_id: "1" }), step(8, "b", "completed", { step_id: "2" })]);
    expect([...beside.values()].map(({ mixed }) => mixed)).toEqual([true, true]);
  });

  it("are known whatever order their records are seen in", () => {
    const steps = new Steps();
    expect(steps.see([step(9, "load", "completed"), record(10)])).toBe(true);
    expect(steps.see([step(1, "load", "running")])).toBe(true);
    expect(steps.see([step(1, "load", "running")])).toBe(false);
    expect(steps.sections.get(1)?.end?.seq).toBe(9);
    steps.withdraw(8);
    expect(steps.sections.get(1)?.end).toBeNull();
  });
});

describe("a folded step", () => {
  it("hides its lines, those to come too", () => {
    const [section] = sectionsOf([step(3, "load", "running")]).values();
    expect(foldedLines(section!, 50, () => null)).toEqual([{ first: 4, last: 50 }]);
  });

  it("leaves the lines of steps at the same time in sight", () => {
    const records = [step(1, "a", "running", { step_id: "1" }), step(2, "b", "running", { step_id: "2" }), record(3, { step_name: "a" }), record(4, { step_name: "b" }), record(5, { step_name: "a" }), record(6, { step_name: "a" }), step(7, "a", "completed", { step_id: "1" }), step(9, "b", "completed", { step_id: "2" })];
    const section = sectionsOf(records.filter((each) => each.kind === "step")).get(1)!;
    expect(foldedLines(section, 9, here(records))).toEqual([{ first: 3, last: 3 }, { first: 5, last: 7 }]);
  });

  it("is unfolded by whoever goes to a line in it", () => {
    const folds = new Folds();
    folds.steps.see([step(1, "a", "running"), step(9, "a", "completed"), step(10, "b", "running"), step(20, "b", "failed")]);
    folds.foldAll(true);
    expect([folds.isFolded(1), folds.isFolded(10)]).toEqual([true, false]); // the failed one stays open
    expect([folds.reveal(15, 20), folds.reveal(5, 20), folds.any]).toEqual([false, true, false]);
  });

  it("is opened when it fails, once: who folds it after that has it folded", () => {
    const folds = new Folds();
    folds.steps.see([step(1, "a", "running"), step(5, "b", "running", { step_id: "b" })]);
    folds.fold(1, true);
    folds.fold(5, true);
    folds.steps.see([step(9, "a", "failed")]);
    folds.openFailed();
    expect([folds.isFolded(1), folds.isFolded(5)]).toEqual([false, true]);
    folds.fold(1, true);
    folds.openFailed();
    expect(folds.isFolded(1)).toBe(true);
  });
});
