/** The page of the log view's browser tests: `?records=1000000&window=50000&sample=even&ended=1&latency=2#L500000`. */

import { LogView, hashOf, placeOf } from "../src/log/index.ts";
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import "../src/log/log.css";
import { MemoryLog } from "./memory_log.ts";
import "./page.css";
import { SAMPLES } from "./samples.ts";

declare global {
  interface Window {
    memory: MemoryLog;
  }
}

const wish = new URLSearchParams(location.search);
const amount = (name: string, otherwise: number): number => Number(wish.get(name) ?? otherwise);

const memory = new MemoryLog({
  records: amount("records", 1000),
  window: amount("window", 50_000),
  latencyMs: amount("latency", 2),
  make: SAMPLES[wish.get("sample") ?? "even"]!,
  ended: wish.has("ended"),
  first: amount("first", 1),
  notices: JSON.parse(wish.get("notices") ?? "[]"),
});
window.memory = memory;
if (wish.has("rate")) memory.stream(amount("rate", 0));

function Page(): React.ReactElement {
  const [place, setPlace] = useState(() => placeOf(location.hash));
  return (
    <LogView
      store={memory}
      rest={memory.rest}
      line={place.line}
      filter={place.filter}
      wrap={wish.has("wrap")}
      onLocationChange={(next) => {
        setPlace(next);
        history.replaceState(null, "", hashOf(next) || location.pathname + location.search);
      }}
    />
  );
}

createRoot(document.getElementById("root")!).render(<StrictMode><Page /></StrictMode>);
