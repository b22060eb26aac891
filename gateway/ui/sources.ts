import { fileURLToPath } from "node:url";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Where the packages of this workspace are read from while working on them: their sources. */
export const SOURCES = [
  { find: /^@runtail\/react\/styles\.css/, replacement: here("react/src/styles.css") }, // also "…?inline"
  { find: "@runtail/client/notes", replacement: here("client/src/notes.ts") },
  { find: /^@runtail\/client$/, replacement: here("client/src/index.ts") },
  { find: "@runtail/react/execution", replacement: here("react/src/execution/index.ts") },
  { find: /^@runtail\/react$/, replacement: here("react/src/index.ts") },
];
