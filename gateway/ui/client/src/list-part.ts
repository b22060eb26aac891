import type { Wish } from "./addresses.ts";
import type { ListFilter, ListSnapshot } from "./client.ts";
import { ListModel } from "./list-model.ts";
import { statusOf } from "./log-part.ts";
import type { ListMessage, LogMessage } from "./messages.ts";
import { LIST, type LinkState } from "./part.ts";
import type { Pool } from "./pool.ts";
import type { ExecutionState } from "./records.ts";
import type { Link } from "./snapshot.ts";
import type { Watched } from "./watched-store.ts";

const LIMIT = 100;

/** The list of executions that is watched. */
export class ListPart implements Watched<ListSnapshot> {
  readonly key = LIST;
  readonly verb = "watch";
  readonly group = LIST;
  readonly #pool: Pool;
  readonly #filter: ListFilter;
  readonly #changed: () => void;
  readonly #model: ListModel;
  #link: Link = { phase: "connecting", attempt: 0 };

  constructor(pool: Pool, filter: ListFilter, changed: () => void) {
    this.#pool = pool;
    const wanted = { limit: LIMIT, ...filter };
    this.#filter = wanted;
    this.#changed = changed;
    this.#model = new ListModel(wanted.limit);
  }

  start(): void {
    this.#pool.attach(this);
  }

  stop(): void {
    this.#pool.detach(this);
    this.#stand({ phase: "closed" });
  }

  wish(): Wish {
    return this.#filter as Wish;
  }

  take(message: LogMessage | ListMessage): void {
    if (!("executions" in message)) return;
    if (!this.#model.take(message)) this.#pool.again(this);
    this.#stand({ phase: "live" });
  }

  told(state: LinkState): void {
    if (state.phase === "open") return;
    if (state.phase === "refused") this.#pool.detach(this, true);
    this.#stand(state);
  }

  snapshot(version: number): ListSnapshot {
    const { executions, loaded, next, begun } = this.#model;
    return { version, connectionStatus: statusOf(this.#link), link: this.#link, executions, loaded, next, begun };
  }

  add(executions: readonly ExecutionState[], next?: string | null): void {
    this.#model.add(executions, next);
    this.#changed();
  }

  #stand(link: Link): void {
    this.#link = link;
    this.#changed();
  }
}
