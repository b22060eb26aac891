import { createClient } from "@runtail/client";
import { END_FIRST, RuntailProvider } from "@runtail/react";
import "@runtail/react/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { addressOf } from "./address.ts";
import { LISTED, MonitoringPage } from "./MonitoringPage.tsx";
import "./monitoring.css";
import { sessionIn } from "./session.ts";

const { base, open, share } = addressOf(location);
const session = sessionIn(() => sessionStorage);
const client = createClient({
  url: location.origin + base,
  ...(share === null ? { token: session.token } : { share }),
});

function signIn(token: string): void {
  session.signIn(token);
  client.list({ limit: LISTED }).reconnect();
}

// The page takes a while to be drawn for the first time: what it is going to watch is asked for before.
const EARLY_MS = 5_000;
for (const id of open) setTimeout(client.log(id, END_FIRST).subscribe(() => {}), EARLY_MS);

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no element #root");
createRoot(root).render(
  <StrictMode>
    <RuntailProvider client={client}>
      <MonitoringPage hasToken={() => session.token() !== null} signIn={signIn} />
    </RuntailProvider>
  </StrictMode>,
);
