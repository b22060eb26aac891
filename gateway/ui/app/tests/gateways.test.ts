import type { RuntailClient } from "@runtail/client";
import { describe, expect, test } from "vitest";
import { Gateways } from "../src/element/gateways.ts";

const HERE = { url: "https://logs.example.org", share: null };
const asks = new Map<RuntailClient, () => unknown>();

function gateways(): Gateways {
  return new Gateways((_place, token) => {
    const client = {} as RuntailClient;
    asks.set(client, token);
    return client;
  });
}

describe("the elements of a page", () => {
  test("share one client a gateway address", () => {
    const all = gateways();
    const [one, two, other] = [{}, {}, {}];
    const client = all.clientFor(one, HERE, null);
    expect(all.clientFor(two, HERE, null)).toBe(client);
    expect(all.clientFor(one, HERE, null)).toBe(client);
    expect(all.clientFor(other, { ...HERE, url: "https://other.example.org" }, null)).not.toBe(client);
  });

  test("with one function for a token share it, also when each is given it after it was drawn", () => {
    const all = gateways();
    const users = [{}, {}, {}];
    const token = (): string => "t";
    const client = users.map((user) => all.clientFor(user, HERE, null))[0]!;
    for (const user of users) expect(all.clientFor(user, HERE, token)).toBe(client);
    expect(asks.get(client)?.()).toBe("t");
  });

  test("that are given a newer token one after the other keep their client, which asks for the newer one", () => {
    const all = gateways();
    const users = [{}, {}];
    const [client] = users.map((user) => all.clientFor(user, HERE, "old"));
    for (const user of users) expect(all.clientFor(user, HERE, "new")).toBe(client);
    expect(asks.get(client!)?.()).toBe("new");
    expect(all.clientFor({}, HERE, "new")).toBe(client);
  });

  test("with tokens of their own have clients of their own, however late they get them", () => {
    const all = gateways();
    const [one, two] = [{}, {}];
    all.clientFor(one, HERE, null);
    all.clientFor(two, HERE, null);
    const mine = all.clientFor(one, HERE, "for-one");
    const yours = all.clientFor(two, HERE, "for-two");
    expect(yours).not.toBe(mine);
    expect([asks.get(mine)?.(), asks.get(yours)?.()]).toEqual(["for-one", "for-two"]);
  });

  test("with a share link have a client for that link", () => {
    const all = gateways();
    expect(all.clientFor({}, { ...HERE, share: "x" }, null)).not.toBe(all.clientFor({}, HERE, null));
  });

  test("that are gone leave nothing behind, and one that stays keeps the client", () => {
    const all = gateways();
    const [one, two] = [{}, {}];
    const client = all.clientFor(one, HERE, "t");
    all.clientFor(two, HERE, "t");
    all.leave(one);
    expect(all.clientFor(one, HERE, "t")).toBe(client);
    all.leave(one);
    all.leave(two);
    expect(all.clientFor(one, HERE, "t")).not.toBe(client);
  });
});
