/** Tells a screen reader what came, politely and at most every few seconds; the rows themselves say nothing. */

import { type ReactElement, useEffect, useState } from "react";
import { announcement, type Heard } from "./announcing.ts";
import type { LogEngine } from "./engine.ts";

const EVERY_MS = 5_000;

export function Announcer({ engine }: { readonly engine: LogEngine }): ReactElement {
  const [text, setText] = useState("");
  useEffect(() => {
    let heard: Heard = { upTo: engine.last, ended: engine.snapshot.completeness.state !== "running" };
    const timer = setInterval(() => {
      const [said, next] = announcement(heard, engine.snapshot, engine.strings);
      heard = next;
      if (said !== null) setText(said);
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [engine]);
  return <div className="rt-announcer" role="log" aria-live="polite" aria-relevant="additions text">{text}</div>;
}
