import type { LogSnapshot } from "@runtail/client";
import type { ReactElement } from "react";
import { useStrings } from "./context.ts";
import { Icon } from "./icons.tsx";
import { Progress } from "./Progress.tsx";
import { progressOf, toneOf } from "./status.ts";
import { StatusDot } from "./StatusDot.tsx";
import { Told } from "./Told.tsx";

export interface ViewerHeaderProps {
  readonly snapshot: LogSnapshot;
  readonly reconnect: () => void;
  readonly onSignIn: (() => void) | undefined;
  /** Whether the progress is shown here (a monitor shows it itself). */
  readonly progress: boolean;
}

/** Whether asking again at once can change anything. */
function canReconnect({ link }: LogSnapshot): boolean {
  switch (link.phase) {
    case "retrying":
    case "signed_out":
    case "refused":
    case "closed":
      return true;
    case "connecting":
      return link.attempt > 0;
    case "replaying":
    case "live":
    case "ended":
      return false;
  }
}

export function ViewerHeader({ snapshot, reconnect, onSignIn, progress }: ViewerHeaderProps): ReactElement {
  const { viewer } = useStrings();
  const { execution, link, error } = snapshot;
  const value = execution === null ? undefined : progressOf(execution);
  const why = link.phase === "signed_out" ? link.message : link.phase === "retrying" ? error?.message : undefined;
  return (
    <div className="runtail-viewer-header">
      <StatusDot {...snapshot} />
      {why !== undefined && why !== "" && <Told className="runtail-why" text={why} />}
      {link.phase === "signed_out" && onSignIn !== undefined && (
        <button type="button" className="runtail-button" onClick={onSignIn}>
          {viewer.signIn}
        </button>
      )}
      {canReconnect(snapshot) && (
        <button type="button" className="runtail-button runtail-reconnect" onClick={reconnect}>
          <Icon name="reconnect" />
          {viewer.reconnect}
        </button>
      )}
      {progress && execution !== null && value !== undefined && <Progress value={value} tone={toneOf(execution.status)} />}
    </div>
  );
}
