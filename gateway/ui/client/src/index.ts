export { createClient } from "./create-client.ts";
export { RequestFailed } from "./problem.ts";
export type * from "./client.ts";
export type * from "./notes.ts";
export type * from "./records.ts";
export type * from "./snapshot.ts";
