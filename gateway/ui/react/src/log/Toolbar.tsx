/** Filters, search and looks above the lines. */

import type { Level } from "@runtail/client";
import type { ReactElement } from "react";
import { Downloads } from "./Downloads.tsx";
import type { LogEngine } from "./engine.ts";
import type { LogViewState } from "./engine_state.ts";
import { Overflow } from "./Overflow.tsx";
import { EVERYTHING, LEVELS } from "./place.ts";
import type { Reader } from "./reader.ts";
import { type LogStrings, number } from "./strings.ts";
import { TIME_FORMATS, type TimeFormat } from "./times.ts";
import { visible } from "./visible.ts";

interface Props {
  readonly state: LogViewState;
  readonly engine: LogEngine;
  readonly reader: Reader | null;
  readonly onSearch: () => void;
  readonly onHelp: () => void;
}

export function Toolbar({ state, engine, reader, onSearch, onHelp }: Props): ReactElement {
  const { strings } = engine;
  return (
    <div className="rt-toolbar" role="toolbar" aria-label={strings.log}>
      <Levels state={state} engine={engine} />
      <StepChoice state={state} engine={engine} />
      {state.shown ? <Shown state={state} engine={engine} /> : null}
      <span className="rt-grow" />
      <button type="button" className="rt-button" title={`${strings.search} (/)`} onClick={onSearch}>{strings.search}</button>
      <button type="button" className="rt-button" aria-pressed={state.follow.mode === "following"} title={`${strings.follow} (f)`} onClick={() => reader?.do("follow")}>{strings.follow}</button>
      <Overflow label={strings.more}>
        <button type="button" className="rt-button" title={strings.nextError} onClick={() => reader?.do("error")}>{strings.nextError}</button>
        <button type="button" className="rt-button" aria-pressed={state.wrap} title={`${strings.wrap} (w)`} onClick={() => engine.setWrap(!state.wrap)}>{strings.wrap}</button>
        {state.steps.length > 0 ? <FoldButton state={state} engine={engine} /> : null}
        <select className="rt-select" aria-label={strings.time} value={state.timeFormat} onChange={(event) => engine.setTimeFormat(event.target.value as TimeFormat)}>
          {TIME_FORMATS.map((format) => <option key={format} value={format}>{strings.times[format]}</option>)}
        </select>
        {engine.rest.downloadUrl(engine.store.executionId, "txt") === "" ? null : <Downloads engine={engine} reader={reader} />}
        <button type="button" className="rt-button" title={`${strings.help} (?)`} aria-label={strings.help} onClick={onHelp}>?</button>
      </Overflow>
    </div>
  );
}

function Levels({ state, engine }: { readonly state: LogViewState; readonly engine: LogEngine }): ReactElement {
  const { levels } = state.filter;
  const toggle = (level: Level): void => {
    const next = levels.includes(level) ? levels.filter((each) => each !== level) : LEVELS.filter((each) => each === level || levels.includes(each));
    engine.setFilter({ ...state.filter, levels: next });
  };
  return (
    <div className="rt-levels" role="group">
      {LEVELS.map((level) => (
        <button key={level} type="button" className={`rt-chip rt-chip-${level}`} aria-pressed={levels.includes(level)} onClick={() => toggle(level)}>
          {engine.strings.levels[level]} <span className="rt-count">{number(state.levels[level])}</span>
        </button>
      ))}
    </div>
  );
}

function StepChoice({ state, engine }: { readonly state: LogViewState; readonly engine: LogEngine }): ReactElement | null {
  if (state.steps.length === 0) return null;
  return (
    <select
      className="rt-select"
      aria-label={engine.strings.allSteps}
      value={state.filter.steps[0] ?? ""}
      onChange={({ target }) => engine.setFilter({ ...state.filter, steps: target.value === "" ? [] : [target.value] })}
    >
      <option value="">{engine.strings.allSteps}</option>
      {state.steps.map((step) => <option key={step} value={step}>{visible(step.slice(0, 80))}</option>)}
    </select>
  );
}

/** How many of how many lines pass the filter, and which that is. */
export function shownText({ shown, filter }: LogViewState, strings: LogStrings): string {
  const { count, all, exact } = shown!;
  const by = strings.filteredBy(filter.levels.map((level) => strings.levels[level]).join(", "), visible(filter.steps.join(", ")));
  return strings.shownOf(count, all, by, exact);
}

function Shown({ state, engine }: { readonly state: LogViewState; readonly engine: LogEngine }): ReactElement {
  const { strings } = engine;
  const text = shownText(state, strings);
  return (
    <span className="rt-shown" role="status">
      <span className="rt-shown-text" title={text}>{text}</span>, <button type="button" className="rt-plain" onClick={() => engine.setFilter(EVERYTHING)}>{strings.clear}</button>
    </span>
  );
}

function FoldButton({ state, engine }: { readonly state: LogViewState; readonly engine: LogEngine }): ReactElement {
  const { strings } = engine;
  const text = state.folded ? strings.unfoldSteps : strings.foldSteps;
  return <button type="button" className="rt-button" title={`${text} (z)`} onClick={() => engine.foldAll(!state.folded)}>{text}</button>;
}
