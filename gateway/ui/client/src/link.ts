/** One connection, made again until nobody needs it, and the parts that share it. */

import type { Addresses } from "./addresses.ts";
import { backoff } from "./backoff.ts";
import type { ClientOptions, Environment } from "./client.ts";
import { codeOf, GIVEN_UP, GONE, verdictOf } from "./close-codes.ts";
import type { ErrorMessage, GatewayMessage, ListMessage, LogMessage } from "./messages.ts";
import { pace } from "./pace.ts";
import { LIST, type LinkState, type Part } from "./part.ts";
import { Renewal } from "./renewal.ts";
import { type Hearing, openSocket, type Wire } from "./wires.ts";

const CONNECT_MS = 15_000;
/** Nothing heard for this long: the link is dead, although it says that it is open. */
const DEAD_MS = 45_000;
/** A gateway says something every 19 s at the most, but about the list. */
const QUIET_MS = 20_000;
const ANSWER_MS = 5_000;
/** Refused tokens in a row until nobody is asked for another one. */
const TOKENS = 2;
// Answered by `unsubscribed`, whoever is subscribed to what: a sign of life on request.
const PROBE = { type: "unsubscribe", execution_id: "-" };

export type LinkKind = "socket" | "share" | "events" | "poll";

type EventWires = typeof import("./event-wires.ts");

export interface LinkContext {
  readonly env: Environment;
  readonly addresses: Addresses;
  readonly token: ClientOptions["token"];
  /** Something was heard over a link of this *kind*. */
  reached(kind: LinkKind): void;
  /** *link* failed before it heard anything. True if another kind is tried in its place. */
  missed(link: Link, code: number): boolean;
}

interface Seat {
  readonly part: Part;
  attempt: number;
  timer: unknown;
  asked: boolean;
}

export class Link {
  readonly kind: LinkKind;
  readonly seats = new Map<string, Seat>();
  attempt: number;
  readonly #context: LinkContext;
  readonly #renewal: Renewal;
  readonly #leaving = new Map<string, number>(); // how often `unsubscribed` is still to come
  #state: LinkState | null = null;
  #pace = pace();
  #turn = 0; // what an earlier connection still says is not listened to
  #wire: Wire | null = null;
  #timer: unknown;
  #restarting: unknown;
  #begunAt = 0;
  #heardAt = 0;
  #alive = false; // something was heard over this connection
  #answerBy = Infinity;
  #failure: ErrorMessage | null = null;
  #refused: { readonly token: string | null; readonly code: number; readonly message: string } | null = null;
  #refusals = 0;

  constructor(context: LinkContext, kind: LinkKind, attempt = 0) {
    this.#context = context;
    this.kind = kind;
    this.attempt = attempt;
    this.#renewal = new Renewal(context.env, () => this.#token(), (token) => this.#say(() => ({ type: "auth", token })));
  }

