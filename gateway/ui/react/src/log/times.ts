/** When a line was written, as its reader wants to see it. Pure. */

export type TimeFormat = "local" | "utc" | "ago" | "start" | "none";

export const TIME_FORMATS: readonly TimeFormat[] = ["local", "utc", "ago", "start", "none"];

const pad = (value: number, digits = 2): string => String(value).padStart(digits, "0");

/** *timestamp* (RFC 3339) in *format*; `start`: ms since 1970 at which the run began. Empty: it is none. */
export function timeText(timestamp: unknown, format: TimeFormat, now: number, start: number | null): string {
  const at = typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN;
  if (Number.isNaN(at)) return "";
  switch (format) {
    case "local":
      return localText(new Date(at));
    case "utc":
      return new Date(at).toISOString();
    case "ago":
      return `−${span(Math.max(0, now - at))}`;
    case "start":
      return start === null ? "" : `${at < start ? "−" : "+"}${span(Math.abs(at - start))}`;
    case "none":
      return "";
  }
}

function localText(at: Date): string {
  return `${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}.${pad(at.getMilliseconds(), 3)}`;
}

/** Spell *ms* short: `0.412 s`, `41.2 s`, `3:05`, `2:07:09`, `3 d 2:07:09`. */
export function span(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(3)} s`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${pad(seconds % 60)}`;
  const hours = Math.floor(minutes / 60);
  const clock = `${hours % 24}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
  return hours < 24 ? clock : `${Math.floor(hours / 24)} d ${clock}`;
}

/** Spell how long something took: `340 ms`, `4.2 s`, `3 min 05 s`, `2 h 07 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 10) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${pad(Math.floor(seconds / 60) % 60)} min`;
}
