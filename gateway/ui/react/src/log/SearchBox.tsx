/** The box in which a text is looked for in the whole log. */

import { type KeyboardEvent, type ReactElement, useEffect, useRef, useState } from "react";
import type { LogEngine } from "./engine.ts";
import type { SearchView } from "./engine_state.ts";
import type { Reader } from "./reader.ts";
import type { LogStrings } from "./strings.ts";

const TYPING_MS = 300;
/** Characters that the gateway takes. */
const MOST_TEXT = 200;

interface Props {
  readonly engine: LogEngine;
  readonly reader: Reader | null;
  readonly view: SearchView | null;
  readonly onEntered: () => void;
  readonly onClose: () => void;
}

export function SearchBox({ engine, reader, view, onEntered, onClose }: Props): ReactElement {
  const { strings } = engine;
  const [text, setText] = useState(view?.text ?? "");
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  useEffect(() => {
    if (text === (engine.search?.text ?? "")) return undefined;
    const timer = setTimeout(() => engine.find(text), TYPING_MS);
    return () => clearTimeout(timer);
  }, [engine, text]);

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    if (engine.search?.text !== text || view?.state === "failed") engine.find(text);
    reader?.nextMatch(event.shiftKey ? -1 : 1);
    onEntered(); // as in less: n and N go on from here
  };
  return (
    <div className="rt-search" role="search">
      <input
        ref={input} type="text" value={text} maxLength={MOST_TEXT} spellCheck={false} autoComplete="off"
        aria-label={strings.search} placeholder={strings.searchPlaceholder}
        onChange={({ target }) => setText(target.value)} onKeyDown={onKeyDown}
      />
      <span className="rt-search-state" role="status">{view ? stateText(view, strings) : ""}</span>
      <button type="button" className="rt-button" title={strings.searchPrevious} aria-label={strings.searchPrevious} onClick={() => reader?.nextMatch(-1)}>↑</button>
      <button type="button" className="rt-button" title={strings.searchNext} aria-label={strings.searchNext} onClick={() => reader?.nextMatch(1)}>↓</button>
      <button type="button" className="rt-button" title={strings.close} aria-label={strings.close} onClick={onClose}>✕</button>
    </div>
  );
}

function stateText({ state, count, at, percent }: SearchView, strings: LogStrings): string {
  const exact = state === "done";
  const found = count === 0 ? strings.searchNone(exact) : strings.searchCount(at, count, exact);
  switch (state) {
    case "done":
      return found;
    case "looking":
      return `${found} · ${strings.searching(percent)}`;
    case "bound":
      return `${found} · ${strings.searchBound(count)}`;
    case "failed":
      return `${found} · ${strings.searchFailed}`;
  }
}
