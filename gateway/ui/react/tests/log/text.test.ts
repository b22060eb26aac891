import { describe, expect, it } from "vitest";
import { PLAIN, spansOf, stripped } from "../../src/log/ansi.ts";
import { linked, safeHref } from "../../src/log/links.ts";
import { acts, pieces, visible } from "../../src/log/visible.ts";

const ESC = "\u001b";

describe("colours", () => {
  it("of a terminal become styles", () => {
    expect(spansOf(`a${ESC}[1;31mred${ESC}[0m b`)).toEqual([
      { text: "a", style: PLAIN, mark: false },
      { text: "red", style: { ...PLAIN, bold: true, colour: 1 }, mark: false },
      { text: " b", style: PLAIN, mark: false },
    ]);
  });

  it.each([
    ["90", { colour: 8 }], ["44", { background: 4 }], ["107", { background: 15 }], ["38;5;1", { colour: 1 }], ["38;5;196", { colour: 9 }],
    ["38;2;0;200;0", { colour: 2 }], ["48;5;232", { background: 0 }], ["3;4;9", { italic: true, underline: true, struck: true }], ["7", { inverse: true }],
  ])("%s is understood", (codes, style) => {
    expect(spansOf(`${ESC}[${codes}mx`)).toEqual([{ text: "x", style: { ...PLAIN, ...style }, mark: false }]);
  });

  it("end where they are ended", () => {
    const codes = "1;2;3;4;7;9;31;41";
    for (const end of ["0", "", "22;23;24;27;29;39;49"]) expect(spansOf(`${ESC}[${codes}m${ESC}[${end}mx`)).toEqual([{ text: "x", style: PLAIN, mark: false }]);
  });

  it.each([`${ESC}[2J`, `${ESC}]0;title\u0007`, `${ESC}]8;;http://x${ESC}\\`, `${ESC}[?25l`, `${ESC}c`, `${ESC}P1;2|x${ESC}\\`, `${ESC}[`, ESC, "\u009b2J"])(
    "every other sequence (%j) is taken out, and leaves a mark",
    (sequence) => {
      const spans = spansOf(`a${sequence}`);
      expect(spans.map(({ text, mark }) => [text, mark])).toEqual([["a", false], ["^[", true]]);
      expect(stripped(`a${sequence}`)).toBe("a");
    },
  );

  it("are bounded: what is beyond comes as text", () => {
    expect(spansOf(`${ESC}[31mx${ESC}[32my`.repeat(10_000)).length).toBeLessThan(60_000);
  });
});

describe("characters that act", () => {
  it.each([["\u0007", "^G"], ["\u001b", "^["], ["\u007f", "^?"], ["\r", "^M"], ["\u202e", "<U+202E>"], ["\u2066", "<U+2066>"], ["\u200b", "<U+200B>"], ["\u0085", "<U+0085>"], ["\ufeff", "<U+FEFF>"]])(
    "%j is shown as %s",
    (character, shown) => {
      expect(acts(character)).toBe(true);
      expect(visible(`a${character}b`)).toBe(`a${shown}b`);
      expect(pieces(`a${character}b`)).toEqual([{ text: "a", mark: false }, { text: shown, mark: true }, { text: "b", mark: false }]);
    },
  );

  it("are none in ordinary text of any script", () => {
    for (const text of ["naïve", "日本語", "עברית", "😀", "a\tb", ""]) expect(acts(text)).toBe(false);
  });
});

describe("addresses", () => {
  it("of http and https become links, without the sentence's punctuation", () => {
    expect(linked("see https://example.org/a?b=1, or (http://x.de/y).")).toEqual([
      { text: "see ", href: null },
      { text: "https://example.org/a?b=1", href: "https://example.org/a?b=1" },
      { text: ", or (", href: null },
      { text: "http://x.de/y", href: "http://x.de/y" },
      { text: ").", href: null },
    ]);
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "JaVaScRiPt:alert(1)", " https://x", "ftp://x", "//x", "https://", 7, null])("%j is no link", (address) => {
    expect(safeHref(address)).toBeNull();
    if (typeof address === "string") expect(linked(`x ${address.trim()}`).filter(({ href }) => href !== null && !href.startsWith("https://x"))).toEqual([]);
  });

  it("of mail are links only where a worker said that they are", () => {
    expect([safeHref("mailto:a@b.c"), safeHref("mailto:a@b.c", true)]).toEqual([null, "mailto:a@b.c"]);
  });

  it("keep a bracket of their own", () => {
    expect(linked("https://en.wikipedia.org/wiki/A_(b)")[0]!.text).toBe("https://en.wikipedia.org/wiki/A_(b)");
  });

  it("lose nothing of the text around them", () => {
    const text = "a http://b c https:// d https://e/f) g ".repeat(100);
    expect(linked(text).map((part) => part.text).join("")).toBe(text);
  });
});
