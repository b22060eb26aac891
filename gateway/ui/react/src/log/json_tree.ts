/**
 * Data as a tree that is opened a level at a time: nothing here goes deeper than what is open, and no level
 * shows more than a hundred children at once, so that neither depth nor width can freeze a page. Pure.
 */

/** Children shown at once; more come in groups of as many. */
export const PAGE = 100;
const MOST_TEXT = 300;

export type Node =
  | { readonly kind: "leaf"; readonly label: string; readonly text: string; readonly type: "string" | "number" | "boolean" | "null" }
  /** An object or list of *count* children. */
  | { readonly kind: "branch"; readonly label: string; readonly list: boolean; readonly count: number; readonly children: () => Node[] }
  /** Children *first* … *last* of one that has too many. */
  | { readonly kind: "group"; readonly label: string; readonly count: number; readonly children: () => Node[] };

/** The node of *value* under *label*. */
export function nodeOf(label: string, value: unknown): Node {
  if (Array.isArray(value)) {
    return { kind: "branch", label, list: true, count: value.length, children: () => paged(value.length, (i) => nodeOf(String(i), value[i])) };
  }
  if (typeof value === "object" && value !== null) {
    const object = value as Record<string, unknown>;
    const keys = Object.keys(object);
    return { kind: "branch", label, list: false, count: keys.length, children: () => paged(keys.length, (i) => nodeOf(keys[i]!, object[keys[i]!])) };
  }
  return leaf(label, value);
}

/** *count* children, in groups where they are more than a page; groups of groups where those are. */
function paged(count: number, child: (index: number) => Node, from = 0): Node[] {
  if (count <= PAGE) return Array.from({ length: count }, (_, i) => child(from + i));
  let size = PAGE;
  while (Math.ceil(count / size) > PAGE) size *= PAGE;
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => {
    const first = from + i * size;
    const some = Math.min(size, count - i * size);
    return { kind: "group", label: `${first} … ${first + some - 1}`, count: some, children: () => paged(some, child, first) };
  });
}

function leaf(label: string, value: unknown): Node {
  if (value === null || value === undefined) return { kind: "leaf", label, text: "null", type: "null" };
  if (typeof value === "string") return { kind: "leaf", label, text: value, type: "string" };
  return { kind: "leaf", label, text: String(value), type: typeof value === "boolean" ? "boolean" : "number" };
}

/** *value* in at most 300 characters, to stand beside a closed branch; never recurses. */
export function preview(value: unknown, most: number = MOST_TEXT): string {
  return jsonOf(value, most);
}

/**
 * *value* as JSON without recursion: data 10,000 levels deep would overflow `JSON.stringify`.
 * Cut off after *most* characters.
 */
export function jsonOf(value: unknown, most: number = Number.POSITIVE_INFINITY): string {
  const out: string[] = [];
  let length = 0;
  const put = (text: string): void => {
    out.push(text);
    length += text.length;
  };
  // what is left to write, the next last: text, or values still to be taken apart
  const waiting: (string | { value: unknown })[] = [{ value }];
  while (waiting.length > 0 && length <= most) {
    const next = waiting.pop()!;
    if (typeof next === "string") put(next);
    else write(next.value, put, waiting, most);
  }
  const text = out.join("");
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

function write(value: unknown, put: (text: string) => void, waiting: (string | { value: unknown })[], most: number): void {
  if (typeof value !== "object" || value === null) {
    const shortened = typeof value === "string" && value.length > most ? value.slice(0, most + 1) : value;
    put(JSON.stringify(shortened) ?? "null");
    return;
  }
  const list = Array.isArray(value);
  const entries = Object.entries(value);
  const few = entries.length > most ? entries.slice(0, most) : entries;
  put(list ? "[" : "{");
  waiting.push(list ? "]" : "}");
  for (let i = few.length - 1; i >= 0; i -= 1) {
    const [name, each] = few[i]!;
    waiting.push({ value: each }, `${i > 0 ? "," : ""}${list ? "" : `${JSON.stringify(name)}:`}`);
  }
}
