/** Controls that stand in the bar where there is room, and behind a button where there is not. */

import { type FocusEvent, type KeyboardEvent, type ReactElement, type ReactNode, useEffect, useId, useRef, useState } from "react";

interface Props {
  readonly label: string;
  readonly children: ReactNode;
}

/** Which of the two it is, the styles decide: the button is not there where the bar is wide. */
export function Overflow({ label, children }: Props): ReactElement {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return undefined;
    // in a shadow root the event's target is the element around it
    const pressed = (event: Event): void => {
      if (!event.composedPath().includes(box.current!)) setOpen(false);
    };
    document.addEventListener("pointerdown", pressed);
    return () => document.removeEventListener("pointerdown", pressed);
  }, [open]);
  const onBlur = ({ relatedTarget }: FocusEvent): void => {
    if (relatedTarget !== null && !box.current?.contains(relatedTarget)) setOpen(false);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation(); // of all that is open, this alone is closed
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div ref={box} className="rt-overflow" onBlur={onBlur} onKeyDown={onKeyDown}>
      <button ref={button} type="button" className="rt-button rt-overflow-button" aria-expanded={open} aria-controls={id} aria-label={label} title={label} onClick={() => setOpen(!open)}>⋯</button>
      <div id={id} className="rt-controls" data-open={open}>{children}</div>
    </div>
  );
}
