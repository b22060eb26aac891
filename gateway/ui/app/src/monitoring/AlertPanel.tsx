import type { ExecutionState } from "@runtail/client";
import { AlertBanner, notify, type ToldAlert, useAlerts, useOpened, useStrings } from "@runtail/react";
import { type ReactElement, useCallback, useEffect, useMemo, useRef } from "react";

export { NotifyButton } from "@runtail/react";

export interface AlertPanelProps {
  /** Those of the list. */
  readonly executions: readonly ExecutionState[];
  /** Those that are shown: they tell their failure themselves. */
  readonly open: readonly string[];
  readonly hrefOf: (executionId: string) => string;
  readonly onOpen: (executionId: string) => void;
}

/** Alerts about whatever the page knows of. */
export function AlertPanel({ executions, open, hrefOf, onOpen }: AlertPanelProps): ReactElement {
  const { alerts: words } = useStrings();
  const opens = useRef(onOpen);
  opens.current = onOpen;
  const opened = useOpened(open);
  const known = useMemo(() => [...opened, ...executions.filter(({ id }) => !open.includes(id))], [executions, open, opened.map(({ id, status, workers }) => `${id} ${status} ${workers?.silent}`).join()]);
  const tell = useCallback((fresh: readonly ToldAlert[]) => notify(fresh, words, (id) => opens.current(id)), [words]);
  const { alerts, dismiss } = useAlerts(known, tell);
  useEffect(() => {
    for (const { id } of alerts) if (open.includes(id)) dismiss(id);
  }, [alerts, open, dismiss]);
  return <AlertBanner alerts={alerts.filter(({ id }) => !open.includes(id))} dismiss={dismiss} hrefOf={hrefOf} onOpen={onOpen} />;
}
