/** One execution that is watched: its model, and how its link stands. */

import type { Wish } from "./addresses.ts";
import type { LogOptions } from "./client.ts";
import { type Happening, type LogModel, logModel } from "./log-model.ts";
import type { ListMessage, LogMessage } from "./messages.ts";
import type { LinkState } from "./part.ts";
import type { Pool } from "./pool.ts";
import type { ConnectionStatus, Link, LogSnapshot } from "./snapshot.ts";
import type { Watched } from "./watched-store.ts";

/** The four words for *link*. Whoever waits for the next try is connecting: nobody has to do anything. */
export function statusOf(link: Link): ConnectionStatus {
  switch (link.phase) {
    case "connecting":
    case "retrying":
      return "connecting";
    case "replaying":
    case "live":
      return "connected";
    case "signed_out":
    case "refused":
      return "error";
    case "ended":
    case "closed":
      return "disconnected";
  }
}

export class LogPart implements Watched<LogSnapshot> {
  readonly key: string;
  readonly group: string;
  link: Link = { phase: "connecting", attempt: 0 };
  readonly #pool: Pool;
  readonly #model: LogModel;
  readonly #options: LogOptions;
  readonly #changed: (happened: readonly Happening[]) => void;

  constructor(
    pool: Pool, executionId: string, options: LogOptions, window: number,
    changed: (happened: readonly Happening[]) => void,
  ) {
    const { after, level, step, tail, wait = true } = options;
    this.#pool = pool;
    this.#options = options;
    this.#changed = changed;
    this.key = executionId;
    this.group = JSON.stringify([level, step, tail, wait]);
    const filtered = Boolean(level?.length || step?.length);
    this.#model = logModel(executionId, { window, filtered, after: cursorsOf(after) });
  }

  snapshot(version: number): LogSnapshot {
    return { ...this.#model.view, version, link: this.link, connectionStatus: statusOf(this.link) };
  }

  start(): void {
    if (this.link.phase === "ended") return;
    this.#pool.attach(this);
  }

  stop(): void {
    this.#pool.detach(this);
    this.#model.cut();
    if (this.link.phase !== "ended" && this.link.phase !== "refused") this.#stand({ phase: "closed" });
  }

  wish(): Wish {
    const { after, level, step, tail, wait = true } = this.#options;
    const own = this.#model.cursors;
    const given = after === undefined ? [] : [after].flat();
    const places = own.length > 0 ? own : given;
    return {
      ...(places.length > 0 ? { after: places } : tail === undefined ? {} : { tail }),
      wait,
      ...(level?.length ? { level } : {}),
      ...(step?.length ? { step } : {}),
    };
  }

  take(message: LogMessage | ListMessage): void {
    if (message.type === "watching" || message.type === "executions") return;
    const model = this.#model;
    const before = model.stage;
    const happened = model.take(message, this.#pool.env.now());
    const { stage } = model;
    if (stage.phase === "ended") this.#pool.detach(this, true);
    if (stage !== before && stage.phase !== "silent") this.link = stage;
    this.#changed(happened);
  }

  told(state: LinkState): void {
    const model = this.#model;
    switch (state.phase) {
      case "open":
        if (this.link.phase !== "connecting") this.#stand({ phase: "connecting", attempt: 0 });
        return;
      case "refused":
        model.fail({ code: state.reason, message: state.message });
        this.#pool.detach(this, true);
        break;
      case "signed_out":
        model.fail({ code: state.code === 4402 ? "expired" : "signed_out", message: state.message });
        break;
      case "connecting":
      case "retrying":
    }
    model.cut();
    this.#stand(state);
  }

  #stand(link: Link): void {
    this.link = link;
    this.#changed([]);
  }
}

const cursorsOf = (after: LogOptions["after"]): readonly string[] =>
  [after ?? []].flat().filter((cursor) => cursor !== "$");
