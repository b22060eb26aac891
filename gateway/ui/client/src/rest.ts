/** Requests that are answered once. */

import { type Addresses, parametersOf } from "./addresses.ts";
import type { ClientOptions, Environment, LogPage, Problem, RestApi, StepStatistic } from "./client.ts";
import { seqOf } from "./cursors.ts";
import type { GapMessage, ResetMessage } from "./messages.ts";
import { problemOf, RequestFailed } from "./problem.ts";
import type { ExecutionState, LogRecord } from "./records.ts";
import type { Notice } from "./snapshot.ts";
import { addSteps } from "./step-pages.ts";

interface PageAnswer {
  readonly records: readonly LogRecord[];
  readonly notices?: readonly (GapMessage | ResetMessage)[];
  readonly before?: number | null;
  readonly cursor?: string | null;
  readonly matches?: readonly number[];
  readonly looked?: { readonly first_seq: number; readonly last_seq: number } | null;
}

interface StepsAnswer {
  readonly steps: readonly StepStatistic[];
  readonly cursor: string;
  readonly more: boolean;
}

export function restApi(
  { fetch }: Environment, addresses: Addresses, { token, share }: ClientOptions,
): Omit<RestApi, "downloadUrl"> {
  async function ask<T>(address: string, init: RequestInit = {}): Promise<T> {
    const signed = share === undefined ? await token?.() : null;
    const headers = { ...(init.headers as Record<string, string>), ...(signed ? { Authorization: `Bearer ${signed}` } : {}) };
    const response = await fetch(address, { ...init, headers });
    if (!response.ok) throw new RequestFailed((await problemOf(response)) satisfies Problem);
    return (response.status === 204 ? null : await response.json()) as T;
  }
  const aborted = (signal?: AbortSignal): RequestInit => (signal ? { signal } : {});

  return {
    execution: (id, signal) => ask<ExecutionState>(addresses.of(id, ""), aborted(signal)),
    executions: (query = {}, signal) => ask(addresses.http("executions", parametersOf(query)), aborted(signal)),
    async logs(id, { signal, ...query }) {
      return pageOf(await ask<PageAnswer>(addresses.of(id, "/logs", query), aborted(signal)));
    },
    async steps(id, signal) {
      const pages: (readonly StepStatistic[])[] = [];
      let after: string | undefined;
      for (let more = true; more; ) {
        const page: StepsAnswer = await ask(addresses.of(id, "/steps", { after }), aborted(signal));
        pages.push(page.steps);
        more = page.more && page.cursor !== after;
        after = page.cursor;
      }
      return addSteps(pages);
    },
    async cancel(id, reason) {
      await ask(addresses.of(id, "/cancel", { reason }), { method: "POST" });
    },
    ask: (path, { method = "GET", query = {}, body, headers = {}, signal } = {}) =>
      ask(addresses.http(path, parametersOf({ share, ...query })), {
        method,
        ...aborted(signal),
        ...(body === undefined ? { headers } : { headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) }),
      }),
    async remove(id, force) {
      await ask(addresses.of(id, "", force ? { force } : {}), { method: "DELETE" });
    },
    async startDemo(id) {
      await ask(addresses.of(id, "/start-streaming"), { method: "POST" });
    },
  };
}

function pageOf({ records, notices = [], before = null, cursor = null, matches = [], looked }: PageAnswer): LogPage {
  return {
    records,
    notices: notices.map(noticeOf),
    before,
    cursor,
    matches,
    looked: looked ? { firstSeq: looked.first_seq, lastSeq: looked.last_seq } : null,
  };
}

function noticeOf(message: GapMessage | ResetMessage): Notice {
  if (message.type === "reset") {
    return { type: "reset", afterSeq: seqOf(message.cursor) ?? 0, withdrawn: 0, reason: message.reason };
  }
  const { before_seq, lost, proved, reason = "not kept" } = message;
  const beforeSeq = before_seq ?? (message.after_seq ?? 0) + 1;
  return { type: "gap", afterSeq: message.after_seq ?? beforeSeq - 1, beforeSeq, lost, proved, reason };
}
