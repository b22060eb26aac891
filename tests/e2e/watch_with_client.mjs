// Watches an execution with the built `@runtail/client`: `watch_with_client.mjs CLIENT URL EXECUTION TRANSPORT`.
// Says each event of its iterator, and each change of its store, as a line of JSON.

const [, , path, url, execution, transport] = process.argv;
const { createClient } = await import(path);
// short waits: nobody else comes back at the same time
const client = createClient({ url, transport, environment: { random: () => Math.random() / 10 } });
const say = (line) => console.log(JSON.stringify(line));

const store = client.log(execution, { tail: 50 });
let status = "";
const ended = new Promise((resolve) => {
  store.subscribe(() => {
    const { connectionStatus, completeness, records } = store.getSnapshot();
    if (connectionStatus !== status) say({ status: connectionStatus });
    status = connectionStatus;
    if (completeness.state === "running") return;
    say({ completeness, window: [records[0].seq, records.at(-1).seq] });
    resolve();
  });
});

for await (const event of client.log(execution).events()) {
  say(event.type === "record" ? { seq: event.record.seq, id: event.record.id } : { ...event, snapshot: null });
}
await ended;
client.close();
