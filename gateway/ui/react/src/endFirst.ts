import type { LogOptions } from "@runtail/client";

/** A running log opens at its end. */
export const END_FIRST: LogOptions = { tail: 1000 };
