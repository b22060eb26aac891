/** The ways to a gateway. Each opens one connection, says what it hears, and closes once. No deciding here. */

import type { Environment } from "./client.ts";
import { codeOf, codeOfStatus, GONE } from "./close-codes.ts";
import { EventStreamParser } from "./event-stream.ts";
import type { ErrorMessage, GatewayMessage } from "./messages.ts";
import { problemOf } from "./problem.ts";

export interface Hearing {
  opened(): void;
  heard(message: GatewayMessage): void;
  /** At most once, and nothing after it. *why* if the gateway told it otherwise than by a message. */
  closed(code: number, why?: string): void;
}

export interface Wire {
  send(message: object): void;
  /** Close; nothing is heard any more. */
  close(): void;
}

const MALFORMED = 1007;

export function openSocket({ WebSocket }: Environment, address: string, hearing: Hearing): Wire {
  const socket = new WebSocket(address);
  let open = true;
  const closed = (code: number): void => {
    if (open) hearing.closed(code);
    open = false;
  };
  const close = (): void => {
    open = false;
    socket.close();
  };
  socket.onopen = () => open && hearing.opened();
  socket.onclose = ({ code }) => closed(code);
  socket.onmessage = ({ data }) => {
    const message = open ? parsed(String(data)) : null;
    if (message) hearing.heard(message);
    else if (open) {
      closed(MALFORMED);
      socket.close();
    }
  };
  return { send: (message) => socket.send(JSON.stringify(message)), close };
}

/** Server-Sent Events by `fetch`, so that a token goes into a header and not into the address. */
export function openEvents(
  { fetch }: Environment, address: string, headers: Record<string, string>, hearing: Hearing,
): Wire {
  const control = new AbortController();
  const open = (): boolean => !control.signal.aborted;
  const closed = (code: number, why?: string): void => {
    if (open()) hearing.closed(code, why);
    control.abort();
  };
  const read = async (): Promise<void> => {
    const response = await fetch(address, { headers, signal: control.signal, cache: "no-store" });
    if (!response.ok || !response.body) {
      const { status, code, detail } = await problemOf(response);
      return closed(codeOfStatus(status, code), detail);
    }
    if (open()) hearing.opened();
    let last = GONE;
    for await (const data of eventsOf(response.body)) {
      const message = parsed(data);
      if (!open()) return undefined;
      if (!message) return closed(MALFORMED);
      if (isFarewell(message)) last = codeOf(message.code);
      hearing.heard(message);
    }
    return closed(last);
  };
  read().catch(() => closed(GONE));
  return { send: () => {}, close: () => control.abort() };
}

/** Ask for the list again and again, where there is no socket to watch it by. */
export function pollList(
  { fetch, setTimeout, clearTimeout }: Environment,
  address: string,
  headers: Record<string, string>,
  everyMs: number,
  hearing: Hearing,
): Wire {
  let timer: unknown;
  let open = true;
  const closed = (code: number, why?: string): void => {
    if (open) hearing.closed(code, why);
    open = false;
  };
  const look = async (): Promise<void> => {
    const response = await fetch(address, { headers });
    if (!response.ok) {
      const { status, code, detail } = await problemOf(response);
      return closed(codeOfStatus(status, code), detail);
    }
    const page = (await response.json()) as object;
    if (open) hearing.heard({ ...page, type: "watching" } as GatewayMessage);
    if (open) timer = setTimeout(again, everyMs);
    return undefined;
  };
  const again = (): void => void look().catch(() => closed(GONE));
  const close = (): void => {
    open = false;
    clearTimeout(timer);
  };
  hearing.opened();
  again();
  return { send: () => {}, close };
}

// An event stream has no close code: what ends all of it is said by its last message.
const isFarewell = (message: GatewayMessage): message is ErrorMessage =>
  message.type === "error" && message.execution_id === undefined;

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const text = new TextDecoder();
  const parser = new EventStreamParser();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    yield* parser.push(text.decode(piece.value, { stream: true }));
  }
}

function parsed(data: string): GatewayMessage | null {
  try {
    const message: unknown = JSON.parse(data);
    return typeof message === "object" && message !== null ? (message as GatewayMessage) : null;
  } catch {
    return null;
  }
}
