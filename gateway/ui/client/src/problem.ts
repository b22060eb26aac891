import type { Misfit, Problem } from "./client.ts";

/** A request, or a viewer, that was refused: what the gateway said about it. */
export class RequestFailed extends Error implements Problem {
  declare readonly status: number;
  declare readonly code: string;
  declare readonly detail: string;
  declare readonly errors: readonly Misfit[];

  constructor(problem: Problem) {
    super(`${problem.detail} (${problem.code}, ${problem.status})`);
    Object.assign(this, { errors: [] }, problem, { name: "RequestFailed" });
  }
}

/** Read why *response* refuses: its problem+json, or what a proxy put in its place. */
export async function problemOf(response: Response): Promise<Problem> {
  const { status } = response;
  const said = (await response.json().catch(() => null)) as Partial<Problem> | null;
  return { status, code: said?.code ?? "http", detail: said?.detail ?? `the answer was ${status}`, errors: said?.errors ?? [] };
}
