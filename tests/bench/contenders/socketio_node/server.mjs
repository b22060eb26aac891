// A Socket.IO server: who says `watch` joins the room of that execution. Prints its address.
import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { Server } from "socket.io";
import { connected } from "./redis.mjs";

const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(await connected(process.argv[2])),
  connectionStateRecovery: {},
  transports: ["websocket"],
});

io.engine.on("connection", (raw) => {
  raw.request = null; // socket.io/docs/v4/memory-usage: kept otherwise, and of no use here
});

io.on("connection", (socket) => {
  socket.on("watch", (execution) => {
    socket.join(execution);
    socket.emit("ready");
  });
});

http.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${http.address().port}`));
