import type { LogEvent, LogOptions, LogStore } from "./client.ts";
import { logEvents } from "./log-events.ts";
import { LogPart } from "./log-part.ts";
import type { Pool } from "./pool.ts";
import { Publisher } from "./publisher.ts";
import type { LogSnapshot } from "./snapshot.ts";

/** How long a connection is kept when nobody watches: a page that changes its view comes right back. */
export const LINGER_MS = 1_000;

/** Runs *stop* a moment after the last one left, unless somebody came meanwhile. */
export class Linger {
  readonly #pool: Pool;
  readonly #stop: () => void;
  #timer: unknown;

  constructor(pool: Pool, stop: () => void) {
    this.#pool = pool;
    this.#stop = stop;
  }

  begin(): void {
    this.#timer = this.#pool.env.setTimeout(this.#stop, LINGER_MS);
  }

  end(): void {
    this.#pool.env.clearTimeout(this.#timer);
  }
}

export interface StoreCare {
  readonly window: number;
  /** It is watched again, or nobody watches it any more. */
  kept(store: object): void;
  left(store: object): void;
}

export class WatchedLog implements LogStore {
  readonly executionId: string;
  readonly #pool: Pool;
  readonly #options: LogOptions;
  readonly #care: StoreCare;
  readonly #part: LogPart;
  readonly #publisher: Publisher<LogSnapshot>;
  readonly #linger: Linger;
  readonly #iterators = new Set<AsyncIterator<LogEvent>>();

  constructor(pool: Pool, executionId: string, options: LogOptions, care: StoreCare) {
    this.executionId = executionId;
    this.#pool = pool;
    this.#options = options;
    this.#care = care;
    this.#part = new LogPart(pool, executionId, options, care.window, () => this.#publisher.changed());
    const linger = new Linger(pool, () => {
      this.#part.stop();
      care.left(this);
    });
    this.#publisher = new Publisher(pool.env, (version) => this.#part.snapshot(version), {
      first: () => {
        linger.end();
        care.kept(this);
        this.#part.start();
      },
      last: () => linger.begin(),
    });
    this.#linger = linger;
  }

  subscribe = (listener: () => void): (() => void) => this.#publisher.subscribe(listener);

  getSnapshot = (): LogSnapshot => this.#publisher.getSnapshot();

  reconnect = (): void => {
    if (this.#publisher.watched) this.#part.reconnect();
  };

  events(): AsyncIterableIterator<LogEvent> {
    const events = logEvents(this.#pool, this.executionId, this.#options, this.#care.window, () =>
      this.#iterators.delete(events),
    );
    this.#iterators.add(events);
    return events;
  }

  /** Let go of it, and of its iterators, at once. */
  close(): void {
    this.#linger.end();
    this.#part.stop();
    for (const events of this.#iterators) void events.return?.();
  }
}
