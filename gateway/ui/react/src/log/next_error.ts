/** The next error after a line, in the whole log: at hand, else asked of the gateway. */

import type { LogRecord, RestApi } from "@runtail/client";
import { indexAfter } from "./held.ts";

/** Most pages that are asked for; each looks at tens of thousands of lines. */
const MOST_PAGES = 500;

/** Find the seq of the next error after *seq*; null: there is none. Rejects when a page cannot be had. */
export async function nextError(rest: RestApi, executionId: string, seq: number, held: readonly LogRecord[], signal: AbortSignal): Promise<number | null> {
  const first = held[0]?.seq ?? Number.POSITIVE_INFINITY;
  if (seq + 1 >= first) return errorIn(held, seq);
  const [record] = (await rest.logs(executionId, { around: Math.max(1, seq), limit: 1, signal })).records;
  let after = record?.id ?? null;
  for (let page = 0; page < MOST_PAGES && after !== null; page += 1) {
    const { matches, looked, cursor } = await rest.logs(executionId, { after, level: ["error"], limit: 1, signal });
    if (matches[0] !== undefined) return matches[0];
    after = looked === null || cursor === after ? null : cursor;
  }
  return errorIn(held, seq);
}

function errorIn(records: readonly LogRecord[], seq: number): number | null {
  for (let i = indexAfter(records, seq); i < records.length; i += 1) {
    const record = records[i]!;
    if ((record.kind === undefined || record.kind === "log") && record.level === "error") return record.seq;
  }
  return null;
}
