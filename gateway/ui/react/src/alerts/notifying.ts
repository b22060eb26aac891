/** Notifications of the browser: only who asked for them gets them, and only while the page is out of sight. */

import type { AlertStrings } from "./strings.ts";
import type { ToldAlert } from "./useAlerts.ts";

export type Permission = "default" | "granted" | "denied" | "none";

/** Whether notifications are allowed; "none": this browser, or a page without TLS, has none. */
export const permission = (): Permission => (typeof Notification === "undefined" ? "none" : Notification.permission);

/** Ask; to be called from a click alone. */
export const askPermission = async (): Promise<Permission> => (typeof Notification === "undefined" ? "none" : Notification.requestPermission());

/** Show *alerts* outside the page; several are one. */
export function notify(alerts: readonly ToldAlert[], words: AlertStrings, open: (executionId: string) => void): void {
  const [first, ...others] = alerts;
  if (first === undefined || permission() !== "granted" || document.visibilityState === "visible") return;
  const { id, kind, state, lines } = first;
  const body = [state.last_error?.message ?? state.reason ?? "", ...lines, others.length > 0 ? words.more(others.length) : ""];
  const shown = new Notification(words.told[kind](id), { body: [...new Set(body)].filter((line) => line !== "").join("\n").slice(0, 500), tag: `runtail ${id} ${kind}` });
  shown.onclick = () => {
    focus();
    open(id);
    shown.close();
  };
}
