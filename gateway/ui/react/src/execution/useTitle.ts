/** Title and icon of the browser's tab: status first. */

import { useEffect } from "react";
import { useStrings } from "../context.ts";
import { isKnown, type Tone, toneOf } from "../status.ts";
import { told } from "../Told.tsx";

const COLOURS: Readonly<Record<Tone, string>> = {
  running: "2f6fe0", ok: "1f9d55", error: "d93636", warning: "c27c00", lost: "8e57d1", muted: "79839a",
};

/** One sign for each, readable in a tab where there is no colour. */
const SIGNS: Readonly<Record<Tone, string>> = {
  running: "M8 3.5a4.5 4.5 0 1 1-4.5 4.5",
  ok: "m4.5 8.3 2.5 2.5 4.6-5.3",
  error: "m5 5 6 6m0-6-6 6",
  warning: "M6 5v6m4-6v6",
  lost: "M8 4v5m0 2.3v.2",
  muted: "M4.8 8h6.4",
};

/** An icon for *tone*, as an address. */
export function iconOf(tone: Tone): string {
  const path = `<path d='${SIGNS[tone]}' fill='none' stroke='white' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/>`;
  const svg = `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' fill='#${COLOURS[tone]}'/>${path}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(svg)}`;
}

/** While *status* is one, title and icon tell it; both are as before when the page is left. */
export function useStatusTitle(status: string | null, name: string, progress: number | null): void {
  const strings = useStrings();
  const word = status === null ? null : isKnown(status) ? strings.status[status] : told(status);
  const title = word === null ? null : strings.execution.title(word, told(name), progress === null || status !== "running" ? null : strings.percent(progress));
  const icon = status === null ? null : iconOf(toneOf(status));
  useEffect(() => {
    if (title === null) return undefined;
    const before = document.title;
    document.title = title;
    return () => {
      document.title = before;
    };
  }, [title]);
  useEffect(() => {
    const link = document.querySelector<HTMLLinkElement>('link[rel~="icon"]');
    if (icon === null || link === null) return undefined;
    const before = link.href;
    link.href = icon;
    return () => {
      link.href = before;
    };
  }, [icon]);
}
