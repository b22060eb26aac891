/** A way to a gateway: opens one connection, says what it hears, and closes once. No deciding here. */

import type { Environment } from "./client.ts";
import { GONE } from "./close-codes.ts";
import type { GatewayMessage } from "./messages.ts";

export interface Hearing {
  opened(): unknown;
  heard(message: GatewayMessage): unknown;
  /** At most once, and nothing after it. *why* if the gateway told it otherwise than by a message. */
  closed(code: number, why?: string): unknown;
}

export interface Wire {
  send(message: object): void;
  /** Close; nothing is heard any more. */
  close(): void;
}

export const MALFORMED = 1007;

export function openSocket({ WebSocket }: Environment, address: string, hearing: Hearing): Wire {
  const socket = new WebSocket(address);
  let open = true;
  const closed = (code: number): void => {
    if (!open) return; // to close one that failed may say once more that it failed, at once
    open = false;
    hearing.closed(code);
    socket.close();
  };
  socket.onopen = () => open && hearing.opened();
  socket.onclose = ({ code }) => closed(code);
  socket.onerror = () => closed(GONE); // Node 20 says no more than that of a socket that never opened
  socket.onmessage = ({ data }) => {
    const message = open && parsed(String(data));
    if (message) hearing.heard(message);
    else closed(MALFORMED);
  };
  return {
    send: (message) => socket.send(JSON.stringify(message)),
    close() {
      open = false;
      socket.close();
    },
  };
}

/** Read a message, and note its size; null for what is none. */
export function parsed(data: string): GatewayMessage | null {
  try {
    const message = JSON.parse(data) as GatewayMessage & { size: number };
    message.size = data.length; // throws where there is no object
    return message;
  } catch {
    return null;
  }
}
