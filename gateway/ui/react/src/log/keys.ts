/** Which key means what. Pure. */

export type Command =
  | "search" | "next" | "previous" | "error"
  | "down" | "up" | "selectDown" | "selectUp" | "first" | "last" | "pageDown" | "pageUp"
  | "follow" | "wrap" | "time" | "help" | "open" | "context" | "fold" | "selectAll" | "escape";

export interface Key {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

const PLAIN: Readonly<Record<string, Command>> = {
  "/": "search", n: "next", N: "previous", e: "error", j: "down", k: "up", J: "selectDown", K: "selectUp", g: "first", G: "last",
  f: "follow", w: "wrap", t: "time", "?": "help", c: "context", z: "fold", Enter: "open", Escape: "escape",
  ArrowDown: "down", ArrowUp: "up", PageDown: "pageDown", PageUp: "pageUp", Home: "first", End: "last", " ": "pageDown",
};

/** The command of *key*; null: it is the browser's. */
export function commandOf({ key, ctrlKey, metaKey, shiftKey, altKey }: Key): Command | null {
  if (altKey) return null;
  if (ctrlKey || metaKey) {
    if (key === "f" || key === "F") return "search";
    if (key === "a") return "selectAll";
    if (key === "Home") return "first";
    return key === "End" ? "last" : null;
  }
  if (shiftKey && key === "ArrowDown") return "selectDown";
  if (shiftKey && key === "ArrowUp") return "selectUp";
  if (shiftKey && key === " ") return "pageUp";
  return PLAIN[key] ?? null;
}
