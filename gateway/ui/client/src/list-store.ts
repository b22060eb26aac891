import type { Wish } from "./addresses.ts";
import type { ListFilter, ListSnapshot, ListStore } from "./client.ts";
import { ListModel } from "./list-model.ts";
import { statusOf } from "./log-part.ts";
import { Linger, type StoreCare } from "./log-store.ts";
import type { ListMessage, LogMessage } from "./messages.ts";
import { LIST, type LinkState, type Part } from "./part.ts";
import type { Pool } from "./pool.ts";
import { Publisher } from "./publisher.ts";
import type { Link } from "./snapshot.ts";

const LIMIT = 100;

export class WatchedList implements ListStore, Part {
  readonly key = LIST;
  readonly group = LIST;
  readonly #pool: Pool;
  readonly #filter: ListFilter;
  readonly #model: ListModel;
  readonly #publisher: Publisher<ListSnapshot>;
  readonly #linger: Linger;
  #link: Link = { phase: "connecting", attempt: 0 };

  constructor(pool: Pool, filter: ListFilter, care: StoreCare) {
    this.#pool = pool;
    this.#filter = { limit: LIMIT, ...filter };
    this.#model = new ListModel(filter.limit ?? LIMIT);
    const linger = new Linger(pool, () => {
      this.close();
      care.left(this);
    });
    this.#publisher = new Publisher(pool.env, (version) => this.#snapshot(version), {
      first: () => {
        linger.end();
        care.kept(this);
        pool.attach(this);
      },
      last: () => linger.begin(),
    });
    this.#linger = linger;
  }

  subscribe = (listener: () => void): (() => void) => this.#publisher.subscribe(listener);

  getSnapshot = (): ListSnapshot => this.#publisher.getSnapshot();

  reconnect = (): void => {
    if (this.#publisher.watched) this.#pool.reconnect(this);
  };

  close(): void {
    this.#linger.end();
    this.#pool.detach(this);
    this.#stand({ phase: "closed" });
  }

  wish(): Wish {
    return this.#filter as Wish;
  }

  take(message: LogMessage | ListMessage): void {
    if (message.type !== "watching" && message.type !== "executions") return;
    const fits = this.#model.take(message);
    if (message.type === "watching") this.#link = { phase: "live" };
    this.#publisher.changed();
    if (!fits) this.#pool.again(this);
  }

  told(state: LinkState): void {
    if (state.phase === "open") return;
    if (state.phase === "refused") this.#pool.detach(this, true);
    this.#stand(state);
  }

  #stand(link: Link): void {
    this.#link = link;
    this.#publisher.changed();
  }

  #snapshot(version: number): ListSnapshot {
    const { executions, loaded, next } = this.#model;
    return { version, connectionStatus: statusOf(this.#link), link: this.#link, executions, loaded, next };
  }
}