  attach(part: Part): void {
    const seat: Seat = { part, attempt: 0, timer: null, asked: false };
    this.seats.set(part.key, seat);
    const state = this.#state;
    if (state === null || state.phase === "signed_out" || state.phase === "refused") return this.connect();
    part.told(state);
    if (this.kind !== "socket" && this.#wire) this.#restart();
    else if (state.phase === "open") this.#ask(seat);
    return undefined;
  }

  /** Let *part* go. True if none is left: the connection is closed then. */
  detach(part: Part): boolean {
    const seat = this.seats.get(part.key);
    if (seat?.part !== part) return false;
    this.#context.env.clearTimeout(seat.timer);
    this.seats.delete(part.key);
    if (this.seats.size === 0) {
      this.#drop();
      this.#state = null;
    } else if (seat.asked) {
      if (this.kind === "socket") this.#leave(part.key);
      else this.#restart();
    }
    return this.seats.size === 0;
  }

  /** It has nothing more to come: what was asked for needs not be taken back. */
  over(part: Part): void {
    const seat = this.seats.get(part.key);
    if (seat) seat.asked = false;
  }

  /** Ask for what *part* watches once more, in place of what was asked for before. */
  again(part: Part): void {
    const seat = this.seats.get(part.key);
    if (seat?.asked && this.kind === "socket") this.#ask(seat);
  }

  /** Connect now, or again at once, whatever was refused before. */
  reconnect(): void {
    this.attempt = 0;
    this.#refused = null;
    this.#refusals = 0;
    this.connect();
  }

  /** The network or the page came back: do not wait for a timer. */
  wake(): void {
    const now = this.#context.env.now();
    const silent = now - Math.max(this.#heardAt, this.#begunAt);
    if (this.#state?.phase === "retrying" || (this.#wire && silent > QUIET_MS)) return this.connect();
    if (this.#state?.phase !== "open" || this.kind !== "socket") return undefined;
    this.#answerBy = Math.min(this.#answerBy, now + ANSWER_MS);
    this.#say(() => PROBE);
    return this.#watch();
  }

  connect(): void {
    this.#drop();
    const turn = this.#turn;
    this.#begunAt = this.#context.env.now();
    this.#alive = false;
    this.#failure = null;
    this.#tell({ phase: "connecting", attempt: this.attempt });
    this.#watch();
    const wires = this.kind === "events" || this.kind === "poll" ? import("./event-wires.ts") : null;
    this.#token().then(
      async (token) => {
        const loaded = await wires?.catch(() => undefined);
        if (turn === this.#turn) this.#open(token, loaded);
      },
      (error: unknown) => turn === this.#turn && this.#signedOut(4401, String(error)),
    );
  }

  /** Give the connection up, and come again after a random while. */
  retry(code: number): void {
    this.#drop();
    const { env } = this.#context;
    this.attempt += 1;
    const delay = backoff(this.attempt, env.random());
    this.#timer = env.setTimeout(() => this.connect(), delay);
    this.#tell({ phase: "retrying", attempt: this.attempt, retryAt: env.now() + delay, code });
  }

  async #token(): Promise<string | null> {
    return (await this.#context.token?.()) ?? null;
  }

  #open(token: string | null, wires: EventWires | undefined): void {
    const refused = this.#refused;
    if (refused?.token === token) return this.#signedOut(refused.code, refused.message);
    this.#renewal.begin(token);
    const turn = this.#turn;
    const hearing: Hearing = {
      opened: () => turn === this.#turn && this.#opened(token),
      heard: (message) => turn === this.#turn && this.#heard(message),
      closed: (code, why) => turn === this.#turn && this.#closed(code, why),
    };
    try {
      this.#wire = this.#wireTo(token, wires, hearing);
    } catch {
      this.#closed(GONE); // an address that this page may not open, or a module that did not come
    }
    return undefined;
  }

  #wireTo(token: string | null, wires: EventWires | undefined, hearing: Hearing): Wire {
    const { env, addresses } = this.#context;
    const asked = [...this.seats.values()].map(({ part }) => ({ id: part.key, wish: part.wish() }));
    const [first] = asked;
    if (this.kind === "socket" || !first) return openSocket(env, addresses.sockets, hearing);
    for (const seat of this.seats.values()) seat.asked = true;
    if (this.kind === "share") return openSocket(env, addresses.socketOf(first), hearing);
    if (!wires) throw new TypeError("the event streams are not there");
    const open = this.kind === "poll" ? wires.pollList : wires.openEvents;
    return open(this.#context, asked, token === null ? {} : { Authorization: `Bearer ${token}` }, hearing);
  }

  #opened(token: string | null): void {
    if (this.kind === "socket") {
      if (token !== null) this.#say(() => ({ type: "auth", token }));
      for (const seat of this.seats.values()) this.#ask(seat);
    }
    this.#tell({ phase: "open" });
  }

  #heard(message: GatewayMessage): void {
    this.#heardAt = this.#context.env.now();
    this.#alive = true;
    this.#answerBy = Infinity;
    this.#context.reached(this.kind);
    switch (message.type) {
      case "auth":
        return this.#renewal.answered("expires_at" in message ? message.expires_at : undefined);
      case "expiring":
        return this.#renewal.now();
      case "unsubscribed":
        return this.#left(message.execution_id);
      case "unwatched":
        return this.#left(LIST);
      case "subscribed":
        return undefined;
      case "error":
        return this.#error(message);
      case "watching":
      case "executions":
        return this.#pass(LIST, message);
      default:
        return this.#pass(message.execution_id, message);
    }
  }

  #pass(key: string | undefined, message: LogMessage | ListMessage): void {
    const seat = this.#seatOf(key);
    // A `hello` proves nothing yet: a gateway that falls over each time is not to be asked at once.
    if (message.type !== "hello") {
      this.attempt = this.#refusals = 0;
      this.#refused = null;
      if (seat) seat.attempt = 0;
    }
    seat?.part.take(message);
  }

