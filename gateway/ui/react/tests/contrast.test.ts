// @vitest-environment node
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const css = readFileSync(fileURLToPath(new URL("../src/styles.css", import.meta.url)), "utf8");

/** `--runtail-<name>` as it is in light and in dark. */
const COLORS = new Map(
  [...css.matchAll(/--runtail-([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [name!, { light: light!, dark: dark! }]),
);

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** As WCAG 2 reckons it: 1 … 21. */
function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (light! + 0.05) / (dark! + 0.05);
}

const GROUNDS = ["bg", "ground", "sunk", "hover"];
const TONES = ["error", "warning", "ok", "running", "lost", "muted"];
const TEXTS: readonly (readonly [string, string])[] = [
  ...GROUNDS.flatMap((ground) => ["fg", "muted", "accent"].map((text) => [text, ground] as const)),
  ...["bg", "ground"].flatMap((ground) => TONES.map((tone) => [tone, ground] as const)),
  ...TONES.flatMap((tone) => [[tone, `${tone}-wash`] as const, ["fg", `${tone}-wash`] as const]),
  ["muted", "running-wash"],
  ["on-accent", "accent"],
];
const SHAPES: readonly (readonly [string, string])[] = [
  ["line-strong", "bg"],
  ["accent", "bg"],
  ["accent", "ground"],
];

describe.each(["light", "dark"] as const)("in %s", (scheme) => {
  const color = (name: string): string => {
    const found = COLORS.get(name);
    if (found === undefined) throw new Error(`styles.css has no --runtail-${name} for light and dark`);
    return found[scheme];
  };

  test.each(TEXTS)("%s on %s is read with AA contrast", (text, ground) => {
    expect(contrast(color(text), color(ground))).toBeGreaterThanOrEqual(4.5);
  });

  test.each(SHAPES)("%s on %s is seen with AA contrast", (shape, ground) => {
    expect(contrast(color(shape), color(ground))).toBeGreaterThanOrEqual(3);
  });
});

test("black on white is 21, as the rule says", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
});
