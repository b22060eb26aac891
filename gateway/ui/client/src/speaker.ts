import { Allowance } from "./allowance.ts";
import type { Environment } from "./client.ts";

/** Says things to a gateway in order, no faster than it listens. */
export class Speaker {
  readonly #env: Environment;
  readonly #send: (message: object) => void;
  #allowance: Allowance;
  #unsaid: (() => object | null)[] = [];
  #timer: unknown;

  constructor(env: Environment, send: (message: object) => void) {
    this.#env = env;
    this.#send = send;
    this.#allowance = new Allowance(env.now());
  }

  /** Say what *make* makes when its turn comes; null: nothing any more. */
  say(make: () => object | null): void {
    this.#unsaid.push(make);
    if (this.#timer === undefined) this.#go();
  }

  /** The connection is gone: nothing of what is left is said, and the next one listens anew. */
  stop(): void {
    this.#env.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unsaid = [];
    this.#allowance = new Allowance(this.#env.now());
  }

  #go(): void {
    this.#timer = undefined;
    while (this.#unsaid.length > 0) {
      const now = this.#env.now();
      if (!this.#allowance.take(now)) {
        this.#timer = this.#env.setTimeout(() => this.#go(), this.#allowance.wait(now));
        return;
      }
      const message = this.#unsaid.shift()?.();
      if (message) this.#send(message);
    }
  }
}
