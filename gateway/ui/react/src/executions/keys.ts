/** Keys of the whole page, wherever the focus is, but where somebody types. */

import { useEffect, useRef } from "react";

/** What each key does; true: nothing, so that the browser may. */
export type Keys = Readonly<Record<string, () => void | boolean>>;

const TYPED_IN = "input:not([type=checkbox]), textarea, select, [contenteditable], dialog, [role=dialog], .rt-log";

const isTypedIn = (target: EventTarget | null): boolean => target instanceof Element && target.closest(TYPED_IN) !== null;

/** Obey *keys* while the component is there. */
export function usePageKeys(keys: Keys): void {
  const newest = useRef(keys);
  newest.current = keys;
  useEffect(() => {
    const obey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
      if (isTypedIn(event.target)) return;
      const act = newest.current[event.key];
      if (act !== undefined && act() !== true) event.preventDefault();
    };
    document.addEventListener("keydown", obey);
    return () => document.removeEventListener("keydown", obey);
  }, []);
}
