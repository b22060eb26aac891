import type { ReactElement } from "react";
import { Icon, type IconName } from "../icons.tsx";
import type { Tone } from "../status.ts";

const TONES: Readonly<Record<string, Tone>> = {
  running: "running", completed: "ok", failed: "error", retried: "warning", skipped: "muted", cancelled: "muted", pending: "muted",
};
const ICONS: Readonly<Record<string, IconName>> = {
  running: "running", completed: "completed", failed: "failed", retried: "reconnect", skipped: "cancelled", cancelled: "cancelled", pending: "pending",
};

/** The colour of a step's status. */
export const stepTone = (status: string): Tone => TONES[status] ?? "muted";

/** The picture of a step's status; words beside it say the same. */
export function StepIcon({ status }: { readonly status: string }): ReactElement {
  return (
    <span className="runtail-step-icon" data-tone={stepTone(status)}>
      <Icon name={ICONS[status] ?? "unknown"} />
    </span>
  );
}
