import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { SOURCES } from "./sources.ts";

const older = (module: string): string => fileURLToPath(new URL(`react-18/node_modules/${module}`, import.meta.url));

/** The older React in place of the newer one; the testing library must be told too. */
const REACT_18 = [
  { find: /^react(\/.*)?$/, replacement: `${older("react")}$1` },
  { find: /^react-dom(\/.*)?$/, replacement: `${older("react-dom")}$1` },
  { find: "@testing-library/react", replacement: fileURLToPath(new URL("node_modules/@testing-library/react/dist/@testing-library/react.esm.js", import.meta.url)) },
];

export default defineConfig({
  resolve: { alias: SOURCES },
  test: {
    // a quarter of the processor time; each file cleans up what it put into the document
    pool: "threads",
    isolate: false,
    projects: [
      { extends: true, test: { name: "client", include: ["client/tests/**/*.test.ts"], environment: "node" } },
      {
        extends: true,
        test: {
          name: "react",
          include: ["react/tests/**/*.test.{ts,tsx}"],
          environment: "happy-dom",
          setupFiles: ["react/tests/setup.ts"],
        },
      },
      {
        extends: true,
        resolve: { alias: REACT_18 },
        test: {
          name: "react-18",
          include: ["react/tests/**/*.test.tsx"],
          environment: "happy-dom",
          setupFiles: ["react/tests/setup.ts"],
          server: { deps: { inline: [/@testing-library\/react/] } },
        },
      },
      { extends: true, test: { name: "app", include: ["app/tests/**/*.test.{ts,tsx}"], environment: "happy-dom", setupFiles: ["react/tests/setup.ts"] } },
    ],
  },
});
