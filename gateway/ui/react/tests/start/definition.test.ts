import { describe, expect, test } from "vitest";
import { definitionOf, nextDraft, parsed, placeOf, SAMPLE } from "../../src/start/definition.ts";

test("a form becomes a definition", () => {
  expect(definitionOf(" nightly ", SAMPLE.slice(2))).toEqual({
    name: "nightly",
    steps: [
      { name: "check", after: ["extract"], seconds: 3, logs_per_second: 2, failure: 0.3 },
      { name: "load", after: ["transform", "check"], seconds: 4, logs_per_second: 5, failure: 0 },
    ],
  });
  expect(definitionOf("", [])).toEqual({ steps: [] });
});

test("what is no number goes to the gateway as it was typed: it says what is wrong, and where", () => {
  const [step] = definitionOf("", [{ ...SAMPLE[0]!, seconds: "soon", rate: "", failure: "often" }]).steps;
  expect(step).toMatchObject({ seconds: "soon", logs_per_second: "", failure: "often" });
});

test("one more step waits for the one before it", () => {
  expect(nextDraft(SAMPLE)).toMatchObject({ name: "step 5", after: "load" });
  expect(nextDraft([]).after).toBe("");
});

test.each([
  ["steps[3].after[0]", { step: 3, field: "after" }],
  ["steps[0].logs_per_second", { step: 0, field: "rate" }],
  ["steps[12]", { step: 12, field: null }],
  ["steps[1].colour", { step: 1, field: null }],
  ["steps", null],
  ["name", null],
])("the gateway's %s", (path, place) => {
  expect(placeOf(path)).toEqual(place);
});

describe("what is pasted", () => {
  test("is read as it is", () => {
    expect(parsed('{"steps": [{"name": "a", "colour": 1}]}')).toEqual({ steps: [{ name: "a", colour: 1 }] });
  });

  test("and is no JSON says in which line", () => {
    expect(() => parsed('{\n  "name": "a"\n  "steps": []\n}')).toThrow(/line 3/);
  });

  test.each(["[]", "7", "null", '"a"'])("and is %s is no definition", (text) => {
    expect(() => parsed(text)).toThrow("it is not an object, expected");
  });
});
