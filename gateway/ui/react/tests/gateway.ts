/** A gateway that a test speaks for, below the real client: its sockets, its clock, its chance. */

import { createClient, type Environment, type LogRecord, type RuntailClient } from "@runtail/client";
import { act } from "@testing-library/react";

interface Said {
  readonly type: string;
  readonly execution_id?: string;
  readonly [field: string]: unknown;
}

/** One connection, as the browser's WebSocket is seen by the client. */
export class Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: string }) => void) | null = null;
  onclose: ((event: { readonly code: number }) => void) | null = null;
  readonly said: Said[] = [];
  open = true;

  send(text: string): void {
    this.said.push(JSON.parse(text) as Said);
  }

  /** The client's own close. */
  close(): void {
    this.open = false;
  }
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export const EPOCH = Date.parse("2026-11-25T12:00:00Z");

export class Gateway {
  readonly sockets: Socket[] = [];
  /** Where they were opened to. */
  readonly addresses: string[] = [];
  readonly client: RuntailClient;
  readonly environment: Environment;
  now = EPOCH;
  token: string | null = null;
  #timers = new Set<Timer>();
  #frames: (() => void)[] = [];

  constructor() {
    const { sockets, addresses } = this;
    class Connected extends Socket {
      constructor(address: string) {
        super();
        addresses.push(address);
        sockets.push(this);
      }
    }
    this.environment = {
      WebSocket: Connected as unknown as typeof WebSocket,
      fetch: () => Promise.reject(new TypeError("no fetch in this test")),
      now: () => this.now,
      random: () => 0.5,
      setTimeout: (run, ms) => {
        const timer: Timer = { at: this.now + ms, run };
        this.#timers.add(timer);
        return timer;
      },
      clearTimeout: (timer) => void this.#timers.delete(timer as Timer),
      requestFrame: (run) => this.#frames.push(run),
      onWake: () => () => {},
    };
    this.client = createClient({ url: "http://gateway.test/", token: () => this.token, transport: "websocket", environment: this.environment });
  }

  /** The newest connection. */
  get socket(): Socket {
    const newest = this.sockets.at(-1);
    if (newest === undefined) throw new Error("the client opened no socket");
    return newest;
  }

  /** Sockets that neither side has closed. */
  get open(): number {
    return this.sockets.filter(({ open }) => open).length;
  }

  /** What the client subscribed to over *socket*, in order. */
  subscribed(socket = this.socket): readonly (string | undefined)[] {
    return socket.said.filter(({ type }) => type === "subscribe").map(({ execution_id }) => execution_id);
  }

  /** Let *ms* pass, run what is due, and draw a frame. */
  async pass(ms = 0): Promise<void> {
    await act(async () => {
      await settled();
      const until = this.now + ms;
      for (;;) {
        const due = [...this.#timers].filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        this.#timers.delete(due);
        this.now = Math.max(this.now, due.at);
        due.run();
        await settled();
      }
      this.now = until;
      for (const frame of this.#frames.splice(0)) frame();
    });
  }

  /** Open the newest socket. */
  async accept(): Promise<void> {
    await this.pass();
    this.socket.onopen?.();
    await this.pass();
  }

  /** Say *message* over the newest socket. */
  async say(message: object): Promise<void> {
    this.socket.onmessage?.({ data: JSON.stringify(message) });
    await this.pass();
  }

  async cut(code: number): Promise<void> {
    this.socket.open = false;
    this.socket.onclose?.({ code });
    await this.pass();
  }

  /** Greet a viewer of *id* whose log has *last* records by now. */
  async hello(id: string, last = 0, status = "running"): Promise<void> {
    const execution = { id, status, created_at: new Date(EPOCH - 60_000).toISOString(), progress: 10, first_seq: last === 0 ? 0 : 1, last_seq: last };
    await this.say({ type: "subscribed", execution_id: id });
    await this.say({ type: "hello", execution_id: id, protocol: 1, epoch: "e", execution, cursor: "0-0:0:-", first: last === 0 ? 0 : 1, last });
  }

  async records(id: string, ...records: readonly LogRecord[]): Promise<void> {
    await this.say({ type: "records", execution_id: id, records, cursor: cursorAt(records.at(-1)?.seq ?? 0) });
  }

  async caughtUp(id: string, seq: number): Promise<void> {
    await this.say({ type: "caught_up", execution_id: id, cursor: cursorAt(seq) });
  }
}

/** What promises that are due have done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
}

export const cursorAt = (seq: number): string => (seq === 0 ? "0-0:0:-" : `${EPOCH + seq}-0:${seq}:0000000${seq % 10}`);

export const line = (seq: number, message = `line ${seq}`, level = "info"): LogRecord =>
  ({ id: `${EPOCH + seq}-0`, seq, message, level, timestamp: new Date(EPOCH).toISOString() }) as LogRecord;

export const lines = (first: number, last: number): readonly LogRecord[] =>
  Array.from({ length: last - first + 1 }, (_, i) => line(first + i));
