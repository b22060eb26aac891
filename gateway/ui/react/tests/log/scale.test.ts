import { describe, expect, it } from "vitest";
import { moved, scaleOf, toPhysical, toVirtual } from "../../src/log/scale.ts";

const ROWS = 10_000_000;
const big = scaleOf(ROWS * 20, 800);
const small = scaleOf(1000 * 20, 800);

describe("scale", () => {
  it("leaves a log alone that the browser can hold", () => {
    expect(small).toEqual({ virtual: 19_200, physical: 19_200 });
    expect(moved(small, 500, 500, 700, false)).toBe(700);
  });

  it("keeps the element of ten million rows within the bound", () => {
    expect(big.physical + 800).toBeLessThanOrEqual(12_000_000);
    expect(toVirtual(big, big.physical)).toBe(big.virtual);
    expect(toVirtual(big, 0)).toBe(0);
  });

  it("goes there and back", () => {
    for (let i = 0; i <= 1000; i += 1) {
      const top = (big.virtual * i) / 1000;
      expect(toVirtual(big, toPhysical(big, top))).toBeCloseTo(top, 4);
    }
  });

  it("never stands still nor turns back", () => {
    let before = -1;
    for (let i = 0; i <= 10_000; i += 1) {
      const place = toPhysical(big, (big.virtual * i) / 10_000);
      expect(place).toBeGreaterThan(before);
      before = place;
    }
  });

  it("is true to the pixel near both ends", () => {
    expect(toVirtual(big, 12_345)).toBe(12_345);
    expect(toVirtual(big, big.physical - 12_345)).toBe(big.virtual - 12_345);
  });

  it("moves by the wheel as far as the wheel says, also in the middle", () => {
    const top = big.virtual / 2;
    const place = toPhysical(big, top);
    expect(moved(big, top, place, place + 120, false)).toBe(top + 120);
  });

  it("goes where the thumb of the scroll bar stands", () => {
    expect(moved(big, 0, 0, big.physical / 2, true)).toBeCloseTo(big.virtual / 2, 0);
  });

  it("reaches both ends whatever it had drifted", () => {
    expect(moved(big, 5000, 300, 0, false)).toBe(0);
    expect(moved(big, big.virtual - 5000, big.physical - 300, big.physical, false)).toBe(big.virtual);
  });
});
