/** One connection, made again until nobody needs it, and the parts that share it. */

import { backoff } from "./backoff.ts";
import { codeOf, GIVEN_UP, GONE, verdictOf } from "./close-codes.ts";
import { conversation } from "./conversation.ts";
import type { ErrorMessage, GatewayMessage, LogMessage } from "./messages.ts";
import { type Link, type LinkContext, type LinkKind, type LinkState, LIST, notesKey, type Part } from "./part.ts";
import { renewalOf } from "./renewal.ts";
import { openSocket, type Wire } from "./wires.ts";

const CONNECT_MS = 15_000;
/** Nothing heard for this long: the link is dead, although it says that it is open. */
const DEAD_MS = 45_000;
/** A gateway says something every 19 s at the most, but about the list and notes. */
const QUIET_MS = 20_000;
const ANSWER_MS = 5_000;
/** A connection that was begun longer before the network came back may wait for what was sent into nothing. */
const AWAKE_MS = 1_000;
/** Refused tokens in a row until nobody is asked for another one. */
const TOKENS = 2;

type EventWires = typeof import("./event-wires.ts");

interface Seat {
  readonly part: Part;
  attempt: number;
  timer: unknown;
  asked: boolean;
}

// Whom a message, or a refusal, is for; undefined: for the only one there is, or for all.
function keyOf(message: object): string | undefined {
  const { type, executions, watch, notes, execution_id } = message as Record<string, string | undefined>;
  // oxlint-disable-next-line unicorn/prefer-string-starts-ends-with -- what is no message may have no type
  return watch || executions ? LIST : notes || /_notes$/.test(type!) ? notesKey(execution_id!) : execution_id;
}

