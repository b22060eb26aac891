/** The log of one execution, as these viewers take it: a text to load, and lines that come after it. */

const query = new URLSearchParams(location.search);
const gateway = query.get("gateway")!;
const execution = query.get("execution")!;

/** Which line to open at; null: at the end, which is followed. */
export const line = query.has("line") ? Number(query.get("line")) : null;
export const viewer = query.get("viewer");
export const textUrl = `${gateway}/executions/${execution}/logs.txt`;

/** How often lines that came are handed over: as often as in patternfly's own demo. */
const EACH_MS = 500;

/** Hand over what is published from now on, some lines at a time. */
export function live(take: (lines: string[]) => void): void {
  const socket = new WebSocket(`${gateway.replace("http", "ws")}/ws/executions/${execution}/logs?after=$`);
  let came: string[] = [];
  socket.onmessage = ({ data }) => {
    const { records = [] } = JSON.parse(data);
    for (const { timestamp, level, step_name, message } of records) came.push(`${timestamp} ${level} ${step_name} ${message}`);
  };
  setInterval(() => {
    if (came.length > 0) take(came);
    came = [];
  }, EACH_MS);
}
