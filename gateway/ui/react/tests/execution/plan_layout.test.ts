import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planLayout } from "../../src/execution/plan_layout.ts";
import { neighbour } from "../../src/execution/StepGraph.tsx";
import type { PlannedStep } from "../../src/execution/view.ts";

const SIZE = { width: 100, height: 40, gapX: 10, gapY: 20 };
const planned = (name: string, ...after: string[]): PlannedStep => ({ name, after, type: null });
const layers = (plan: readonly PlannedStep[]): Record<string, number> => Object.fromEntries(planLayout(plan, SIZE).steps.map(({ name, layer }) => [name, layer]));

describe("planLayout", () => {
  test("a step stands below all that it comes after", () => {
    expect(layers([planned("c", "a", "b"), planned("a"), planned("b", "a")])).toEqual({ a: 0, b: 1, c: 2 });
  });

  test("steps of a chain stand straight below each other", () => {
    const { steps, width } = planLayout([planned("a"), planned("b", "a"), planned("c", "b")], SIZE);
    expect(steps.map(({ x, y }) => [x, y])).toEqual([[0, 0], [0, 60], [0, 120]]);
    expect(width).toBe(100);
  });

  test("circles, unknown names, itself and names told twice are drawn without what makes no sense", () => {
    const plan = [planned("a", "b", "a"), planned("b", "a", "nowhere"), planned("c", "b", "b")];
    const { steps, edges } = planLayout(plan, SIZE);
    expect(steps).toHaveLength(3);
    expect(edges.map(({ from, to }) => `${from} ${to}`).toSorted()).toEqual(["b a", "b c"]);
  });

  test("one step, and none", () => {
    expect(planLayout([planned("a")], SIZE)).toMatchObject({ width: 100, height: 40, broadest: 1 });
    expect(planLayout([], SIZE)).toMatchObject({ steps: [], width: 0, height: 0 });
  });

  test("a hundred steps are laid out at once", () => {
    const plan = Array.from({ length: 100 }, (_, i) => planned(`s${i}`, ...(i < 10 ? [] : [`s${i - 10}`, `s${(i * 7) % i}`])));
    const began = performance.now();
    expect(planLayout(plan, SIZE).steps).toHaveLength(100);
    expect(performance.now() - began).toBeLessThan(500);
  });

  test("whatever the plan, steps do not overlap, all are inside, and every edge leads down", () => {
    const plans = fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { maxLength: 30 }).map((all) => all.map((after, i) => planned(`s${i}`, ...after.map((j) => `s${j}`))));
    fc.assert(
      fc.property(plans, (plan) => {
        const { steps, edges, width, height } = planLayout(plan, SIZE);
        expect(steps.map(({ name }) => name).toSorted()).toEqual(plan.map(({ name }) => name).toSorted());
        for (const a of steps) {
          expect(a.x >= 0 && a.x + SIZE.width <= width + 1 && a.y + SIZE.height <= height).toBe(true);
          for (const b of steps) if (a !== b && a.layer === b.layer) expect(Math.abs(a.x - b.x)).toBeGreaterThanOrEqual(SIZE.width);
        }
        const layer = new Map(steps.map((step) => [step.name, step.layer]));
        for (const { from, to } of edges) expect(layer.get(from)!).toBeLessThan(layer.get(to)!);
      }),
    );
  });
});

test("arrows lead beside, above and below, and nowhere at the border", () => {
  const layout = planLayout([planned("a"), planned("b"), planned("c", "a", "b")], SIZE);
  const to = (from: string, key: string): string | undefined => neighbour(layout, from, key)?.name;
  expect(to("a", "ArrowRight") ?? to("a", "ArrowLeft")).toBe("b");
  expect(to("a", "ArrowDown")).toBe("c");
  expect(["a", "b"]).toContain(to("c", "ArrowUp"));
  expect(to("c", "ArrowDown")).toBeUndefined();
  expect(to("a", "x")).toBeUndefined();
});
