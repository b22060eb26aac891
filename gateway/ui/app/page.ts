import { fileURLToPath } from "node:url";

/** Where the built page goes: into the Python package, or where `RUNTAIL_PAGE_OUT` says. */
export const PAGE =
  process.env["RUNTAIL_PAGE_OUT"] ?? fileURLToPath(new URL("../../runtail_gateway/page", import.meta.url));

/** What browsers the pages are built for. */
export const TARGET = "es2022";