/** A link of *kind* that failed *attempt* times so far. It connects with its first part. */
export function linkOf(context: LinkContext, kind: LinkKind, attempt: number): Link {
  const { env, addresses } = context;
  const isSocket = kind === "socket";
  const seats = new Map<string, Seat>();
  const talk = conversation(env, (message) => wire?.send(message));
  const renewal = renewalOf(env, askToken, talk.auth);
  let state: LinkState | null = null;
  let turn = 0; // what an earlier connection still says is not listened to
  let wire: Wire | null = null;
  let timer: unknown;
  let restarting: unknown;
  let heardAt = 0; // or, before anything was heard, when it began
  let alive = false; // something was heard over this connection
  let answerBy = Infinity;
  let failure: ErrorMessage | null = null;
  let refused: { readonly token: string | null; readonly code: number; readonly message: string } | null = null;
  let refusals = 0;

  async function askToken(): Promise<string | null> {
    return (await context.token?.()) ?? null;
  }

  function tell(next: LinkState): void {
    state = next;
    for (const { part } of seats.values()) part.told(next);
  }

  function drop(): void {
    turn += 1;
    env.clearTimeout(timer);
    env.clearTimeout(restarting);
    restarting = undefined;
    answerBy = Infinity;
    renewal.stop();
    talk.stop();
    for (const seat of seats.values()) {
      env.clearTimeout(seat.timer);
      seat.asked = false;
    }
    wire?.close();
    wire = null;
  }

  function connect(): void {
    drop();
    const own = turn;
    heardAt = env.now();
    alive = false;
    failure = null;
    tell({ phase: "connecting", attempt });
    watch();
    const wires = kind === "events" || kind === "poll" ? import("./event-wires.ts").catch(() => undefined) : undefined;
    askToken().then(
      async (token) => {
        const loaded = await wires;
        if (own === turn) open(token, loaded);
      },
      (error: unknown) => own === turn && signOut(4401, String(error)),
    );
  }

  function open(token: string | null, wires: EventWires | undefined): void {
    if (refused?.token === token) return signOut(refused.code, refused.message);
    renewal.begin(token);
    try {
      wire = wireTo(token, wires);
    } catch {
      closed(GONE); // an address that this page may not open, or a module that did not come
    }
    return undefined;
  }

  function wireTo(token: string | null, wires: EventWires | undefined): Wire {
    const own = turn;
    const hearing = {
      opened: () => own === turn && opened(token),
      heard: (message: GatewayMessage) => own === turn && heard(message),
      closed: (code: number, why?: string) => own === turn && closed(code, why),
    };
    if (isSocket) return openSocket(env, addresses.sockets, hearing);
    const asked = [...seats.values()].map((seat) => {
      seat.asked = true;
      return { id: seat.part.key, wish: seat.part.wish() };
    });
    if (kind === "share") return openSocket(env, addresses.socketOf(asked[0]!), hearing);
    return wires![kind === "poll" ? "pollList" : "openEvents"](context, asked, token === null ? {} : { Authorization: `Bearer ${token}` }, hearing);
  }

  function opened(token: string | null): void {
    if (isSocket) {
      if (token !== null) talk.auth(token);
      for (const seat of seats.values()) ask(seat);
    }
    tell({ phase: "open" });
  }

  function heard(message: GatewayMessage): void {
    heardAt = env.now();
    alive = true;
    answerBy = Infinity;
    context.reached();
    switch (message.type) {
      case "auth":
        return renewal.answered("expires_at" in message ? message.expires_at : undefined);
      case "expiring":
        return renewal.now();
      case "subscribed":
        return undefined;
      case "error":
        return refuse(message);
      default: // `unsubscribed`, `unwatched`, `unsubscribed_notes`, or what somebody watches
        // oxlint-disable-next-line unicorn/prefer-string-starts-ends-with -- as above
        return /^un/.test(message.type) ? talk.left(keyOf(message) ?? LIST) : pass(message as LogMessage);
    }
  }

  function pass(message: LogMessage): void {
    const seat = seatOf(keyOf(message));
    // A `hello` proves nothing yet: a gateway that falls over each time is not to be asked at once.
    if (message.type !== "hello") {
      attempt = refusals = 0;
      refused = null;
      if (seat) seat.attempt = 0;
    }
    seat?.part.take(message);
  }

  // What serves one execution only does not name it.
  function seatOf(key: string | undefined): Seat | undefined {
    if (key === undefined) return isSocket ? undefined : seats.values().next().value;
    return talk.isLeaving(key) ? undefined : seats.get(key);
  }

  function refuse(message: ErrorMessage): void {
    const key = keyOf(message);
    if (key === undefined) return void (failure = message); // the close that follows says what to do
    const seat = seatOf(key);
    if (!seat) return undefined;
    const { part } = seat;
    const code = codeOf(message.code);
    seat.asked = false;
    if (verdictOf(code) !== "again") return part.told({ phase: "refused", code, reason: message.code, message: message.message });
    seat.attempt += 1;
    const { attempt: tries } = seat;
    const delay = backoff(tries, env.random());
    seat.timer = env.setTimeout(() => {
      part.told({ phase: "connecting", attempt: tries });
      if (isSocket) ask(seat);
      else restart();
    }, delay);
    part.told({ phase: "retrying", attempt: tries, retryAt: env.now() + delay, code });
  }

  function ask(seat: Seat): void {
    const { part } = seat;
    talk.ask(part, () => !(seat.asked = seats.get(part.key) === seat));
  }

  function closed(code: number, why = `closed with ${code}`): void {
    const silent = !alive && wire !== null;
    const { code: reason, message } = failure ?? { code: String(code), message: why };
    drop();
    switch (verdictOf(code)) {
      case "again":
        if (!silent || !context.missed(code, attempt)) retry(code);
        break;
      case "token":
        refused = { token: renewal.token(), code, message };
        refusals += 1;
        if (refusals < TOKENS) connect();
        else signOut(code, message);
        break;
      case "refused":
        tell({ phase: "refused", code, reason, message });
    }
  }

  function signOut(code: number, message: string): void {
    drop();
    tell({ phase: "signed_out", code, message });
  }

  function retry(code: number): void {
    drop();
    attempt += 1;
    const delay = backoff(attempt, env.random());
    timer = env.setTimeout(connect, delay);
    tell({ phase: "retrying", attempt, retryAt: env.now() + delay, code });
  }

  // Who takes part changes the address: all who come and go in one turn change it once.
  function restart(): void {
    restarting ??= env.setTimeout(connect, 0);
  }

  function watch(): void {
    env.clearTimeout(timer);
    const silent = env.now() - heardAt;
    const left = Math.min((alive ? DEAD_MS : CONNECT_MS) - silent, answerBy - env.now());
    if (left <= 0) return closed(GIVEN_UP);
    if (alive && isSocket && silent >= QUIET_MS) talk.probe();
    timer = env.setTimeout(watch, Math.min(left, QUIET_MS));
    return undefined;
  }

  return {
    kind,
    seats,
    retry,
    attach(part) {
      const seat: Seat = { part, attempt: 0, timer: null, asked: false };
      seats.set(part.key, seat);
      if (state === null || state.phase === "signed_out" || state.phase === "refused") return connect();
      part.told(state);
      if (!isSocket && wire) restart();
      else if (state.phase === "open") ask(seat);
      return undefined;
    },
    detach(part, over) {
      const { key } = part;
      const seat = seats.get(key);
      env.clearTimeout(seat?.timer);
      seats.delete(key);
      if (seats.size === 0) {
        drop();
        state = null;
      } else if (seat?.asked && !over) {
        if (isSocket) talk.leave(part);
        else restart();
      }
    },
    again({ key }) {
      const seat = seats.get(key);
      if (isSocket && seat?.asked) ask(seat);
    },
    reconnect() {
      attempt = refusals = 0;
      refused = null;
      connect();
    },
    wake() {
      if (state?.phase === "retrying" || (wire && env.now() - heardAt > (alive ? QUIET_MS : AWAKE_MS))) return connect();
      if (state?.phase !== "open" || !isSocket) return undefined;
      answerBy = Math.min(answerBy, env.now() + ANSWER_MS);
      talk.probe();
      return watch();
    },
  };
}
