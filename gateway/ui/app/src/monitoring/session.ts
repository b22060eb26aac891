/** The token that somebody signed in with: kept for this tab alone, never in an address. */

const KEY = "runtail-token";

export interface Session {
  token(): string | null;
  signIn(token: string): void;
  signOut(): void;
}

/** Keep the token in *storage*; where that is refused (a browser's own settings), in memory. */
export function sessionIn(storage: () => Storage): Session {
  let memory: string | null = null;
  const kept = <T>(use: (at: Storage) => T, otherwise: () => T): T => {
    try {
      return use(storage());
    } catch {
      return otherwise();
    }
  };
  return {
    token: () => kept((at) => at.getItem(KEY), () => null) ?? memory,
    signIn(token) {
      memory = token;
      kept((at) => at.setItem(KEY, token), () => {});
    },
    signOut() {
      memory = null;
      kept((at) => at.removeItem(KEY), () => {});
    },
  };
}

/** What somebody typed or pasted, as a token: without blanks, `Bearer` and quotes around it. */
export function tokenOf(typed: string): string {
  return typed.replace(/^\s*(?:Bearer\s+)?["']?|["']?\s*$/gi, "");
}

/** When *token* (a JWT) expires, in ms; null: never, or it does not say. */
export function expiryOf(token: string): number | null {
  try {
    const body = token.split(".")[1] ?? "";
    const told: unknown = JSON.parse(atob(body.replace(/-/g, "+").replace(/_/g, "/")));
    const exp = typeof told === "object" && told !== null && "exp" in told ? told.exp : null;
    return typeof exp === "number" ? exp * 1000 : null;
  } catch {
    return null;
  }
}
