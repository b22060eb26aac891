// @vitest-environment node
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, type Plugin, type Rolldown } from "vite";
import { beforeAll, describe, expect, test } from "vitest";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

type Output = Rolldown.RolldownOutput["output"][number];

/** Build the package as `npm run build` does, in memory. */
async function packaged(): Promise<readonly Output[]> {
  const root = here("..");
  const built = await build({ root, configFile: here("../vite.config.ts"), logLevel: "silent", build: { write: false } });
  return [built].flat().flatMap((each) => (each as Rolldown.RolldownOutput).output);
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
    build: { write: false, minify: false, rollupOptions: { input: "app", external: [/^react/, "@runtail/client"] } },
  });
  const [chunk] = (built as Rolldown.RolldownOutput).output;
  return chunk.code;
}

let output: readonly Output[];
let code: string;
beforeAll(async () => {
  output = await packaged();
  code = output.flatMap((each) => (each.type === "chunk" && each.fileName === "index.js" ? [each.code] : [])).join("");
}, 30_000);

describe("the built package", () => {
  test("is one module and one style sheet", () => {
    expect(output.map(({ fileName }) => fileName).toSorted()).toEqual(["index.js", "styles.css"]);
  });

  test("has the client and React from outside, once", () => {
    const imported = [...code.matchAll(/^import .* from "([^"]+)"/gm)].map(([, from]) => from);
    expect(new Set(imported)).toEqual(new Set(["@runtail/client", "react", "react/jsx-runtime"]));
  });

  test("has styles whose colours still follow the page's scheme, and that import nothing", () => {
    const styles = output.flatMap((each) => (each.type === "asset" ? [String(each.source)] : [])).join("");
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
