/** What rows are taller than one line, by their seq: sparse, so that ten million equal rows cost nothing. */

const CHUNK = 512;

/** Sums of prefixes that can be changed in O(log n); grows by itself. */
class Prefixes {
  #tree = new Float64Array(64);
  #values = new Float64Array(64);

  add(at: number, by: number): void {
    if (at >= this.#values.length) this.#grow(at);
    this.#values[at]! += by;
    for (let i = at + 1; i <= this.#tree.length; i += i & -i) this.#tree[i - 1]! += by;
  }

  /** Sum of all values below *at*. */
  below(at: number): number {
    let sum = 0;
    for (let i = Math.min(at, this.#tree.length); i > 0; i -= i & -i) sum += this.#tree[i - 1]!;
    return sum;
  }

  #grow(at: number): void {
    const values = this.#values;
    let size = values.length;
    while (size <= at) size *= 2;
    this.#values = new Float64Array(size);
    this.#tree = new Float64Array(size);
    values.forEach((value, i) => {
      if (value !== 0) this.add(i, value);
    });
  }
}

/** Pixels beyond the height of one row, of each row that was measured. */
export class Heights {
  readonly #chunks = new Map<number, Float32Array>();
  readonly #prefixes = new Prefixes();
  #total = 0;

  /** Of all rows together. */
  get total(): number {
    return this.#total;
  }

  get(seq: number): number {
    return this.#chunks.get(Math.floor(seq / CHUNK))?.[seq % CHUNK] ?? 0;
  }

  /** Say that the row of *seq* is *extra* pixels taller than one line; answer whether that is news. */
  set(seq: number, extra: number): boolean {
    const at = Math.floor(seq / CHUNK);
    const chunk = this.#chunks.get(at) ?? (extra === 0 ? null : this.#make(at));
    if (chunk === null) return false;
    const before = chunk[seq % CHUNK]!;
    chunk[seq % CHUNK] = extra;
    const by = chunk[seq % CHUNK]! - before; // as stored: Float32 rounds
    if (by === 0) return false;
    this.#prefixes.add(at, by);
    this.#total += by;
    return true;
  }

  /** Sum of the rows with lower seqs than *seq*. */
  before(seq: number): number {
    if (this.#total === 0) return 0;
    const at = Math.floor(seq / CHUNK);
    let sum = this.#prefixes.below(at);
    const chunk = this.#chunks.get(at);
    if (chunk) for (let i = seq % CHUNK; i > 0; i -= 1) sum += chunk[i - 1]!;
    return sum;
  }

  /** Forget the rows from *first* to *last*: they are hidden, and measured anew when they come back. */
  clear(first: number, last: number): void {
    for (const [at, chunk] of this.#chunks) {
      if (at * CHUNK > last || (at + 1) * CHUNK <= first) continue;
      chunk.forEach((extra, i) => {
        const seq = at * CHUNK + i;
        if (extra !== 0 && seq >= first && seq <= last) this.set(seq, 0);
      });
    }
  }

  #make(at: number): Float32Array {
    const chunk = new Float32Array(CHUNK);
    this.#chunks.set(at, chunk);
    return chunk;
  }
}
