// What a viewer remembers of where it has been, so that it can resume. Pure.

const REMEMBERED_CURSORS = 8;

/** Read the seq out of a cursor `<record id>:<seq>:<tag>`; null for a bare record id. */
export function seqOf(cursor) {
  const parts = cursor.split(":");
  return parts.length > 1 ? Number(parts[1]) : null;
}

/**
 * Remember the newest cursor and older ones sparser, at most REMEMBERED_CURSORS, so that after a
 * failover the log is read again from as late a place as the gateway can prove.
 */
export class CursorMemory {
  #kept = [];

  /** Remember *cursor*, which lies at or beyond all others. */
  add(cursor) {
    const seq = seqOf(cursor);
    if (seq === null) return;
    while (this.#kept.length && this.#kept.at(-1).seq >= seq) this.#kept.pop();
    this.#kept.push({ cursor, seq });
    if (this.#kept.length > REMEMBERED_CURSORS) this.#kept.splice(this.#dullest(), 1);
  }

  /** Forget everything beyond *cursor*, and stand there. */
  rewind(cursor) {
    const seq = seqOf(cursor) ?? 0;
    this.#kept = this.#kept.filter((known) => known.seq < seq);
    this.add(cursor);
  }

  newestFirst() {
    return this.#kept.map((known) => known.cursor).reverse();
  }

  // The one whose loss widens the gaps least, in proportion to its age.
  #dullest() {
    const kept = this.#kept;
    const widened = (i) =>
      (kept[i + 1].seq - kept[i - 1].seq) / (kept.at(-1).seq - kept[i - 1].seq + 1);
    let best = 1;
    for (let i = 2; i < kept.length - 1; i += 1) if (widened(i) < widened(best)) best = i;
    return best;
  }
}
