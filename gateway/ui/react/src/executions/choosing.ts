/** Which executions are chosen, to be opened together. */

import { useCallback, useState } from "react";

/** Most that are open at a time. */
export const MOST_CHOSEN = 8;

export interface Choosing {
  readonly ids: ReadonlySet<string>;
  /** One more was wanted than may be open. */
  readonly full: boolean;
  readonly turn: (executionId: string) => void;
  readonly clear: () => void;
}

const NONE: ReadonlySet<string> = new Set();

export function useChoosing(): Choosing {
  const [{ ids, full }, setChosen] = useState({ ids: NONE, full: false });
  const turn = useCallback((id: string) => {
    setChosen(({ ids: before }) => {
      if (!before.has(id) && before.size >= MOST_CHOSEN) return { ids: before, full: true };
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return { ids: after, full: false };
    });
  }, []);
  const clear = useCallback(() => setChosen({ ids: NONE, full: false }), []);
  return { ids, full, turn, clear };
}
