import { describe, expect, it } from "vitest";
import { jsonOf, type Node, nodeOf, PAGE } from "../../src/log/json_tree.ts";

const children = (node: Node | undefined): Node[] => (node === undefined || node.kind === "leaf" ? [] : node.children());

function deep(levels: number): unknown {
  let value: unknown = "bottom";
  for (let i = 0; i < levels; i += 1) value = { down: value };
  return value;
}

describe("a tree of data", () => {
  it("shows objects, lists and values", () => {
    const node = nodeOf("output", { rows: 3, names: ["a", null], ok: true });
    expect(node).toMatchObject({ kind: "branch", list: false, count: 3 });
    expect(children(node)).toMatchObject([{ label: "rows", text: "3", type: "number" }, { label: "names", kind: "branch", list: true, count: 2 }, { label: "ok", text: "true" }]);
    expect(children(children(node)[1])).toMatchObject([{ label: "0", text: "a" }, { label: "1", text: "null", type: "null" }]);
  });

  it.each([100, 101, 10_000, 1_234_567])("of %d children never shows more than a hundred at once, and leads to each", (count) => {
    const list = Array.from({ length: count }, (_, i) => i);
    for (const wanted of [0, 99, 100, Math.floor(count / 2), count - 1].filter((at) => at < count)) {
      let level = children(nodeOf("list", list));
      let found: Node | undefined;
      for (let depth = 0; depth < 5; depth += 1) {
        expect(level.length).toBeLessThanOrEqual(PAGE);
        found = level.find((node) => (node.kind === "group" ? within(node.label, wanted) : node.label === String(wanted)));
        if (found?.kind !== "group") break;
        level = children(found);
      }
      expect(found).toMatchObject({ kind: "leaf", label: String(wanted), text: String(wanted) });
    }
  });

  it("10,000 levels deep is opened a level at a time", () => {
    let node: Node | undefined = nodeOf("data", deep(10_000));
    for (let i = 0; i < 10_000; i += 1) node = children(node)[0];
    expect(node).toMatchObject({ kind: "leaf", label: "down", text: "bottom" });
  });
});

describe("data as JSON", () => {
  it.each([{ a: [1, "x", null, true, { b: {} }], "c\n": [] }, [], {}, "text", 7, null, [[[]]]])("is written as the engine writes it: %j", (value) => {
    expect(jsonOf(value)).toBe(JSON.stringify(value));
  });

  it("is written also where the engine's own recursion ends", () => {
    const text = jsonOf(deep(200_000));
    expect(text.length).toBe(200_000 * '{"down":}'.length + '"bottom"'.length);
  });

  it("is cut where it is too long, without looking at the rest", () => {
    expect(jsonOf({ a: "x".repeat(1000) }, 20)).toBe('{"a":"xxxxxxxxxxxxxx…');
    expect(jsonOf(Array.from({ length: 1_000_000 }, (_, i) => i), 10)).toBe("[0,1,2,3,4…");
  });
});

const within = (label: string, at: number): boolean => {
  const [first, last] = label.split(" … ").map(Number);
  return at >= first! && at <= last!;
};
