import { describe, expect, it } from "vitest";
import { Heights } from "../../src/log/heights.ts";
import { numbers } from "./numbers.ts";

describe("heights", () => {
  it("sum up what was measured before a line", () => {
    const heights = new Heights();
    heights.set(3, 20);
    heights.set(700, 5);
    heights.set(9_999_999, 40);
    expect([3, 4, 700, 701, 9_999_999, 10_000_000].map((seq) => heights.before(seq))).toEqual([0, 20, 20, 25, 25, 65]);
    expect(heights.total).toBe(65);
  });

  it("agree with a plain list whatever is measured, in whatever order, and forgotten", () => {
    const heights = new Heights();
    const plain = Array.from({ length: 5000 }, () => 0);
    const next = numbers(7);
    for (let step = 0; step < 4000; step += 1) {
      const seq = next(5000);
      if (next(50) === 0) {
        const last = seq + next(300);
        heights.clear(seq, last);
        plain.fill(0, seq, last + 1);
      } else {
        const extra = next(10) * 4;
        heights.set(seq, extra);
        plain[seq] = extra;
      }
      const at = next(5001);
      expect(heights.before(at)).toBe(plain.slice(0, at).reduce((sum, each) => sum + each, 0));
    }
    expect(heights.total).toBe(plain.reduce((sum, each) => sum + each, 0));
  });

  it("say whether a measure is news", () => {
    const heights = new Heights();
    expect([heights.set(5, 12), heights.set(5, 12), heights.set(5, 0), heights.set(6, 0)]).toEqual([true, false, true, false]);
  });
});
