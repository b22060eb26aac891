import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    minify: false, // the page that uses it minifies; stack traces stay readable until then
    lib: { entry: { index: "src/index.ts", notes: "src/notes.ts" }, formats: ["es"] },
  },
});
