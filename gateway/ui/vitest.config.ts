import { defineConfig } from "vitest/config";
import { SOURCES } from "./sources.ts";

export default defineConfig({
  resolve: { alias: SOURCES },
  test: {
    projects: [
      { extends: true, test: { name: "client", include: ["client/tests/**/*.test.ts"], environment: "node" } },
      { extends: true, test: { name: "react", include: ["react/tests/**/*.test.{ts,tsx}"], environment: "happy-dom" } },
      { extends: true, test: { name: "app", include: ["app/tests/**/*.test.{ts,tsx}"], environment: "happy-dom" } },
    ],
  },
});
