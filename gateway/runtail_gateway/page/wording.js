// The words and numbers on the page. Pure.

const NUMBER = new Intl.NumberFormat("en-US");
const TERMINAL = new Set(["completed", "failed", "cancelled"]);

export const isFinal = (status) => TERMINAL.has(status);
export const number = (value) => NUMBER.format(value);
export const lines = (count) => `${number(count)} ${count === 1 ? "line" : "lines"}`;

const pad = (value, digits = 2) => String(value).padStart(digits, "0");

/** Spell *ms* as people read a clock: `0.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(ms, { tenths = false } = {}) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 10 && tenths) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours} h ${pad(Math.floor(seconds / 60) % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** Spell a step's own `duration_ms`. */
export const stepDuration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : duration(ms, { tenths: true }));

/** Spell the time of day of an RFC 3339 *timestamp*, in the reader's own time zone. */
export function timeOfDay(timestamp) {
  const at = new Date(timestamp ?? NaN);
  if (Number.isNaN(at.getTime())) return "";
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map((n) => pad(n)).join(":");
  return `${clock}.${pad(at.getMilliseconds(), 3)}`;
}

/** How long *state* has run at *now*; null before it began. */
export function elapsed(state, now) {
  const from = Date.parse(state?.started_at ?? state?.created_at ?? "");
  if (Number.isNaN(from)) return null;
  const until = state.ended_at ? Date.parse(state.ended_at) : now;
  return Math.max(0, until - from);
}

// Escape sequences that colour a terminal say nothing here, and must not reach one by copy and paste.
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|[@-Z\\-_])/g;
export const plain = (text) => String(text ?? "").replace(ESCAPES, "");

/** The colour of the dot: "connected", "connecting", "disconnected" or "error". */
export function dotOf(viewer) {
  switch (viewer.phase) {
    case "replaying":
    case "live":
      return "connected";
    case "connecting":
    case "retrying":
      return "connecting";
    case "refused":
      return "error";
    default:
      return "disconnected";
  }
}

const QUIET_AFTER_MS = 3_000;
const WAITING = "waiting for the first record";

/** Tell quiet from dead: what the connection does right now, in words. */
export function connectionWords(viewer, now) {
  switch (viewer.phase) {
    case "connecting":
      return viewer.attempt ? `reconnecting, try ${viewer.attempt}` : "connecting";
    case "retrying": {
      const left = Math.max(0, Math.ceil((viewer.retryAt - now) / 1000));
      const why = viewer.error ? `${viewer.error.message} · ` : "";
      return `${why}reconnecting, try ${viewer.attempt} in ${left} s`;
    }
    case "replaying":
      if (!viewer.replayTo) return WAITING;
      return `catching up, line ${number(viewer.continuity.lastSeq)} of ${number(viewer.replayTo)}`;
    case "live":
      return liveWords(viewer, now);
    case "done":
      return doneWords(viewer);
    case "refused":
      return viewer.error.message;
    default:
      return "closed";
  }
}

function liveWords(viewer, now) {
  if (viewer.workers?.silent) return "worker silent";
  if (!viewer.continuity.lastSeq) return WAITING;
  if (now - viewer.recordAt < QUIET_AFTER_MS) return "live";
  const silence = now - viewer.heardAt;
  return `live · quiet, last heard ${silence < 1000 ? "just now" : `${duration(silence)} ago`}`;
}

function doneWords({ continuity, totals }) {
  const dropped = totals.dropped ? `, ${number(totals.dropped)} dropped by the worker` : "";
  if (continuity.proves(totals)) return `complete, ${lines(totals.records)}${dropped}`;
  const missing = Math.max(totals.records - continuity.held, continuity.missing);
  return `ended, ${lines(continuity.held)} of ${number(totals.records)}, ${number(missing)} missing${dropped}`;
}
