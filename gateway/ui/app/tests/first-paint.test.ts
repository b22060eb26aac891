// @vitest-environment node
/** What the first paint of `/monitoring` needs. The log, figures, alerts and forms come later. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const MOST_BYTES = 70 * 1024;

let page: string;
beforeAll(() => {
  page = mkdtempSync(join(tmpdir(), "runtail-page-"));
  const env = { ...process.env, NODE_ENV: "production", RUNTAIL_PAGE_OUT: page };
  execFileSync(process.execPath, [here("../../node_modules/vite/bin/vite.js"), "build", "--logLevel", "error"], { cwd: here(".."), env });
}, 60_000);
afterAll(() => rmSync(page, { recursive: true }));

/** The page itself, and every file that it names or that those import at once. */
function needed(): readonly string[] {
  const found = new Set(["index.html"]);
  for (const name of found) {
    const text = readFileSync(join(page, name), "utf8");
    const linked = name.endsWith(".html") ? /(?:src|href)="\.\/([^"]+)"/g : /(?:^|[;}\s])(?:import|export)[^("'`;]*?(?:from)?["'`]\.\/([^"'`]+)["'`]/g;
    for (const [, other] of text.matchAll(linked)) if (other !== undefined) found.add(other);
  }
  return [...found];
}

const sizeOf = (name: string): number => gzipSync(readFileSync(join(page, name)), { level: 9 }).length;
const textOf = (names: readonly string[]): string => names.filter((name) => name.endsWith(".js")).map((name) => readFileSync(join(page, name), "utf8")).join("\n");

test("is at most 70 KB, all together", () => {
  const names = needed();
  expect(names.some((name) => name.endsWith(".css"))).toBe(true);
  expect(names.filter((name) => name.endsWith(".js")).length).toBeGreaterThan(1);
  const bytes = names.reduce((sum, name) => sum + sizeOf(name), 0);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
});

test("has the list in it, and nothing that comes when it is asked for", () => {
  const now = textOf(needed());
  expect(now).toContain("runtail-table");
  const later = textOf(readdirSync(page).filter((name) => !needed().includes(name)));
  for (const part of ["rt-scroller", "runtail-figure-strip", "runtail-alert-text", "runtail-step-row"]) {
    expect(later, part).toContain(part);
    expect(now, part).not.toContain(part);
  }
});
