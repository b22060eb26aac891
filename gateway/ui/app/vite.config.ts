import react from "@vitejs/plugin-react";
import { existsSync } from "node:fs";
import { defineConfig } from "vite";
import { devAddresses } from "./dev.ts";
import { MADE_OF, PAGE, TARGETS } from "./page.ts";

const PAGES = ["index.html", "gallery.html"];

/** The pages that the gateway serves below `/monitoring`; `npm run dev` serves them on port 3000. */
export default defineConfig(({ command }) => ({
  // Relative: the gateway may be mounted under any path.
  base: command === "build" ? "./" : "/monitoring/",
  resolve: { alias: MADE_OF },
  plugins: [react(), devAddresses()],
  server: {
    // The host stays: the gateway takes sockets only from pages of its own origin.
    proxy: Object.fromEntries(
      ["/executions", "/events", "/ws", "/docs", "/openapi.json", "/protocol.schema.json"].map((path) => [
        path,
        { target: process.env["RUNTAIL_URL"] ?? "http://127.0.0.1:8000", ws: path === "/ws" },
      ]),
    ),
  },
  build: {
    ...TARGETS,
    outDir: PAGE,
    emptyOutDir: true,
    assetsDir: "",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: { input: PAGES.filter((page) => existsSync(page)) },
  },
}));
