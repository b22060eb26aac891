import { useEffect, useMemo, useState } from "react";
import { useClient } from "../client-context.ts";
import type { Figures } from "./figures.ts";

/** They are asked for so often, while anybody looks. */
const EVERY_MS = 15_000;
const WINDOW_SECONDS = 3_600;
/** What is usual, is so over days: a nightly run is none of the last hour's. */
const USUAL_SECONDS = 7 * 86_400;
const USUAL_EVERY_MS = 300_000;

export interface HeldFigures {
  /** The newest that came; null: none yet. */
  readonly figures: Figures | null;
  /** Why there are no newer ones; what is held stays. */
  readonly trouble: string | null;
}

/** The figures of the last hour, and again every 15 s while the page is in sight. */
export const useFigures = (): HeldFigures => useAsked(WINDOW_SECONDS, EVERY_MS);

const NONE: ReadonlyMap<string, number> = new Map();

/** Medians of the last seven days by workflow, in ms; none while they are not known. */
export function useMedians(): ReadonlyMap<string, number> {
  const { figures } = useAsked(USUAL_SECONDS, USUAL_EVERY_MS);
  return useMemo(
    () => (figures === null ? NONE : new Map(figures.workflows.flatMap(({ workflow_id, p50_ms }) => (p50_ms === null ? [] : [[workflow_id, p50_ms] as const])))),
    [figures],
  );
}

function useAsked(windowSeconds: number, everyMs: number): HeldFigures {
  const client = useClient();
  const [held, setHeld] = useState<HeldFigures>({ figures: null, trouble: null });
  useEffect(() => {
    const leaving = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.visibilityState === "visible") {
        try {
          const figures = await client().rest.ask<Figures>("figures", { query: { window_seconds: windowSeconds }, signal: leaving.signal });
          setHeld({ figures, trouble: null });
        } catch (error) {
          if (!leaving.signal.aborted) setHeld(({ figures }) => ({ figures, trouble: error instanceof Error ? error.message : String(error) }));
        }
      }
      if (!leaving.signal.aborted) timer = setTimeout(() => void ask(), everyMs);
    };
    const seen = (): void => void (document.visibilityState === "visible" && ask());
    void ask();
    document.addEventListener("visibilitychange", seen);
    return () => {
      leaving.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [client, windowSeconds, everyMs]);
  return held;
}
