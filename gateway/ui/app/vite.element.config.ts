import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { MADE_OF, PAGE, TARGETS } from "./page.ts";

/** The custom element, with all it needs in one file, for pages that have nothing of ours. */
export default defineConfig({
  resolve: { alias: MADE_OF },
  plugins: [react()],
  publicDir: false,
  build: {
    ...TARGETS,
    outDir: PAGE,
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: { input: "src/element/main.ts", output: { entryFileNames: "runtail-log.js", codeSplitting: false } },
  },
});
