import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { SOURCES } from "../sources.ts";
import { PAGE, TARGET } from "./page.ts";

/** The custom element, with all it needs in one file, for pages that have nothing of ours. */
export default defineConfig({
  resolve: { alias: SOURCES },
  plugins: [react()],
  publicDir: false,
  define: { "process.env.NODE_ENV": '"production"' }, // a library build leaves it to whoever bundles
  build: {
    target: TARGET,
    outDir: PAGE,
    emptyOutDir: false,
    reportCompressedSize: false,
    lib: { entry: "src/element/main.ts", formats: ["es"], fileName: () => "runtail-log.js" },
  },
});
