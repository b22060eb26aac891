/** What is watched, and what it is watched over: the contract between the two. */

import type { Addresses, Wish } from "./addresses.ts";
import type { ClientOptions, Environment } from "./client.ts";
import type { ListMessage, LogMessage } from "./messages.ts";

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
  /** What asks for it over a socket; with `un` before it, what leaves it. */
  readonly verb: "watch" | "subscribe" | "subscribe_notes";
  /** Parts of one group can share an event stream. */
  readonly group: string;
  /** What to ask for, now: it resumes. */
  wish(): Wish;
  take(message: LogMessage | ListMessage): void;
  told(state: LinkState): void;
}

export const LIST = "";

/** The key of the notes of the execution *id*: no id has a blank. */
export const notesKey = (id: string): string => ` ${id}`;

export type LinkKind = "socket" | "share" | "events" | "poll";

export interface LinkContext {
  readonly env: Environment;
  readonly addresses: Addresses;
  readonly token: ClientOptions["token"];
  /** Something was heard over a link. */
  reached(): void;
  /** A link failed at its *attempt* before it heard anything. True if another kind is tried in its place. */
  missed(code: number, attempt: number): boolean;
}

export interface Link {
  readonly kind: LinkKind;
  readonly seats: ReadonlyMap<string, { readonly part: Part }>;
  attach(part: Part): void;
  /** Let *part* go. *over*: the gateway has nothing more to tell of it. */
  detach(part: Part, over: boolean): void;
  /** Ask for what *part* watches once more, in place of what was asked for before. */
  again(part: Part): void;
  /** Connect now, or again at once, whatever was refused before. */
  reconnect(): void;
  /** The network or the page came back: do not wait for a timer. */
  wake(): void;
  /** Give the connection up, and come again after a random while. */
  retry(code: number): void;
}
