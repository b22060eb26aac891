import { render, screen, waitFor } from "@testing-library/react";
import { type ReactElement, StrictMode } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RuntailProvider, type RuntailProviderProps, useWebSocketLogs } from "../src/index.ts";
import { Gateway, line } from "./gateway.ts";

let gateway: Gateway;
beforeEach(() => {
  gateway = new Gateway();
  vi.stubGlobal("WebSocket", gateway.environment.WebSocket);
});
afterEach(() => void vi.unstubAllGlobals());

function Seen(): ReactElement {
  const { logs, link } = useWebSocketLogs("a");
  return <p>{`${link.phase}: ${logs.map(({ seq }) => seq).join(" ")}`}</p>;
}

const page = (props: RuntailProviderProps): ReactElement => (
  <StrictMode>
    <RuntailProvider url="http://gateway.test/" {...props}>
      <Seen />
    </RuntailProvider>
  </StrictMode>
);

const tokens = (): readonly unknown[] => gateway.sockets.flatMap(({ said }) => said.filter(({ type }) => type === "auth").map(({ token }) => token));

/** Sign in, show a line, and let the token run out. */
async function signedOut(token: string): Promise<(element: ReactElement) => void> {
  const { rerender } = render(page({ token }));
  await gateway.accept();
  await gateway.hello("a", 1);
  await gateway.records("a", line(1));
  await screen.findByText("replaying: 1");
  await gateway.cut(4402);
  await screen.findByText("signed_out: 1");
  return rerender;
}

test("a token that is a text is sent, and a newer one is tried at once by whoever was signed out", async () => {
  const rerender = await signedOut("one");
  rerender(page({ token: "one" }));
  await gateway.pass();
  const before = gateway.sockets.length;
  rerender(page({ token: "two" }));
  await gateway.accept();
  expect(gateway.sockets.length).toBe(before + 1);
  expect(tokens()).toEqual(["one", "two"]);
  await gateway.hello("a", 2);
  await gateway.records("a", line(2));
  expect(await screen.findByText("replaying: 1 2")).toBeTruthy();
});

test("a function is asked, the newest one, and no other client is made for it", async () => {
  const { rerender } = render(page({ token: () => "first" }));
  await gateway.accept();
  rerender(page({ token: () => Promise.resolve("second") }));
  await gateway.pass();
  expect(gateway.sockets).toHaveLength(1);
  await gateway.cut(4402);
  await waitFor(() => expect(gateway.sockets).toHaveLength(2));
  await gateway.accept();
  expect(tokens()).toEqual(["first", "second"]);
});

test("another url is another gateway: what the first one showed is gone", async () => {
  const { rerender } = render(page({}));
  await gateway.accept();
  await gateway.hello("a", 1);
  await gateway.records("a", line(1));
  await screen.findByText("replaying: 1");
  rerender(page({ url: "http://other.test/runtail" }));
  expect(screen.getByText("connecting:")).toBeTruthy();
  await gateway.accept();
  expect(gateway.addresses.at(-1)).toBe("ws://other.test/runtail/ws/executions");
});

test("a share link needs no token, and a socket of its own", async () => {
  render(page({ share: "s3cret" }));
  await gateway.accept();
  expect(gateway.addresses.at(-1)).toContain("/ws/executions/a/logs?share=s3cret");
});
