// Connect to the engine: `redis://…` or `unix:///path`.
import { createClient } from "redis";

export async function connected(url) {
  const client = url.startsWith("unix://")
    ? createClient({ socket: { path: url.slice("unix://".length) } })
    : createClient({ url });
  return client.connect();
}
