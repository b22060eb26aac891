// The proof, on the viewer's side, that nothing is missing and nothing comes twice. Pure.

const REMEMBERED_HOLES = 1000;

/** Follow the line numbers of one log: say of each whether it continues what is held. */
export class Continuity {
  /** seq of the last record held, or 0. */
  lastSeq = 0;
  /** How many records were received and not withdrawn. */
  held = 0;
  /** Records that came again and were not shown. */
  repeated = 0;
  /** Holes that nobody announced. */
  violations = 0;
  #holes = []; // announced and unannounced: {after, size}

  /** Begin after *seq* instead of at the first record. */
  startAfter(seq) {
    this.lastSeq = seq;
  }

  /** Take the record *seq*: "next", "repeated" (drop it), or the size of the hole before it. */
  take(seq) {
    if (seq <= this.lastSeq) {
      this.repeated += 1;
      return "repeated";
    }
    const hole = seq - this.lastSeq - 1;
    if (hole > 0) this.#unannounced(hole);
    this.lastSeq = seq;
    this.held += 1;
    return hole > 0 ? hole : "next";
  }

  /** Hear that the gateway believes this viewer to be at *seq*: the size of the hole if it is not. */
  claim(seq) {
    const hole = seq - this.lastSeq;
    if (hole <= 0) return 0;
    this.#unannounced(hole);
    this.lastSeq = seq;
    return hole;
  }

  /** Take an announced gap, both ends exclusive. */
  gap(after, before) {
    const next = Math.max(before - 1, this.lastSeq);
    this.#remember({ after: Math.min(after, next), size: next - this.lastSeq });
    this.lastSeq = next;
  }

  /** Withdraw everything after *seq*; answer how many records that were. */
  reset(seq) {
    if (seq >= this.lastSeq) return 0;
    let lost = 0;
    for (const hole of this.#holes) if (hole.after >= seq) lost += hole.size;
    const withdrawn = Math.max(0, this.lastSeq - seq - lost);
    this.#holes = this.#holes.filter((hole) => hole.after < seq);
    this.held -= withdrawn;
    this.lastSeq = seq;
    return withdrawn;
  }

  /** True if every record of *totals* is held: same count, same end, no hole. */
  proves(totals) {
    return (
      this.#holes.length === 0 && this.held === totals.records && this.lastSeq === totals.last
    );
  }

  /** How many records are known to be missing. */
  get missing() {
    return this.#holes.reduce((sum, hole) => sum + hole.size, 0);
  }

  #unannounced(size) {
    this.violations += 1;
    this.#remember({ after: this.lastSeq, size });
  }

  #remember(hole) {
    // Too many holes to list: the last one grows, so that the sum and the verdict stay right.
    if (this.#holes.length < REMEMBERED_HOLES) this.#holes.push(hole);
    else this.#holes.at(-1).size += hole.size;
  }
}
