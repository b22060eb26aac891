import { describe, expect, it } from "vitest";
import { type Act, FOLLOWING, left, movedTo, newLines, Pace } from "../../src/log/follow.ts";

describe("follow", () => {
  it.each<Act>(["wheel", "key", "drag", "select", "jump"])("is left by the reader's own %s", (act) => {
    expect(left(FOLLOWING, act, 40)).toEqual({ mode: "reading", since: 40, by: act });
  });

  it("counts the lines since it was left, not since the last act", () => {
    const reading = left(left(FOLLOWING, "wheel", 40), "key", 60);
    expect(newLines(reading, 77)).toBe(37);
    expect(newLines(FOLLOWING, 77)).toBe(0);
  });

  it("is taken up again where the reader reaches the bottom, going down", () => {
    const reading = left(FOLLOWING, "wheel", 40);
    expect(movedTo(reading, 2, true)).toBe(FOLLOWING);
    expect(movedTo(reading, 3, true)).toBe(reading);
    expect(movedTo(reading, 0, false)).toBe(reading);
  });
});

const VIEW = { viewport: 800, rowHeight: 20, smooth: true };

/** Follow 60 frames a second for *seconds* while *perSecond* lines come. */
function followed(perSecond: number, seconds: number): { top: number; end: number; skipped: number; mostLag: number } {
  const pace = new Pace();
  let [rows, top, skipped, mostLag] = [40, 0, 0, 0];
  for (let frame = 1; frame <= seconds * 60; frame += 1) {
    const now = (frame * 1000) / 60;
    rows = 40 + Math.floor((perSecond * now) / 1000);
    pace.arrived(rows, now);
    const shown = Math.floor((top + 800) / 20);
    mostLag = Math.max(mostLag, pace.lagMs(shown, now));
    const step = pace.step({ ...VIEW, top, end: rows * 20 - 800, shown, rows }, now);
    top = step.top;
    skipped += step.skipped ? step.skipped.until - step.skipped.from : 0;
  }
  return { top, end: rows * 20 - 800, skipped, mostLag };
}

describe("pace", () => {
  it("shows every line while the screen keeps up", () => {
    const { top, end, skipped, mostLag } = followed(500, 10);
    expect(skipped).toBe(0);
    expect(mostLag).toBeLessThan(200);
    expect(end - top).toBeLessThan(800);
  });

  it("jumps to live when it is over two seconds behind, and says how many lines were skipped", () => {
    const { skipped, mostLag } = followed(5000, 10);
    expect(mostLag).toBeLessThan(2100);
    expect(skipped).toBeGreaterThan(10_000);
  });

  it("says of every line that it was shown or skipped", () => {
    const pace = new Pace();
    pace.arrived(100, 0);
    pace.arrived(10_000, 100);
    const { skipped, top } = pace.step({ ...VIEW, top: 100 * 20 - 800, end: 10_000 * 20 - 800, shown: 100, rows: 10_000 }, 2_200);
    expect(skipped).toEqual({ from: 100, until: 10_000 - 40 });
    expect(top).toBe(10_000 * 20 - 800);
  });

  it("does not take a filter for lines that wait", () => {
    const pace = new Pace();
    pace.arrived(10_000, 0);
    pace.arrived(50, 100);
    expect(pace.lagMs(50, 9_000)).toBe(0);
  });
});
