/** What a close code, or a refusal's word, tells a viewer to do. Pure. */

/** "again": come again with the cursor; "token": with a new token; "refused": do not come again. */
export type Verdict = "again" | "token" | "refused";

/** Given up by this client: silent for too long. */
export const GIVEN_UP = 4000;
export const GONE = 1006;
const SIGNED_OUT = 4401;
export const EXPIRED = 4402;

const CODES: Readonly<Record<string, number>> = {
  draining: 1012,
  too_many: 4329,
  unavailable: 4330,
  full: 4330,
  newer_format: 4331,
  signed_out: SIGNED_OUT,
  expired: EXPIRED,
  forbidden: 4403,
  foreign_origin: 4403,
  not_found: 4404,
  deleted: 4410,
  damaged: 4422,
};

/** The close code that says the same as a refusal's *word*; of one that is not known: do not come again. */
export const codeOf = (word: string): number => CODES[word] ?? 4400;

/** The close code that says the same as an HTTP *status* with a problem's *word*. */
export function codeOfStatus(status: number, word: string): number {
  const known = CODES[word];
  if (known !== undefined) return known;
  if (status === 401) return SIGNED_OUT;
  // 408 and 429 pass; so does whatever a proxy answers of its own accord while gateways come and go.
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? 4400 : GONE;
}

export function verdictOf(code: number): Verdict {
  if (code === SIGNED_OUT || code === EXPIRED) return "token";
  // 1000 without `end` is no end: a viewer is done only when it saw one.
  return code >= 4400 && code < 4500 ? "refused" : "again";
}
