/** Selecting lines with the pointer: by their numbers, or by dragging from one line into another. */

import type { LogEngine } from "./engine.ts";
import { extended, selected } from "./selection.ts";
import type { Viewport } from "./viewport.ts";

const EDGE_PX = 24;

interface Drag {
  readonly anchor: number;
  /** Begun on a line's text: it selects text until it leaves that line. */
  readonly inText: boolean;
  y: number;
  lines: boolean;
}

/** Listen on *scroller*; answers how to leave off. */
export function listenForSelection(scroller: HTMLElement, engine: LogEngine, viewport: Viewport): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  let drag: Drag | null = null;
  let frame = 0;

  const extend = (): void => {
    if (!drag) return;
    const seq = viewport.seqAt(drag.y);
    if (seq === null || (!drag.lines && seq === drag.anchor)) return;
    if (!drag.lines) document.getSelection()?.removeAllRanges();
    drag.lines = true;
    const selection = extended(selected(drag.anchor), seq);
    if (engine.selection?.anchor !== selection.anchor || engine.selection.head !== selection.head) engine.select(selection);
  };
  const scrollAtEdge = (): void => {
    frame = 0;
    if (!drag?.lines) return;
    const box = scroller.getBoundingClientRect();
    const beyond = drag.y < box.top + EDGE_PX ? drag.y - box.top - EDGE_PX : Math.max(0, drag.y - box.bottom + EDGE_PX);
    if (beyond === 0) return;
    viewport.scrollBy(beyond);
    extend();
    frame = requestAnimationFrame(scrollAtEdge);
  };
  scroller.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !(event.target instanceof Element) || event.target.closest("button, a")) return;
    const row = event.target.closest<HTMLElement>(".rt-row[data-seq]");
    if (!row) return;
    const seq = Number(row.dataset["seq"]);
    const onNumber = event.target.closest(".rt-seq") !== null;
    if (event.shiftKey) {
      event.preventDefault();
      engine.extend(seq);
    } else if (onNumber) {
      event.preventDefault();
      engine.select(selected(seq));
    }
    drag = { anchor: event.shiftKey ? (engine.selection?.anchor ?? seq) : seq, inText: !onNumber, y: event.clientY, lines: onNumber || event.shiftKey };
    scroller.focus({ preventScroll: true });
  }, { signal });
  window.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (event.buttons === 0) {
      drag = null;
      return;
    }
    drag.y = event.clientY;
    extend();
    if (frame === 0) frame = requestAnimationFrame(scrollAtEdge);
  }, { signal });
  window.addEventListener("pointerup", () => {
    if (drag && !drag.lines) chose(engine, drag.anchor);
    drag = null;
  }, { signal });
  return () => {
    abort.abort();
    cancelAnimationFrame(frame);
  };
}

/** A text selected within a line ends following; a click makes its line the current one, unless one follows. */
function chose(engine: LogEngine, seq: number): void {
  const text = document.getSelection();
  if (text && !text.isCollapsed) engine.leave("select");
  else if (engine.follow.mode === "reading") {
    engine.selection = null;
    engine.setCurrent(seq);
  }
}
