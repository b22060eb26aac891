/** Ask for lines by their seqs. */

import type { LogRecord, RestApi } from "@runtail/client";

/**
 * The records from *first* to *last* that are kept. A page that would be too large comes cut, so it takes as
 * many of them as are needed, the last lines first.
 */
export async function linesOf(rest: RestApi, executionId: string, first: number, last: number, signal: AbortSignal): Promise<readonly LogRecord[]> {
  const pages: (readonly LogRecord[])[] = [];
  let before = last + 1;
  while (before > first) {
    const page = await rest.logs(executionId, { before, limit: before - first, signal });
    pages.push(page.records);
    if (page.before === null || page.before >= before) break;
    before = page.before;
  }
  return pages.reverse().flat().filter(({ seq }) => seq >= first && seq <= last);
}
