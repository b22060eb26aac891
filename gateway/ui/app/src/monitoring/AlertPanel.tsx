import type { ExecutionState } from "@runtail/client";
import { AlertBanner, notify, type ToldAlert, useAlerts, useStrings } from "@runtail/react";
import { type ReactElement, useCallback, useRef } from "react";

export { NotifyButton } from "@runtail/react";

export interface AlertPanelProps {
  readonly executions: readonly ExecutionState[];
  readonly loaded: boolean;
  readonly hrefOf: (executionId: string) => string;
  readonly onOpen: (executionId: string) => void;
}

/** Alerts about whatever the page knows of. */
export function AlertPanel({ executions, loaded, hrefOf, onOpen }: AlertPanelProps): ReactElement {
  const { alerts: words } = useStrings();
  const open = useRef(onOpen);
  open.current = onOpen;
  const tell = useCallback((fresh: readonly ToldAlert[]) => notify(fresh, words, (id) => open.current(id)), [words]);
  const alerts = useAlerts(executions, loaded, tell);
  return <AlertBanner {...alerts} hrefOf={hrefOf} onOpen={onOpen} />;
}
