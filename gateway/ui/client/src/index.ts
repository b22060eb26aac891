export type * from "./client.ts";
export type * from "./records.ts";
export type * from "./snapshot.ts";
