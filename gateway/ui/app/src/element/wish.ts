/** What an element's attributes ask for. Pure. */

type Token = string | null | (() => string | null | Promise<string | null>);

export interface Wish {
  /** null: none is named (yet). */
  readonly execution: string | null;
  /** The gateway. */
  readonly url: string;
  readonly share: string | null;
  /** First and last line to open at. */
  readonly line: readonly [number, number] | null;
  readonly token: Token;
}

const LINE = /^L?(\d+)(?:-L?(\d+))?$/;

/** Read the attributes, as *attribute* gives them; *own* is the gateway when none is named. */
export function wishOf(attribute: (name: string) => string | null, token: Token, own: string): Wish {
  const [, first, last = first] = LINE.exec(attribute("line") ?? "") ?? [];
  return {
    execution: attribute("execution") || null,
    url: attribute("src")?.replace(/\/+$/, "") || own,
    share: attribute("share") || null,
    line: first === undefined ? null : [Number(first), Number(last)],
    token,
  };
}

/** The gateway that served *script*, `…/monitoring/runtail-log.js`. */
export const ownGateway = (script: string): string => new URL(script).href.replace(/\/monitoring\/[^/]*$/, "");
