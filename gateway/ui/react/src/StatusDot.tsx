import type { ConnectionStatus } from "@runtail/client";
import type { ReactElement } from "react";
import type { Standing } from "./connection.ts";
import { useStrings } from "./context.ts";
import { useStandingNow } from "./useConnectionDetails.ts";
import { linkWords, spokenWords } from "./words.ts";

export interface StatusDotProps extends Standing {
  readonly connectionStatus: ConnectionStatus;
}

/**
 * The colour of the connection (green connected, yellow pulsing connecting, red error, grey
 * disconnected), and words that tell quiet from dead. The result of `useWebSocketLogs` fits.
 */
export function StatusDot(props: StatusDotProps): ReactElement {
  const strings = useStrings();
  const now = useStandingNow(props);
  return (
    <span className="runtail-link" data-status={props.connectionStatus} data-phase={props.link.phase}>
      <span className="runtail-dot" aria-hidden="true" />
      <span className="runtail-words">{linkWords(props, now, strings)}</span>
      <span className="runtail-spoken" role="status">
        {spokenWords(props, strings)}
      </span>
    </span>
  );
}
