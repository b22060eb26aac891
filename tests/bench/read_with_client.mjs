// Reads a history with the built `@runtail/client`: `read_with_client.mjs CLIENT URL EXECUTION COUNT`.
// Prints how many seconds that took, and what processor time.
const [, , path, url, execution, count] = process.argv;
const { createClient } = await import(path);
const client = createClient({ url });
const began = performance.now();
let read = 0;
for await (const event of client.log(execution).events()) {
  if (event.type === "record" && ++read >= Number(count)) break;
}
const seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6 }));
process.exit(0);
