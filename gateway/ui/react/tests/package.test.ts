// @vitest-environment node
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Build the package as `npm run build` does. */
function packaged(): string {
  const out = mkdtempSync(join(tmpdir(), "runtail-react-"));
  const vite = here("../../node_modules/vite/bin/vite.js");
  const env = { ...process.env, NODE_ENV: "production" };
  execFileSync(process.execPath, [vite, "build", "--outDir", out, "--logLevel", "error"], { cwd: here(".."), env });
  return out;
}

/** What an application bundles that imports *names* of *code*, and leaves out what it does not use. */
async function bundled(code: string, names: string): Promise<string> {
  const files: Plugin = {
    name: "files",
    resolveId: (id) => (id === "app" || id === "@runtail/react" ? { id: `\0${id}`, moduleSideEffects: id === "app" } : null),
    load: (id) => (id === "\0app" ? `import { ${names} } from "@runtail/react"; console.log(${names});` : id === "\0@runtail/react" ? code : null),
  };
  const built = await build({
    configFile: false,
    logLevel: "silent",
    plugins: [files],
    build: {
      write: false,
      minify: false,
      rollupOptions: {
        input: "app",
        external: [/^react/, /^@runtail\/client/],
        treeshake: { moduleSideEffects: (id) => id === "\0app" },
      },
    },
  });
  const [chunk] = (built as Rolldown.RolldownOutput).output;
  return chunk.code;
}

let out: string;
let code: string;
beforeAll(() => {
  out = packaged();
  code = readFileSync(join(out, "index.js"), "utf8");
}, 30_000);
afterAll(() => rmSync(out, { recursive: true }));

describe("the built package", () => {
  test("is one module and one style sheet", () => {
    expect(readdirSync(out).toSorted()).toEqual(["index.js", "styles.css"]);
  });

  test("has the client and React from outside, once", () => {
    const imported = [...code.matchAll(/^import .* from "([^"]+)"/gm)].map(([, from]) => from);
    expect(new Set(imported)).toEqual(new Set(["@runtail/client", "react", "react/jsx-runtime"]));
  });

  test("has styles whose colours still follow the page's scheme, and that import nothing", () => {
    const styles = readFileSync(join(out, "styles.css"), "utf8");
    expect(styles).toContain("light-dark(");
    expect(styles).not.toContain("@import");
    expect(styles).not.toContain("url(");
  });
});

describe("who imports the hook alone", () => {
  test("gets no component, no word and no view of a log with it", async () => {
    const hook = await bundled(code, "useWebSocketLogs");
    expect(hook).toContain("useSyncExternalStore");
    for (const other of ["jsx", "runtail-", "reconnecting", "setTimeout"]) expect(hook).not.toContain(other);
    expect(hook.length).toBeLessThan(8_000);
  });

  test("and who imports a component gets it", async () => {
    expect(await bundled(code, "WorkflowExecutionMonitor")).toContain("runtail-monitor");
  });
});

test("the package names what it ships, and says that only styles have effects", () => {
  const manifest = JSON.parse(readFileSync(here("../package.json"), "utf8")) as { sideEffects: unknown; files: unknown; exports: object };
  expect(manifest.sideEffects).toEqual(["*.css"]);
  expect(Object.keys(manifest.exports)).toEqual([".", "./styles.css", "./package.json"]);
});
