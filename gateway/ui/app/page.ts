import { fileURLToPath } from "node:url";

/** Where the built page goes: into the Python package, or where `RUNTAIL_PAGE_OUT` says. */
export const PAGE =
  process.env["RUNTAIL_PAGE_OUT"] ?? fileURLToPath(new URL("../../runtail_gateway/page", import.meta.url));

/** What browsers the pages are built for: `light-dark()` and CSS nesting stay as they are written. */
export const TARGETS = { target: "es2022", cssTarget: ["chrome123", "firefox120", "safari17.5"] };
