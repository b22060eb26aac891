/**
 * The ways to a gateway where WebSockets are blocked. A module of its own: it is loaded when it is needed.
 *
 * Event streams are read by `fetch`, so that a token goes into a header and not into the address.
 */

import { type Addresses, type Asked, type Parameter, parametersOf } from "./addresses.ts";
import type { Environment } from "./client.ts";
import { codeOf, codeOfStatus, GONE } from "./close-codes.ts";
import { EventStreamParser } from "./event-stream.ts";
import type { GatewayMessage } from "./messages.ts";
import { notesKey } from "./part.ts";
import { problemOf } from "./problem.ts";
import { type Hearing, MALFORMED, parsed, type Wire } from "./wires.ts";

const POLL_MS = 5_000;

export interface EventsContext {
  readonly env: Environment;
  readonly addresses: Addresses;
}

/** One event stream for all that are *asked*, who ask alike. */
export function openEvents(
  { env, addresses }: EventsContext, asked: readonly Asked[], headers: Record<string, string>, hearing: Hearing,
): Wire {
  if (asked[0]?.id.startsWith(notesKey(""))) return refusedBy(hearing, "notes do not come over event streams");
  return fetching(env, addressOf(addresses, asked), headers, hearing, async (response, open, closed) => {
    let last = GONE;
    for await (const data of eventsOf(response.body)) {
      const message = parsed(data);
      if (!open()) return;
      if (!message) return closed(MALFORMED);
      // A stream has no close code: what ends all of it is said by its last message.
      if (message.type === "error" && message.execution_id === undefined) last = codeOf(message.code);
      hearing.heard(message);
    }
    closed(last);
  });
}

/** The list, asked for again and again. */
export function pollList(
  { env, addresses }: EventsContext, [asked]: readonly Asked[], headers: Record<string, string>, hearing: Hearing,
): Wire {
  let timer: unknown;
  const look = (): Wire =>
    fetching(env, addresses.http("executions", parametersOf(asked?.wish ?? {})), headers, hearing, async (response, open) => {
      const page = (await response.json()) as object;
      if (open()) hearing.heard({ ...page, type: "watching" } as GatewayMessage);
      if (open()) timer = env.setTimeout(() => (wire = look()), POLL_MS);
    });
  let wire = look();
  const close = (): void => {
    wire.close();
    env.clearTimeout(timer);
  };
  return { send() {}, close };
}

// Who is refused asks in another way, for notes by requests; nobody is asked in vain.
function refusedBy(hearing: Hearing, why: string): Wire {
  queueMicrotask(() => hearing.closed(codeOf("bad_request"), why));
  return { send() {}, close() {} };
}

type Closed = (code: number, why?: string) => void;

function fetching(
  { fetch }: Environment, address: string, headers: Record<string, string>, hearing: Hearing,
  read: (response: Response, open: () => boolean, closed: Closed) => Promise<void>,
): Wire {
  const control = new AbortController();
  const { signal } = control;
  const open = (): boolean => !signal.aborted;
  const closed: Closed = (code, why) => {
    if (open()) hearing.closed(code, why);
    control.abort();
  };
  const run = async (): Promise<void> => {
    const response = await fetch(address, { headers, signal, cache: "no-store" });
    if (!response.ok) {
      const { status, code, detail } = await problemOf(response);
      return closed(codeOfStatus(status, code), detail);
    }
    if (open()) hearing.opened();
    return read(response, open, closed);
  };
  run().catch(() => closed(GONE));
  return { send() {}, close: () => control.abort() };
}

/** The stream of one execution, or of several; each goes on where it stands. */
export function addressOf(addresses: Addresses, asked: readonly Asked[]): string {
  const [first] = asked;
  if (!first || asked.length === 1) return addresses.of(first?.id ?? "", "/events", first?.wish);
  const places = asked.filter(({ wish }) => wish.after?.length && wish.after[0] !== "$");
  const after = places.map(({ id, wish }) => `${id}=${wish.after?.[0] ?? ""}`).join(",");
  const newOnly = places.length === 0 && first.wish.after?.[0] === "$";
  return addresses.http("events", [
    ...asked.map(({ id }): Parameter => ["execution", id]),
    ...parametersOf({ ...first.wish, after: after || (newOnly ? "$" : null) }),
  ]);
}

async function* eventsOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<string> {
  const reader = body?.getReader();
  const text = new TextDecoder();
  const parser = new EventStreamParser();
  for (let piece = await reader?.read(); piece?.value; piece = await reader?.read()) {
    yield* parser.push(text.decode(piece.value, { stream: true }));
  }
}
