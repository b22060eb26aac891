/** One execution that is watched: its model, and how its link stands. */

import type { LogOptions } from "./client.ts";
import { EXPIRED } from "./close-codes.ts";
import { type Happening, logModel } from "./log-model.ts";
import type { LogMessage } from "./messages.ts";
import type { Pool } from "./pool.ts";
import type { WindowBounds } from "./record-window.ts";
import type { ConnectionStatus, Link, LogSnapshot } from "./snapshot.ts";
import type { Watched } from "./watched-store.ts";

/** The four words for *link*. Whoever waits for the next try is connecting: nobody has to do anything. */
export const statusOf = ({ phase }: Link): ConnectionStatus => STATUS[phase];

const STATUS: Readonly<Record<Link["phase"], ConnectionStatus>> = {
  connecting: "connecting",
  retrying: "connecting",
  replaying: "connected",
  live: "connected",
  signed_out: "error",
  refused: "error",
  ended: "disconnected",
  closed: "disconnected",
};

const someOf = <T>(list?: readonly T[]): readonly T[] | undefined => (list?.length ? list : undefined);

export interface LogPart extends Watched<LogSnapshot> {
  readonly link: Link;
}

/** *changed* is told what each message meant, and (nothing) that the link stands otherwise. */
export function logPart(
  { attach, detach, env }: Pool, executionId: string, options: LogOptions, window: WindowBounds,
  changed: (happened: readonly Happening[]) => void,
): LogPart {
  const { level, step, tail, wait = true } = options;
  const after = options.after === undefined ? [] : [options.after].flat();
  const filtered = Boolean(someOf(level) ?? someOf(step));
  const model = logModel(executionId, { window, filtered, after: after.filter((cursor) => cursor !== "$") });
  let link: Link = { phase: "connecting", attempt: 0 };

  const stand = (next: Link): void => {
    link = next;
    changed([]);
  };
  const part: LogPart = {
    key: executionId,
    verb: "subscribe",
    group: JSON.stringify([level, step, tail, wait]),
    get link() {
      return link;
    },
    snapshot: (version) => ({ ...model.view, version, link, connectionStatus: statusOf(link) }),
    start() {
      if (link.phase !== "ended") attach(part);
    },
    stop() {
      detach(part);
      model.cut();
      if (link.phase !== "ended" && link.phase !== "refused") stand({ phase: "closed" });
    },
    wish() {
      const places = someOf(model.cursors) ?? someOf(after);
      return { after: places, tail: places ? undefined : tail, wait, level: someOf(level), step: someOf(step) };
    },
    take(message) {
      const before = model.stage;
      const happened = model.take(message as LogMessage, env.now()); // the list's go to whoever watches the list
      const { stage } = model;
      if (stage.phase === "ended") detach(part, true);
      if (stage !== before && stage.phase !== "silent") link = stage;
      changed(happened);
    },
    told(state) {
      if (state.phase === "open") {
        if (link.phase !== "connecting") stand({ phase: "connecting", attempt: 0 });
        return;
      }
      if (state.phase === "refused") {
        model.fail({ code: state.reason, message: state.message });
        detach(part, true);
      } else if (state.phase === "signed_out") {
        model.fail({ code: state.code === EXPIRED ? "expired" : state.phase, message: state.message });
      }
      model.cut();
      stand(state);
    },
  };
  return part;
}
