// Reads one WebSocket to its end: prints each message, one a line, then its close code.
// Usage: node reader.mjs ws|builtin <address>
import process from "node:process";

const [, , which, address] = process.argv;
const WebSocket = which === "ws" ? (await import("ws")).WebSocket : globalThis.WebSocket;
const socket = new WebSocket(address);
const print = (told) => console.log(JSON.stringify(told));

socket.addEventListener("message", (event) => print(JSON.parse(event.data)));
socket.addEventListener("close", (event) => print({ closed: event.code }));
socket.addEventListener("error", () => {});
