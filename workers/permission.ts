/**
 * Whether this program may start the workers of data queues.
 *
 * @module
 */

/** What a worker starts from. */
const MODULE = new URL("./data_queue.ts", import.meta.url);

/**
 * What has to be permitted so that a worker can load its module: reading it
 * where it is a file, importing it where it is on the web; of jsr.io that is
 * permitted in any case. Nobody is asked.
 *
 * @returns the flag that is missing, or undefined where nothing is
 */
export function missingForWorkers(): string | undefined {
  const { protocol, hostname } = MODULE;
  const remote = protocol !== "file:";
  // With its port: that is how the hosts are listed that are permitted anyway.
  const port = MODULE.port || (protocol === "http:" ? "80" : "443");
  const host = `${hostname}:${port}`;
  const { state } = Deno.permissions.querySync(
    remote ? { name: "import", host } : { name: "read", path: MODULE },
  );
  if (state === "granted") return undefined;
  return remote
    ? `--allow-import=${host}`
    : `--allow-read of ${new URL(".", MODULE).pathname}`;
}
