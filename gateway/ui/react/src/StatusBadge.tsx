import type { ReactElement } from "react";
import { useStrings } from "./context.ts";
import { Icon } from "./icons.tsx";
import { isKnown, toneOf } from "./status.ts";
import { told } from "./Told.tsx";

/** Icon, colour and word of an execution's status. `compact`: the word is for screen readers alone. */
export function StatusBadge({ status, compact = false }: { readonly status: string; readonly compact?: boolean }): ReactElement {
  const strings = useStrings();
  const known = isKnown(status);
  return (
    <span className="runtail-status" data-status={status} data-tone={toneOf(status)} data-compact={compact}>
      <Icon name={known ? status : "unknown"} />
      <span className={compact ? "runtail-spoken" : "runtail-status-word"}>{known ? strings.status[status] : told(status)}</span>
    </span>
  );
}
