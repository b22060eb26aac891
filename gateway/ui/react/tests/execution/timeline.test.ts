import { describe, expect, test } from "vitest";
import { fold } from "../../src/execution/fold.ts";
import { type StepRow, stepRows } from "../../src/execution/step_rows.ts";
import { anchorsOf, barsOf, spanOf, ticksOf, timeOfLine } from "../../src/execution/timeline.ts";
import { NOTHING_YET } from "../../src/execution/view.ts";
import { step, T0 } from "./records.ts";

const rows = (...records: Parameters<typeof fold>[1][number][]): readonly StepRow[] => stepRows(fold(NOTHING_YET, records));

describe("spanOf", () => {
  test("lasts from the first wait to now, while anything goes on", () => {
    const running = rows(step(1, 10, "load", "running", { waited_ms: 4_000 }));
    expect(spanOf(running, null, null, T0 + 30_000)).toEqual({ from: T0 + 6_000, until: T0 + 30_000 });
  });

  test("and to the end of what is over, whatever time it is", () => {
    const over = rows(step(1, 0, "load", "running"), step(2, 8, "load", "completed", { duration_ms: 8_000 }));
    expect(spanOf(over, T0, T0 + 9_000, T0 + 500_000)).toEqual({ from: T0, until: T0 + 9_000 });
    expect(spanOf([], null, null, null)).toBeNull();
  });
});

describe("barsOf", () => {
  const span = { from: T0, until: T0 + 100_000 };

  test("waiting stands before the run, and what goes on lasts to the end", () => {
    const [row] = rows(step(1, 50, "load", "running", { waited_ms: 10_000 }));
    expect(barsOf(row!, span).map(({ kind, left, width }) => [kind, left, width])).toEqual([["waited", 40, 10], ["run", 50, 50]]);
  });

  test("attempts stand one behind the other in one row", () => {
    const made = rows(
      step(1, 0, "load", "running", { step_id: "1", attempt: 1 }), step(2, 10, "load", "retried", { step_id: "1", duration_ms: 10_000, attempt: 1 }),
      step(3, 20, "load", "running", { step_id: "2", attempt: 2 }), step(4, 30, "load", "completed", { step_id: "2", duration_ms: 10_000, attempt: 2 }),
    );
    expect(made).toHaveLength(1);
    expect(barsOf(made[0]!, span).map(({ status, left, width }) => [status, left, width])).toEqual([["retried", 0, 10], ["completed", 20, 10]]);
  });

  test("a run whose worker is gone ends where it was heard last: nothing is made up", () => {
    const [row] = rows(step(1, 50, "load", "cancelled"));
    expect(barsOf(row!, span)).toEqual([]);
  });
});

test.each([
  [900, ["0", "200", "400", "600", "800"]],
  [13_000, ["0", "5000", "10000"]],
  [300_000, ["0", "60000", "120000", "180000", "240000", "300000"]],
  [40 * 24 * 3_600_000, ["0", "604800000", "1209600000", "1814400000", "2419200000", "3024000000"]],
])("ticks of %i ms stand at round times", (length, expected) => {
  expect(ticksOf({ from: 0, until: length }).map(({ at }) => String(at))).toEqual(expected);
});

test("a line between two that are known was made between them", () => {
  const anchors = anchorsOf(rows(step(10, 0, "load", "running"), step(20, 100, "load", "completed", { duration_ms: 100_000 })));
  expect(timeOfLine(15, anchors)).toBe(T0 + 50_000);
  expect(timeOfLine(5, anchors)).toBe(T0);
  expect(timeOfLine(99, anchors)).toBe(T0 + 100_000);
  expect(timeOfLine(1, [])).toBeNull();
});
