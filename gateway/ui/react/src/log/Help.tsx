/** The keys. */

import { type ReactElement, useEffect, useRef } from "react";
import type { LogStrings } from "./strings.ts";

export function Help({ strings, onClose }: { readonly strings: LogStrings; readonly onClose: () => void }): ReactElement {
  const close = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    close.current?.focus();
    return () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <div className="rt-help" role="dialog" aria-label={strings.help}>
      <dl>
        {strings.keys.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>{keys}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <button ref={close} type="button" className="rt-button" onClick={onClose}>{strings.close}</button>
    </div>
  );
}
