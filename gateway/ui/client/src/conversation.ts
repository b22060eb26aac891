/** What is said over the socket that many share, in order, and no faster than a gateway listens. */

import type { Environment } from "./client.ts";
import { pace } from "./pace.ts";
import type { Part } from "./part.ts";

// Answered by `unsubscribed`, whoever is subscribed to what: a sign of life on request.
const PROBE = { type: "unsubscribe", execution_id: "-" };

export interface Conversation {
  auth(token: string): void;
  /** Ask for what *part* watches, unless *needless* says so when its turn has come. */
  ask(part: Part, needless: () => boolean): void;
  leave(part: Part): void;
  /** Ask for a sign of life. */
  probe(): void;
  /** It was told that *key* was left. */
  left(key: string): void;
  /** Whether *key* was left, and what is still told of it is not meant for whoever came after. */
  isLeaving(key: string): boolean;
  /** The connection is gone: nothing of what is left is said. */
  stop(): void;
}

// The list has no name, and is not named.
const named = ({ key }: Part): string | undefined => key.trim() || undefined;

export function conversation(env: Environment, send: (message: object) => void): Conversation {
  const leaving = new Map<string, number>(); // how often it is still to be told
  let wait = pace();
  let turn = 0;

  const say = (make: () => object | null): void => {
    const own = turn;
    const now = (): void => {
      const message = own === turn && make();
      if (message) send(message);
    };
    const ms = wait(env.now());
    if (ms > 0) env.setTimeout(now, ms);
    else now();
  };

  return {
    auth: (token) => say(() => ({ type: "auth", token })),
    ask: (part, needless) =>
      say(() => {
        if (needless()) return null;
        return { type: part.verb, execution_id: named(part), ...part.wish() };
      }),
    leave(part) {
      const { key } = part;
      leaving.set(key, (leaving.get(key) ?? 0) + 1);
      say(() => ({ type: `un${part.verb}`, execution_id: named(part) }));
    },
    probe: () => say(() => PROBE),
    left(key) {
      const times = leaving.get(key) ?? 0;
      if (times > 1) leaving.set(key, times - 1);
      else leaving.delete(key);
    },
    isLeaving: (key) => leaving.has(key),
    stop() {
      turn += 1;
      wait = pace();
      leaving.clear();
    },
  };
}
