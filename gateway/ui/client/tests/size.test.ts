/** What a page pays for: what it loads at once, and what it loads when it is needed. */

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { expect, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const LATER = /\/(event-wires|log-events|rest)\.ts$/;

/** Bundle *entry* and minify it, as a page's bundler does; but for what comes *later*. */
async function bundled(entry: string, later: RegExp): Promise<string> {
  const bundle = await rolldown({ input: here(entry), external: later, logLevel: "silent" });
  const { output } = await bundle.generate({ format: "es", minify: true });
  await bundle.close();
  expect(output).toHaveLength(1);
  return output[0].code;
}
const gzipped = (code: string): number => gzipSync(code, { level: 9 }).length;

test("what a page loads at once is at most 7 KB", async () => {
  const code = await bundled("../src/index.ts", LATER);
  expect(code).toContain("createClient");
  expect(gzipped(code)).toBeLessThanOrEqual(7 * 1024);
});

test.each(["event-wires", "log-events", "rest"])("%s, which comes when it is needed, brings little of its own", async (name) => {
  const others = new RegExp(`^(?!.*/${name}\\.ts$).*\\.ts$`);
  expect(gzipped(await bundled(`../src/${name}.ts`, others))).toBeLessThanOrEqual(1_200);
});

test("who wants the error alone gets little else", async () => {
  expect(gzipped(await bundled("fixtures/only-the-error.ts", /^$/))).toBeLessThanOrEqual(400);
});
