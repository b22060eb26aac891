/** The words of alerts. */

import type { AlertKind } from "./changes.ts";

export interface AlertStrings {
  readonly title: string;
  readonly told: Readonly<Record<AlertKind, (name: string) => string>>;
  readonly lastLines: string;
  readonly open: string;
  readonly dismiss: (name: string) => string;
  readonly dismissAll: string;
  readonly more: (count: number) => string;
  readonly notify: string;
  readonly notifying: string;
  readonly refused: string;
}

export const ALERT_STRINGS: AlertStrings = {
  title: "Alerts",
  told: {
    failed: (name) => `${name} failed`,
    stalled: (name) => `${name} is stalled: its worker is silent`,
    lost: (name) => `${name}: worker lost`,
  },
  lastLines: "Last lines",
  open: "Open",
  dismiss: (name) => `Dismiss the alert about ${name}`,
  dismissAll: "Dismiss all",
  more: (count) => `and ${count} more`,
  notify: "Notify me",
  notifying: "Notifications on",
  refused: "Your browser's settings forbid notifications for this page.",
};
