import { useContext } from "react";
import { ClockContext, useInBrowser } from "../context.ts";

const CLOCK = /* @__PURE__ */ new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const DAY = /* @__PURE__ */ new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const FULL = /* @__PURE__ */ new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "long" });
const DAY_MS = 86_400_000;

export interface ToldTime {
  /** Of today `12:03:11`, else `28 Nov, 12:03`. */
  readonly text: string;
  readonly full: string;
  /** Since 1970; null: *iso* is no time. */
  readonly ms: number | null;
  readonly now: number | null;
}

/** Spell *iso* in the reader's own time zone; on a server, which has another, not at all. */
export function useTimeOf(iso: string): ToldTime {
  const { now } = useContext(ClockContext);
  const inBrowser = useInBrowser();
  const ms = Date.parse(iso);
  if (Number.isNaN(ms) || !inBrowser) return { text: "", full: "", ms: null, now: null };
  const at = now();
  return { text: (at - ms < DAY_MS / 2 || sameDay(ms, at) ? CLOCK : DAY).format(ms), full: FULL.format(ms), ms, now: at };
}

const sameDay = (one: number, other: number): boolean => new Date(one).toDateString() === new Date(other).toDateString();
