/** A text that was too long for its worker: both its ends, and how much lay between. Pure. */

export interface CutText {
  readonly head: string;
  readonly tail: string;
  /** Bytes that are gone, and how many there were. */
  readonly gone: number;
  readonly of: number;
}

/** Read the mark that the producer's `record.py` leaves in a *text* of *bytes* bytes; null: there is none. */
export function cutIn(text: string, bytes: unknown): CutText | null {
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes)) return null;
  const mark = new RegExp(` … \\[(\\d{1,15}) of ${bytes} bytes cut\\] … `).exec(text);
  if (!mark) return null;
  return { head: text.slice(0, mark.index), tail: text.slice(mark.index + mark[0].length), gone: Number(mark[1]), of: bytes };
}
