import type { MouseEvent, ReactElement } from "react";
import { downloadFrom } from "./clipboard.ts";
import type { LogEngine } from "./engine.ts";
import type { Reader } from "./reader.ts";

/** A link that reads this execution for so long: enough to begin a download. */
const TICKET_SECONDS = 60;

/** The log as a file, whole or as shown, and raw in a tab of its own. */
export function Downloads({ engine, reader }: { readonly engine: LogEngine; readonly reader: Reader | null }): ReactElement {
  const { strings, rest, store } = engine;
  const id = store.executionId;
  const text = rest.downloadUrl(id, "txt");
  const raw = joined(text, "inline=1");
  const save = (format: "txt" | "ndjson") => (event: MouseEvent) => {
    event.preventDefault();
    void withTicket(engine, rest.downloadUrl(id, format)).then((address) => downloadFrom(`${id}.${format}`, address));
  };
  const open = (event: MouseEvent): void => {
    event.preventDefault();
    const tab = window.open("about:blank"); // at once: later the browser takes it for a pop-up
    if (!tab) return;
    tab.opener = null;
    void withTicket(engine, raw).then((address) => tab.location.replace(address));
  };
  return (
    <details className="rt-menu">
      <summary className="rt-button">{strings.download}</summary>
      <div className="rt-menu-items">
        <a href={text} download={`${id}.txt`} onClick={save("txt")}>{strings.downloadText}</a>
        <a href={rest.downloadUrl(id, "ndjson")} download={`${id}.ndjson`} onClick={save("ndjson")}>{strings.downloadJson}</a>
        <button type="button" onClick={() => void reader?.saveShown()}>{strings.downloadShown}</button>
        <a href={raw} target="_blank" rel="noopener noreferrer" onClick={open}>{strings.raw}</a>
      </div>
    </details>
  );
}

/** An address alone carries no token: add what lets it in for a moment, where people sign in. */
async function withTicket({ rest, store }: LogEngine, address: string): Promise<string> {
  if (new URL(address, location.href).searchParams.has("share")) return address;
  try {
    const path = `executions/${encodeURIComponent(store.executionId)}/share`;
    const query = { expires_in_seconds: TICKET_SECONDS };
    const made = await rest.ask<{ readonly query: string }>(path, { method: "POST", query });
    return joined(address, made.query);
  } catch {
    return new URL(address, location.href).href; // nobody signs in here; or the answer says what is wrong
  }
}

function joined(address: string, query: string): string {
  return `${new URL(address, location.href).href}${address.includes("?") ? "&" : "?"}${query}`;
}
