import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { SOURCES } from "../../sources.ts";

/** The page on which browser tests look at the log view: `vite build react/browser`. */
export default defineConfig({
  plugins: [react()],
  base: "./",
  resolve: { alias: SOURCES },
  build: { outDir: "dist", emptyOutDir: true, target: "es2022" },
});
