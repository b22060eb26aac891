// How many records a second the library takes, from a socket's text to a snapshot a frame: `npm run bench -w client`.

import { performance } from "node:perf_hooks";
import { createClient } from "../dist/index.js";

const RECORDS = 1_000_000;
const PER_SECOND = 5_000;
const FRAMES = 60;
let socket;
let frames = [];
class Socket {
  constructor() {
    socket = this;
  }
  send() {}
  close() {}
}

const line = (seq) =>
  `{"execution_id":"run","level":"info","step_name":"load","message":"line ${seq}: ${"x".repeat(200)}","timestamp":"2026-11-25T20:00:00Z","id":"${seq}-0","seq":${seq}}`;
const messageOf = (first, count) =>
  `{"execution_id":"run","type":"records","records":[${Array.from({ length: count }, (_, i) => line(first + i)).join(",")}],"cursor":"${first + count - 1}-0:${first + count - 1}:aaaaaaaa"}`;

async function watched() {
  const client = createClient({
    url: "http://bench.test",
    environment: { WebSocket: Socket, requestFrame: (run) => frames.push(run), setTimeout: () => 0, clearTimeout() {} },
  });
  const store = client.log("run");
  store.subscribe(() => store.getSnapshot());
  await new Promise((resolve) => setTimeout(resolve, 10));
  socket.onopen();
  socket.onmessage({ data: '{"execution_id":"run","type":"hello","execution":null,"cursor":"0-0:0:-","first":1,"last":0}' });
  return store;
}

function draw() {
  const due = frames;
  frames = [];
  for (const run of due) run();
}

/** Take *total* records in messages of *each*, a snapshot after every *perFrame* messages; answer seconds. */
async function run(total, each, perFrame) {
  const store = await watched();
  let seconds = 0;
  let longest = 0;
  for (let seq = 1; seq <= total; ) {
    const messages = [];
    for (let i = 0; i < perFrame && seq <= total; i += 1, seq += each) messages.push(messageOf(seq, each));
    const began = performance.now();
    for (const data of messages) socket.onmessage({ data });
    draw();
    const took = performance.now() - began;
    seconds += took / 1000;
    longest = Math.max(longest, took);
  }
  const { lastSeq, records, notices } = store.getSnapshot();
  if (lastSeq !== total || records.length !== 10_000 || notices.length > 0) throw new Error("that was not right");
  return { seconds, longest };
}

await run(100_000, 500, 1); // warm
const replay = await run(RECORDS, 800, 4);
console.log(`replay: ${Math.round(RECORDS / replay.seconds).toLocaleString("en")} records/s, JSON included; longest frame ${replay.longest.toFixed(1)} ms`);

const perFrame = Math.round(PER_SECOND / FRAMES);
const live = await run(30 * FRAMES * perFrame, 1, perFrame);
const share = live.seconds / 30;
console.log(`live: ${PER_SECOND.toLocaleString("en")} records/s, one a message, ${FRAMES} frames/s: ${(100 * share).toFixed(1)} % of a core, ${((1000 * share) / FRAMES).toFixed(2)} ms a frame`);
