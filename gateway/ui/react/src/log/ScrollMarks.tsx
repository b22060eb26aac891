/** Where in the whole log matches and selected lines are, beside the scroll bar. */

import { type MouseEvent, type ReactElement, useEffect, useRef } from "react";
import type { LogEngine } from "./engine.ts";
import type { LogViewState } from "./engine_state.ts";
import { marksOf } from "./marks.ts";

export function ScrollMarks({ engine, state }: { readonly engine: LogEngine; readonly state: LogViewState }): ReactElement | null {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = state.search !== null || state.selection !== null;
  useEffect(() => {
    if (canvas.current) draw(canvas.current, engine);
  });
  if (!shown) return null;
  const onClick = (event: MouseEvent<HTMLCanvasElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const { layout } = engine;
    const at = layout.rows.at(layout.indexAt(((event.clientY - box.top) / box.height) * layout.total)).seq;
    engine.current = engine.search?.nearest(at) ?? at;
    engine.show(engine.current);
    engine.restyle();
  };
  return <canvas ref={canvas} className="rt-marks" aria-hidden="true" onClick={onClick} />;
}

function draw(canvas: HTMLCanvasElement, engine: LogEngine): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  if (!context) return;
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  context.fillStyle = style.getPropertyValue("--rt-mark-colour") || style.color;
  for (const y of marksOf(engine.search?.seqs ?? [], engine.layout, height)) context.fillRect(0, y, width, 2);
  if (!engine.selection) return;
  context.fillStyle = style.color;
  const { anchor, head } = engine.selection;
  const [from, to] = marksOf([Math.min(anchor, head), Math.max(anchor, head)], engine.layout, height);
  if (from !== undefined) context.fillRect(0, from, width / 2, Math.max(2, (to ?? from) - from));
}
