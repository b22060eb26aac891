/** Spelled times. */

const pad = (value: number): string => String(value).padStart(2, "0");

/** `0.4 s`, `12 s`, `3 min 05 s`, `2 h 07 min`, `3 d 4 h`. */
export function spellDuration(ms: number, tenths = false): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 10 && tenths) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${pad(seconds % 60)} s`;
  const hours = Math.floor(seconds / 3600);
  if (hours < 48) return `${hours} h ${pad(Math.floor(seconds / 60) % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** The same for `<time dateTime>`: ISO 8601. */
export const isoDuration = (ms: number): string => `PT${Math.floor(Math.max(0, ms) / 1000)}S`;
