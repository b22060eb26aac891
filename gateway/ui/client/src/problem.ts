import type { Misfit, Problem } from "./client.ts";

/** A request, or a viewer, that was refused: what the gateway said about it. */
export class RequestFailed extends Error implements Problem {
  override readonly name = "RequestFailed";
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly Misfit[];

  constructor({ status, code, detail, errors = [] }: Problem) {
    super(`${detail} (${code}, ${status})`);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.errors = errors;
  }
}

/** Read why *response* refuses: its problem+json, or what a proxy put in its place. */
export async function problemOf(response: Response): Promise<Problem> {
  const { status } = response;
  const said = (await response.json().catch(() => null)) as Partial<Problem> | null;
  return { status, code: said?.code ?? "http", detail: said?.detail ?? `the answer was ${status}`, errors: said?.errors ?? [] };
}
