import type { ListMessage, LogMessage } from "./messages.ts";
import type { Wish } from "./addresses.ts";

/** How the connection under a part stands. */
export type LinkState =
  | { readonly phase: "connecting"; readonly attempt: number }
  | { readonly phase: "open" }
  | { readonly phase: "retrying"; readonly attempt: number; readonly retryAt: number; readonly code: number }
  | { readonly phase: "signed_out"; readonly code: number; readonly message: string }
  | { readonly phase: "refused"; readonly code: number; readonly reason: string; readonly message: string };

/** What a page watches over a connection: an execution, or (key "") the list. */
export interface Part {
  readonly key: string;
  /** Parts of one group can share an event stream. */
  readonly group: string;
  /** What to ask for, now: it resumes. */
  wish(): Wish;
  take(message: LogMessage | ListMessage): void;
  told(state: LinkState): void;
}

export const LIST = "";
