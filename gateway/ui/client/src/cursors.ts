/** What a viewer remembers of where it has been, so that it can resume. Pure. */

const REMEMBERED = 8;

/** Read the seq out of a cursor `<record id>:<seq>:<tag>`; null for a bare record id. */
export function seqOf(cursor: string): number | null {
  const seq = cursor.split(":")[1];
  return seq === undefined ? null : Number(seq);
}

interface Place {
  readonly cursor: string;
  readonly seq: number;
}

export interface CursorMemory {
  /** Stand at *cursor*: what was remembered beyond it is forgotten. A bare record id is not remembered. */
  stand(cursor: string): void;
  newestFirst(): string[];
}

/**
 * Remember the newest cursor and older ones sparser, at most eight, so that after a failover the
 * log is read again from as late a place as the gateway can prove. Begins with *given*, newest first.
 */
export function cursorMemory(given: readonly string[] = []): CursorMemory {
  const kept: Place[] = [];
  const stand = (cursor: string): void => {
    const seq = seqOf(cursor);
    if (seq === null) return;
    while ((kept.at(-1)?.seq ?? -1) >= seq) kept.pop();
    kept.push({ cursor, seq });
    if (kept.length > REMEMBERED) kept.splice(dullest(kept), 1);
  };
  for (const cursor of [...given].reverse()) stand(cursor);
  return { stand, newestFirst: () => kept.map((place) => place.cursor).reverse() };
}

// The one whose loss widens the gaps least, in proportion to its age.
function dullest(kept: readonly Place[]): number {
  const at = (index: number): number => kept[index]?.seq ?? 0;
  const newest = at(kept.length - 1);
  const widened = (i: number): number => (at(i + 1) - at(i - 1)) / (newest - at(i - 1) + 1);
  let best = 1;
  for (let i = 2; i < kept.length - 1; i += 1) if (widened(i) < widened(best)) best = i;
  return best;
}
