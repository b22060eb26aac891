import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"], // `light-dark()` stays as it is written
    minify: false,
    // Beside the code, not in it: who uses the hook alone needs no styles.
    cssCodeSplit: true,
    lib: { entry: { index: "src/index.ts", styles: "src/styles.css" }, formats: ["es"] },
    rollupOptions: { external: [/^react($|\/)/, /^react-dom($|\/)/, /^@runtail\/client/] },
  },
});
