/** What holding a value costs. Pure. */

/** About how many characters *value* takes as JSON. It may be nested deeper than calls can be. */
export function weightOf(value: unknown): number {
  const left: unknown[] = [value];
  let sum = 0;
  while (left.length > 0) {
    const next = left.pop();
    sum += 4;
    if (typeof next === "string") sum += next.length;
    if (typeof next !== "object" || next === null) continue;
    for (const [key, each] of Object.entries(next)) {
      sum += key.length;
      left.push(each);
    }
  }
  return sum;
}
