/** What a browser, or Node, has of what the client needs. */

import type { Environment } from "./client.ts";

const FRAME_MS = 16;
const HIDDEN_FRAME_MS = 250;

/** Draw on the next frame; in a hidden page, which has none, soon. */
function requestFrame(run: () => void): void {
  let due = true;
  const once = (): void => {
    if (due) run();
    due = false;
  };
  const frames = typeof requestAnimationFrame === "function";
  if (frames) requestAnimationFrame(once);
  setTimeout(once, frames ? HIDDEN_FRAME_MS : FRAME_MS);
}

function onWake(wake: () => void): () => void {
  if (typeof document === "undefined") return () => {};
  const visible = (): void => {
    if (document.visibilityState === "visible") wake();
  };
  addEventListener("online", wake);
  document.addEventListener("visibilitychange", visible);
  return () => {
    removeEventListener("online", wake);
    document.removeEventListener("visibilitychange", visible);
  };
}

/** Take what *given* has, and the surroundings' own for the rest. */
export const surroundings = (given: Partial<Environment> = {}): Environment => ({
  WebSocket: globalThis.WebSocket,
  fetch: (...request) => fetch(...request),
  now: Date.now,
  random: Math.random,
  setTimeout: (run, ms) => setTimeout(run, ms),
  clearTimeout: (timer) => clearTimeout(timer as number),
  requestFrame,
  onWake,
  ...given,
});
