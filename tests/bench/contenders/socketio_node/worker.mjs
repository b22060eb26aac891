// Emit what comes as lines of `[room, [record, …]]`; answer each line when the stream has taken it.
import { createInterface } from "node:readline";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Server } from "socket.io";
import { connected } from "./redis.mjs";

const redis = await connected(process.argv[2]);
const io = new Server({ adapter: createAdapter(redis), connectionStateRecovery: {} });

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [room, records] = JSON.parse(line);
  for (const record of records) io.to(room).emit("log", record);
  await redis.ping(); // commands of one connection are carried out in order: the records are stored
  console.log("stored");
}
process.exit(); // whoever wrote the lines is gone; the adapter would go on reading the stream
