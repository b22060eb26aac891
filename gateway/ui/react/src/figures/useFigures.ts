import { useEffect, useState } from "react";
import { useClient } from "../client-context.ts";
import type { Figures } from "./figures.ts";

/** They are asked for so often, while anybody looks. */
const EVERY_MS = 15_000;
export const WINDOW_SECONDS = 3_600;

export interface HeldFigures {
  /** The newest that came; null: none yet. */
  readonly figures: Figures | null;
  /** Why there are no newer ones; what is held stays. */
  readonly trouble: string | null;
}

/** The figures of the last hour, and again every 15 s while the page is in sight. */
export function useFigures(): HeldFigures {
  const client = useClient();
  const [held, setHeld] = useState<HeldFigures>({ figures: null, trouble: null });
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") {
        try {
          const figures = await client().rest.ask<Figures>("figures", { query: { window_seconds: WINDOW_SECONDS }, signal: leaving.signal });
          setHeld({ figures, trouble: null });
        } catch (error) {
          if (!leaving.signal.aborted) setHeld(({ figures }) => ({ figures, trouble: error instanceof Error ? error.message : String(error) }));
        }
      }
      if (!leaving.signal.aborted) timer = setTimeout(() => void ask(), EVERY_MS);
    };
    const seen = (): void => void (document.visibilityState === "visible" && ask());
    void ask();
    document.addEventListener("visibilitychange", seen);
    return () => {
      leaving.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [client]);
  return held;
}
