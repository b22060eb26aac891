import { type ConnectionDetails, connectionDetails, type Standing } from "./connection.ts";
import { useNow } from "./context.ts";

const MOVES: ReadonlySet<string> = new Set(["live", "retrying"]);

/** The time by which *standing* is told, while seconds count; null on a server. */
export const useStandingNow = ({ link }: Standing): number | null => useNow(MOVES.has(link.phase));

/** What tells quiet from dead, in figures, by the second. The result of `useWebSocketLogs` fits. */
export function useConnectionDetails(standing: Standing): ConnectionDetails {
  return connectionDetails(standing, useStandingNow(standing));
}
