/** A name that sorts by time and that nobody else takes. */
export function newExecutionId(prefix = "demo"): string {
  const [day, time] = new Date().toISOString().replace(/[-:]/g, "").split(/[T.]/);
  const letters = "abcdefghijkmnpqrstuvwxyz23456789";
  const random = [...crypto.getRandomValues(new Uint8Array(4))].map((n) => letters[n % letters.length]);
  return `${prefix}-${day}-${time}-${random.join("")}`;
}
