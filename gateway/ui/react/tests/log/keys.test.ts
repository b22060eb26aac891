import { describe, expect, it } from "vitest";
import { type Command, commandOf, type Key } from "../../src/log/keys.ts";
import { STRINGS } from "../../src/log/strings.ts";

const key = (name: string, more: Partial<Key> = {}): Command | null => commandOf({ key: name, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...more });

describe("keys", () => {
  it.each([
    ["/", "search"], ["n", "next"], ["N", "previous"], ["e", "error"], ["j", "down"], ["k", "up"], ["g", "first"], ["G", "last"], ["f", "follow"],
    ["w", "wrap"], ["?", "help"], ["PageUp", "pageUp"], ["PageDown", "pageDown"], ["Home", "first"], ["End", "last"], ["Escape", "escape"], ["x", null],
  ] as const)("%s means %s", (name, command) => {
    expect(key(name)).toBe(command);
  });

  it("of the browser stay the browser's, but find and select all", () => {
    expect([key("f", { ctrlKey: true }), key("f", { metaKey: true }), key("a", { ctrlKey: true })]).toEqual(["search", "search", "selectAll"]);
    expect([key("r", { ctrlKey: true }), key("n", { metaKey: true }), key("c", { ctrlKey: true }), key("j", { altKey: true })]).toEqual([null, null, null, null]);
  });

  it("are all told by the help", () => {
    const told = STRINGS.keys.map(([keys]) => keys).join(" ");
    for (const name of ["/", "n", "N", "e", "j", "k", "g", "G", "f", "w", "t", "z", "c", "Enter", "Esc", "?"]) expect(told).toContain(name);
  });
});
