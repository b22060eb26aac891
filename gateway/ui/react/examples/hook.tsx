import { useWebSocketLogs } from "@runtail/react";

export function Errors({ executionId }: { executionId: string }) {
  const { logs, connectionStatus, reconnect } = useWebSocketLogs(executionId, { level: ["error"] });
  return (
    <ul aria-label={connectionStatus}>
      {logs.map((record) => "message" in record && <li key={record.seq}>{String(record.message)}</li>)}
      {connectionStatus === "error" && <button onClick={reconnect}>Try again</button>}
    </ul>
  );
}
