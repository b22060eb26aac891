/** What the view says around its lines: new ones, skipped ones, selected ones. */

import type { ReactElement, ReactNode } from "react";
import type { LogEngine } from "./engine.ts";
import type { LogViewState } from "./engine_state.ts";
import type { Reader } from "./reader.ts";
import type { Range } from "./rows.ts";

interface Props {
  readonly engine: LogEngine;
  readonly state: LogViewState;
}

/** Brings back to the end of the log. */
export function FollowPill({ engine, state }: Props): ReactElement | null {
  const { strings } = engine;
  if (state.follow.mode === "following" || (state.newLines === 0 && state.completeness.state !== "running")) return null;
  const text = state.newLines > 0 ? strings.newLines(state.newLines) : strings.follow;
  return <button type="button" className="rt-pill" onClick={() => engine.resume()}>↓ {text}</button>;
}

/** Says what went by unseen, and leads there. */
export function SkippedBar({ engine, count, seq }: { readonly engine: LogEngine; readonly count: number; readonly seq: number }): ReactElement {
  const { strings } = engine;
  const dismiss = (): void => {
    engine.skipped = null;
    engine.changed();
  };
  const show = (): void => {
    dismiss();
    engine.show(seq, "start");
  };
  return (
    <div className="rt-bar rt-skipped">
      <span>{strings.skipped(count)}</span>
      <button type="button" className="rt-plain" onClick={show}>{strings.backToSkipped}</button>
      <button type="button" className="rt-plain" aria-label={strings.dismiss} onClick={dismiss}>✕</button>
    </div>
  );
}

interface SelectionProps extends Props {
  readonly reader: Reader | null;
  /** The page's own buttons. */
  readonly actions?: ((lines: Range) => ReactNode) | undefined;
}

/** What can be done with the selected lines, and what was done. */
export function SelectionBar({ engine, reader, state, actions }: SelectionProps): ReactElement | null {
  const { strings } = engine;
  if (!state.selection && state.message === null) return null;
  return (
    <div className="rt-bar rt-selection">
      {state.selection ? (
        <>
          <span>{strings.selected(state.selection.last - state.selection.first + 1)}</span>
          <button type="button" className="rt-plain" onClick={() => void reader?.copy("text")}>{strings.copy}</button>
          <button type="button" className="rt-plain" onClick={() => void reader?.copy("json")}>{strings.copyJson}</button>
          {actions?.(state.selection)}
          <button type="button" className="rt-plain" onClick={() => engine.select(null)}>{strings.clear}</button>
        </>
      ) : null}
      <span className="rt-message" role="status">{state.message}</span>
    </div>
  );
}
