import { fileURLToPath } from "node:url";
import { SOURCES } from "../sources.ts";

/** Where the built page goes: into the Python package, or where `RUNTAIL_PAGE_OUT` says. */
export const PAGE =
  process.env["RUNTAIL_PAGE_OUT"] ?? fileURLToPath(new URL("../../runtail_gateway/page", import.meta.url));

/** What browsers the pages are built for: `light-dark()` and CSS nesting stay as they are written. */
export const TARGETS = { target: "es2022", cssTarget: ["chrome123", "firefox120", "safari17.5"] };

/**
 * What the pages are made of: our sources, and Preact in React's place. It is a sixth of the size, which the
 * first paint pays for; the parts are tested with both.
 */
export const MADE_OF = [
  ...SOURCES,
  { find: /^react-dom$/, replacement: "preact/compat" },
  { find: /^react-dom\/client$/, replacement: "preact/compat/client" },
  { find: /^react$/, replacement: "preact/compat" },
  { find: /^react\/jsx-runtime$/, replacement: "preact/compat/jsx-runtime" },
  { find: /^react\/jsx-dev-runtime$/, replacement: "preact/compat/jsx-dev-runtime" },
];
