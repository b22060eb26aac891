import type { Wish } from "./addresses.ts";
import type { ListFilter, ListSnapshot } from "./client.ts";
import { listModel } from "./list-model.ts";
import { statusOf } from "./log-part.ts";
import { LIST } from "./part.ts";
import type { Pool } from "./pool.ts";
import type { ExecutionState } from "./records.ts";
import type { Link } from "./snapshot.ts";
import type { Watched } from "./watched-store.ts";

const LIMIT = 100;

export interface ListPart extends Watched<ListSnapshot> {
  add(executions: readonly ExecutionState[], next?: string | null): void;
}

/** Watch the list of executions through *pool*; *changed* is called when there is another snapshot. */
export function listPart(pool: Pool, filter: ListFilter, changed: () => void): ListPart {
  const wanted = { limit: LIMIT, ...filter };
  const model = listModel(wanted.limit);
  let link: Link = { phase: "connecting", attempt: 0 };
  const stand = (now: Link): void => {
    link = now;
    changed();
  };

  const part: ListPart = {
    key: LIST,
    verb: "watch",
    group: LIST,
    start: () => pool.attach(part),
    stop() {
      pool.detach(part);
      stand({ phase: "closed" });
    },
    wish: () => wanted as Wish,
    take(message) {
      if (!("executions" in message)) return;
      if (!model.take(message)) pool.again(part);
      stand({ phase: "live" });
    },
    told(state) {
      if (state.phase === "open") return;
      if (state.phase === "refused") pool.detach(part, true);
      stand(state);
    },
    snapshot: (version) => ({ ...model.view, version, link, connectionStatus: statusOf(link) }),
    add(...page) {
      model.add(...page);
      changed();
    },
  };
  return part;
}
