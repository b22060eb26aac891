import { type ReactElement, type ReactNode, useEffect, useId, useRef } from "react";
import { useStrings } from "./context.ts";
import { Icon } from "./icons.tsx";

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  readonly className?: string;
}

/** Something in front of all else: the browser keeps the focus inside, closes it by Escape, and gives the focus back. */
export function Dialog({ title, onClose, children, className = "" }: DialogProps): ReactElement {
  const { list } = useStrings();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog className={`runtail runtail-dialog ${className}`} ref={dialog} aria-labelledby={id} onClose={onClose} onClick={({ target, currentTarget }) => target === currentTarget && onClose()}>
      <div className="runtail-dialog-body">
        <header>
          <h2 id={id}>{title}</h2>
          <button type="button" className="runtail-button runtail-quiet" aria-label={list.close} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
