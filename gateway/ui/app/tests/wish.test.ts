import { expect, test } from "vitest";
import { ownGateway, wishOf } from "../src/element/wish.ts";

const OWN = "https://own.example/runtail";
const asked = (attributes: Record<string, string>) => wishOf((name) => attributes[name] ?? null, null, OWN);

test("without src the gateway is the one that the script came from", () => {
  expect(asked({ execution: "a" })).toEqual({ execution: "a", url: OWN, share: null, line: null, token: null });
  expect(ownGateway("https://own.example/runtail/monitoring/runtail-log.js?v=1")).toBe(OWN);
});

test("src names another, with or without a slash behind it", () => {
  expect(asked({ src: "https://logs.example/x/" }).url).toBe("https://logs.example/x");
  expect(asked({ src: "https://logs.example/x" }).url).toBe("https://logs.example/x");
});

test.each([
  ["7", [7, 7]],
  ["L120-L140", [120, 140]],
  ["120-140", [120, 140]],
  ["seven", null],
])("line %s", (line, lines) => {
  expect(asked({ line }).line).toEqual(lines);
});

test("an element without an execution waits for one", () => {
  expect(asked({}).execution).toBeNull();
  expect(asked({ execution: "" }).execution).toBeNull();
});
