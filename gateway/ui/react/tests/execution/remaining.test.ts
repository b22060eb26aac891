import { describe, expect, test } from "vitest";
import { concernsOf } from "../../src/execution/concerns.ts";
import { type Estimate, estimate, type Shown, steadied } from "../../src/execution/remaining.ts";
import type { Sample } from "../../src/execution/view.ts";
import { T0 } from "./records.ts";
import { state } from "./world.tsx";

/** A value every second, from the beginning to *until*. */
const progress = (until: number, of: (seconds: number) => number): Sample[] => Array.from({ length: until + 1 }, (_, i) => [T0 + 1000 * i, of(i)] as const);
const at = (seconds: number) => T0 + 1000 * seconds;
const from = (samples: readonly Sample[], now: number, usual: { medianMs: number; finished: number } | null = null): Estimate =>
  estimate({ samples, startedAt: T0, now: at(now), usual });

describe("estimate", () => {
  test("an even progress leaves what its pace says", () => {
    expect(from(progress(60, (s) => s / 2), 60)).toMatchObject({ by: "progress", ms: expect.closeTo(140_000, -3) });
    expect(from(progress(60, (s) => s / 2), 64)).toMatchObject({ ms: expect.closeTo(136_000, -3) });
  });

  test.each([
    ["a few values are too early", progress(3, (s) => s), 3, "early"],
    ["a progress that is far faster now than before is too uneven", progress(90, (s) => (s < 60 ? s / 60 : 1 + (s - 60) * 2)), 90, "uneven"],
    ["one that stands still tells nothing", progress(90, (s) => Math.min(s, 30)), 90, "still"],
    ["nor does one that was not heard of for long", progress(60, (s) => s / 2), 200, "still"],
    ["nor one that goes back", progress(60, (s) => 90 - s), 60, "still"],
  ])("%s", (_name, samples, now, why) => {
    expect(from(samples, now)).toEqual({ by: "nothing", why });
  });

  test("without progress it is the rest of the usual time, if enough runs are known and it is not over", () => {
    const usual = { medianMs: 100_000, finished: 20 };
    expect(from([], 40, usual)).toEqual({ by: "usual", ms: 60_000, usual });
    expect(from([], 140, usual)).toEqual({ by: "nothing", why: "longer" });
    expect(from([], 40, { ...usual, finished: 2 })).toEqual({ by: "nothing", why: "none" });
    expect(from([], 40)).toEqual({ by: "nothing", why: "none" });
  });
});

describe("steadied", () => {
  const known = (ms: number): Estimate => ({ by: "usual", ms, usual: { medianMs: 1, finished: 9 } });
  const unknown: Estimate = { by: "nothing", why: "uneven" };
  const shown: Shown = { estimate: known(60_000), endsAt: at(60), otherwiseSince: null };

  test("small changes do not move the end that is shown; large ones do", () => {
    expect(steadied(shown, known(55_000), at(1)).endsAt).toBe(at(60));
    expect(steadied(shown, known(90_000), at(1)).endsAt).toBe(at(91));
  });

  test("for a moment of not knowing nothing changes, after a while it is told", () => {
    const first = steadied(shown, unknown, at(1));
    expect(first.endsAt).toBe(at(60));
    expect(steadied(first, known(58_000), at(2)).otherwiseSince).toBeNull();
    expect(steadied(first, unknown, at(3)).endsAt).toBe(at(60));
    expect(steadied(first, unknown, at(6)).endsAt).toBeNull();
  });

  test("the first time that is known is shown at once; after not knowing it has to last", () => {
    const never: Shown = { estimate: { by: "nothing", why: "early" }, endsAt: null, otherwiseSince: null };
    expect(steadied(never, known(9_000), at(1)).endsAt).toBe(at(10));
    const lost: Shown = { ...never, estimate: unknown };
    expect(steadied(lost, known(9_000), at(1)).endsAt).toBeNull();
  });
});

describe("concernsOf", () => {
  const looked = { execution: state(), workers: { open: 1, silent: 0 }, lastRecordAt: at(20), now: at(60), usual: null };

  test("a run that is heard of has none", () => {
    expect(concernsOf(looked)).toEqual([]);
  });

  test("silent workers, with how long nothing was heard", () => {
    expect(concernsOf({ ...looked, workers: { open: 2, silent: 1 } })).toEqual([{ kind: "silent", ms: 40_000, silent: 1, open: 2 }]);
  });

  test("slower than usual from twice the median on, when enough runs are known", () => {
    const usual = { medianMs: 20_000, finished: 12 };
    expect(concernsOf({ ...looked, usual })).toEqual([{ kind: "slow", times: 3, usual }]);
    expect(concernsOf({ ...looked, usual: { medianMs: 40_000, finished: 12 } })).toEqual([]);
    expect(concernsOf({ ...looked, usual: { medianMs: 20_000, finished: 4 } })).toEqual([]);
  });

  test("a lost worker, and nothing beside it; what is over has none", () => {
    const usual = { medianMs: 1, finished: 99 };
    expect(concernsOf({ ...looked, usual, execution: state({ status: "lost", reason: "worker lost: silent for 15 s" }) })).toEqual([{ kind: "lost", reason: "worker lost: silent for 15 s" }]);
    expect(concernsOf({ ...looked, usual, execution: state({ status: "completed" }) })).toEqual([]);
  });
});
