import type { Environment } from "./client.ts";
import type { Store } from "./snapshot.ts";

/** Who cares for a store: told of the first subscriber, and that the last one left. */
export interface Care {
  first(): void;
  last(): void;
}

/** An external store whose snapshot changes, and whose subscribers hear of it, at most once a frame. */
export class Publisher<T> implements Store<T> {
  readonly #env: Environment;
  readonly #make: (version: number) => T;
  readonly #care: Care;
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #value: T | null = null;
  #stale = true;
  #scheduled = false;

  constructor(env: Environment, make: (version: number) => T, care: Care) {
    this.#env = env;
    this.#make = make;
    this.#care = care;
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  subscribe(listener: () => void): () => void {
    const own = (): void => listener(); // one function may subscribe twice
    this.#listeners.add(own);
    if (this.#listeners.size === 1) this.#care.first();
    return () => {
      if (this.#listeners.delete(own) && this.#listeners.size === 0) this.#care.last();
    };
  }

  /** The snapshot that subscribers were told of; where there are none, the newest. */
  getSnapshot(): T {
    if (this.#value === null || (this.#stale && !this.#scheduled)) this.#renew();
    return this.#value as T;
  }

  /** Say that there is something new. */
  changed(): void {
    this.#stale = true;
    if (this.#scheduled || !this.watched) return;
    this.#scheduled = true;
    this.#env.requestFrame(() => this.#flush());
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#stale) this.#renew();
    for (const listener of this.#listeners) listener();
  }

  #renew(): void {
    this.#stale = false;
    this.#version += 1;
    this.#value = this.#make(this.#version);
  }
}
