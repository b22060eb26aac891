/** A clock, sockets, a network and frames that a test holds in its hand. */

// What is loaded when it is needed is there at once, then.
import "../src/event-wires.ts";
import "../src/log-events.ts";
import "../src/rest.ts";
import { createClient } from "../src/index.ts";
import type { ClientOptions, Environment, RuntailClient } from "../src/index.ts";

// What a real timer does with more: it goes off at once.
const LONGEST = 2 ** 31 - 1;

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export class FakeSocket {
  static all: FakeSocket[] = [];
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;
  readonly said: Record<string, unknown>[] = [];
  isClosed = false;
  readonly address: string;

  constructor(address: string) {
    this.address = address;
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.said.push(JSON.parse(text) as Record<string, unknown>);
  }

  /** As Node's does: to close what is not open says that it failed. */
  close(): void {
    this.isClosed = true;
    this.onerror?.();
  }

  open(): void {
    this.onopen?.();
  }

  hear(...messages: object[]): void {
    for (const message of messages) this.onmessage?.({ data: JSON.stringify(message) });
  }

  /** The gateway, or the network, closes it. */
  cut(code = 1006): void {
    this.onclose?.({ code });
  }

  /** What was said of *type*, newest last. */
  of(type: string): Record<string, unknown>[] {
    return this.said.filter((message) => message["type"] === type);
  }
}

export type Answer = (address: string, init: RequestInit) => Response | Promise<Response>;

/** One client in a world of its own. */
export class World {
  now = 1_000_000;
  chance = 0.5;
  framesDrawn = 0;
  answer: Answer = () => Promise.reject(new TypeError("nobody answers"));
  readonly requests: { address: string; init: RequestInit }[] = [];
  readonly client: RuntailClient;
  readonly environment: Environment;
  #timers = new Map<number, Timer>();
  #frames: (() => void)[] = [];
  #wakes = new Set<() => void>();
  #names = 0;

  constructor(options: ClientOptions = {}) {
    FakeSocket.all = [];
    this.environment = {
      WebSocket: FakeSocket as unknown as typeof WebSocket,
      fetch: async (address, init) => {
        this.requests.push({ address: String(address), init: init ?? {} });
        return this.answer(String(address), init ?? {});
      },
      now: () => this.now,
      random: () => this.chance,
      setTimeout: (run, ms) => {
        this.#names += 1;
        this.#timers.set(this.#names, { at: this.now + (ms > LONGEST ? 1 : ms), run });
        return this.#names;
      },
      clearTimeout: (name) => this.#timers.delete(name as number),
      requestFrame: (run) => this.#frames.push(run),
      onWake: (wake) => {
        this.#wakes.add(wake);
        return () => this.#wakes.delete(wake);
      },
    };
    this.client = createClient({ url: "http://gateway.test/runtail", environment: this.environment, ...options });
  }

  get sockets(): readonly FakeSocket[] {
    return FakeSocket.all;
  }

  /** The newest socket. */
  get socket(): FakeSocket {
    const socket = FakeSocket.all.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  get timers(): number {
    return this.#timers.size;
  }

  get listensForWakes(): boolean {
    return this.#wakes.size > 0;
  }

  wake(): void {
    for (const wake of this.#wakes) wake();
  }

  /** Let promises and what they lead to happen. */
  async settle(): Promise<void> {
    for (let i = 0; i < 3; i += 1) await new Promise((resolve) => setImmediate(resolve));
  }

  /** Draw a frame. */
  draw(): void {
    const frames = this.#frames;
    this.#frames = [];
    this.framesDrawn += 1;
    for (const run of frames) run();
  }

  get framesAsked(): number {
    return this.#frames.length;
  }

  /** Let time pass, timer after timer. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, timer]) => timer.at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      const [name, timer] = due;
      this.#timers.delete(name);
      this.now = Math.max(this.now, timer.at);
      timer.run();
      await this.settle();
    }
    this.now = until;
  }

  /** Open the newest socket as soon as it is there. */
  async opened(): Promise<FakeSocket> {
    await this.settle();
    this.socket.open();
    return this.socket;
  }
}

export const state = (id: string, more: object = {}): Record<string, unknown> => ({
  id, workflow_id: null, status: "running", created_at: "2026-11-25T20:00:00.000Z", ...more,
});

export const cursor = (seq: number, tag = "aaaaaaaa"): string => `${1000 + seq}-0:${seq}:${tag}`;

export const record = (seq: number, more: object = {}): Record<string, unknown> & { id: string; seq: number } => ({
  level: "info", message: `line ${seq}`, ...more, id: `${1000 + seq}-0`, seq,
});

/** What a gateway says of one execution. */
export const says = (id?: string) => {
  const about = id === undefined ? {} : { execution_id: id };
  return {
    subscribed: () => ({ ...about, type: "subscribed" }),
    hello: (at = 0, last: number | null = at, more: object = {}) => ({
      ...about, type: "hello", protocol: 1, epoch: "aaaaaaaa", execution: state(id ?? "a"), cursor: cursor(at),
      first: 1, last, ...more,
    }),
    records: (first: number, last: number, more: object = {}) => ({
      ...about, type: "records",
      records: Array.from({ length: last - first + 1 }, (_, i) => record(first + i)),
      cursor: cursor(last), ...more,
    }),
    caughtUp: (at: number) => ({ ...about, type: "caught_up", cursor: cursor(at) }),
    gap: (after: number | null, before: number, lost: number | null, more: object = {}) => ({
      ...about, type: "gap", cursor: cursor(before - 1), after_seq: after, before_seq: before, lost,
      proved: true, reason: "trimmed", ...more,
    }),
    reset: (at: number) => ({ ...about, type: "reset", reason: "another history", cursor: cursor(at, "bbbbbbbb") }),
    beat: (at: number, quiet = 100) => ({
      ...about, type: "beat", cursor: cursor(at), quiet_ms: quiet, workers: { open: 1, silent: 0 },
    }),
    end: (last: number, more: object = {}) => ({
      ...about, type: "end", status: "completed",
      totals: { first: 1, last, records: last, levels: { debug: 0, info: last, warning: 0, error: 0 }, dropped: 0, bytes: 1, ...more },
    }),
    error: (code: string) => ({ ...about, type: "error", code, message: `it is ${code}` }),
    unsubscribed: () => ({ ...about, type: "unsubscribed" }),
  };
};

export const nothing = (): void => {};