  // What serves one execution only does not name it. What an earlier subscription still says is not listened to.
  #seatOf(key: string | undefined): Seat | undefined {
    if (key === undefined) return this.kind === "socket" ? undefined : this.seats.values().next().value;
    return this.#leaving.has(key) ? undefined : this.seats.get(key);
  }

  #error(message: ErrorMessage): void {
    const key = message.watch ? LIST : message.execution_id;
    if (key === undefined) this.#failure = message; // the close that follows says what to do
    const seat = key === undefined ? undefined : this.#seatOf(key);
    if (!seat) return;
    seat.asked = false;
    const code = codeOf(message.code);
    if (verdictOf(code) === "again") return this.#askLater(seat, code);
    seat.part.told({ phase: "refused", code, reason: message.code, message: message.message });
  }

  #askLater(seat: Seat, code: number): void {
    const { env } = this.#context;
    const attempt = (seat.attempt += 1);
    const delay = backoff(attempt, env.random());
    seat.timer = env.setTimeout(() => {
      seat.part.told({ phase: "connecting", attempt });
      if (this.kind === "socket") this.#ask(seat);
      else this.#restart();
    }, delay);
    seat.part.told({ phase: "retrying", attempt, retryAt: env.now() + delay, code });
  }

  #ask(seat: Seat): void {
    const { part } = seat;
    this.#say(() => {
      if (this.seats.get(part.key) !== seat) return null;
      seat.asked = true;
      const about = part.key === LIST ? { type: "watch" } : { type: "subscribe", execution_id: part.key };
      return { ...about, ...part.wish() };
    });
  }

  #leave(key: string): void {
    this.#leaving.set(key, (this.#leaving.get(key) ?? 0) + 1);
    this.#say(() => (key === LIST ? { type: "unwatch" } : { type: "unsubscribe", execution_id: key }));
  }

  #left(key: string): void {
    const times = (this.#leaving.get(key) ?? 1) - 1;
    if (times > 0) this.#leaving.set(key, times);
    else this.#leaving.delete(key);
  }

  // When its turn comes *make* says what is to be said; null: nothing any more.
  #say(make: () => object | null): void {
    const { env } = this.#context;
    const turn = this.#turn;
    const say = (): void => {
      const message = turn === this.#turn ? make() : null;
      if (message) this.#wire?.send(message);
    };
    const wait = this.#pace(env.now());
    if (wait > 0) env.setTimeout(say, wait);
    else say();
  }

  #closed(code: number, why = `closed with ${code}`): void {
    const heard = this.#alive;
    const tried = this.#wire !== null;
    const failure = this.#failure;
    this.#drop();
    const message = failure?.message ?? why;
    switch (verdictOf(code)) {
      case "again":
        if (heard || !tried || !this.#context.missed(this, code)) this.retry(code);
        return;
      case "token":
        this.#refused = { token: this.#renewal.token, code, message };
        this.#refusals += 1;
        if (this.#refusals < TOKENS) this.connect();
        else this.#signedOut(code, message);
        return;
      case "refused":
        this.#tell({ phase: "refused", code, reason: failure?.code ?? String(code), message });
    }
  }

  #signedOut(code: number, message: string): void {
    this.#drop();
    this.#tell({ phase: "signed_out", code, message });
  }

  // Who takes part changes the address: all who come and go in one turn change it once.
  #restart(): void {
    const { env } = this.#context;
    this.#restarting ??= env.setTimeout(() => this.connect(), 0);
  }

  #watch(): void {
    const { env } = this.#context;
    env.clearTimeout(this.#timer);
    const now = env.now();
    const due = this.#alive ? this.#heardAt + DEAD_MS : this.#begunAt + CONNECT_MS;
    const left = Math.min(due, this.#answerBy) - now;
    if (left <= 0) return this.#closed(GIVEN_UP);
    const listOnly = this.seats.size === 1 && this.seats.has(LIST);
    if (this.#alive && listOnly && this.kind === "socket" && now - this.#heardAt >= QUIET_MS) this.#say(() => PROBE);
    this.#timer = env.setTimeout(() => this.#watch(), Math.min(left, QUIET_MS));
    return undefined;
  }

  #drop(): void {
    const { env } = this.#context;
    this.#turn += 1;
    for (const timer of [this.#timer, this.#restarting]) env.clearTimeout(timer);
    this.#restarting = undefined;
    this.#renewal.stop();
    this.#pace = pace();
    this.#leaving.clear();
    this.#answerBy = Infinity;
    for (const seat of this.seats.values()) {
      env.clearTimeout(seat.timer);
      seat.asked = false;
    }
    this.#wire?.close();
    this.#wire = null;
  }

  #tell(state: LinkState): void {
    this.#state = state;
    for (const { part } of this.seats.values()) part.told(state);
  }
}
