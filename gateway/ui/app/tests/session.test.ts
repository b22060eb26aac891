import { expect, test } from "vitest";
import { expiryOf, sessionIn, tokenOf } from "../src/monitoring/session.ts";

test("a token is kept for the tab alone, and forgotten on request", () => {
  const session = sessionIn(() => sessionStorage);
  expect(session.token()).toBeNull();
  session.signIn("a.b.c");
  expect(sessionIn(() => sessionStorage).token()).toBe("a.b.c");
  expect(localStorage.length).toBe(0);
  session.signOut();
  expect(session.token()).toBeNull();
  expect(sessionStorage.length).toBe(0);
});

test("a browser that keeps nothing holds it in memory", () => {
  const session = sessionIn(() => {
    throw new DOMException("denied", "SecurityError");
  });
  session.signIn("a.b.c");
  expect(session.token()).toBe("a.b.c");
  session.signOut();
  expect(session.token()).toBeNull();
});

test.each(["a.b.c", " a.b.c\n", "Bearer a.b.c", "bearer  a.b.c ", '"a.b.c"'])("%j is taken as the token it holds", (typed) => {
  expect(tokenOf(typed)).toBe("a.b.c");
});

test("a token says when it expires, if it does", () => {
  const body = (claims: object) => `x.${btoa(JSON.stringify(claims)).replace(/=+$/, "")}.y`;
  expect(expiryOf(body({ exp: 1_790_000_000 }))).toBe(1_790_000_000_000);
  expect(expiryOf(body({ exp: "soon" }))).toBeNull();
  expect(expiryOf(body({}))).toBeNull();
  expect(expiryOf("no token")).toBeNull();
});
