import { describe, expect, it } from "vitest";
import { EVERYTHING, hashOf, type Place, placeOf } from "../../src/log/place.ts";

describe("a place", () => {
  it.each<[string, Place]>([
    ["", { line: null, filter: EVERYTHING }],
    ["#L120", { line: { first: 120, last: 120 }, filter: EVERYTHING }],
    ["#L120-L140", { line: { first: 120, last: 140 }, filter: EVERYTHING }],
    ["#L7&level=warning,error&step=load%20all&step=a%26b", { line: { first: 7, last: 7 }, filter: { levels: ["warning", "error"], steps: ["load all", "a&b"] } }],
    ["#level=error", { line: null, filter: { levels: ["error"], steps: [] } }],
  ])("is read from %j, and written the same", (hash, place) => {
    expect(placeOf(hash)).toEqual(place);
    expect(hashOf(place)).toBe(hash);
  });

  it("is read as people write it", () => {
    expect(placeOf("#L140-L120").line).toEqual({ first: 120, last: 140 });
    expect(placeOf("#L120-140").line).toEqual({ first: 120, last: 140 });
  });

  it.each(["#L0", "#L-5", "#Lx", "#L12.5", "#L9999999999999999999", "#L1-L9999999999999999", "#nonsense", "#level=loud", "#step=", "#step=%E0%A4%A"])("leaves out what it cannot read: %s", (hash) => {
    const { line, filter } = placeOf(hash);
    expect(line).toBeNull();
    expect(filter.levels).toEqual([]);
  });
});
