/**
 * Whether this program may start the workers of data queues.
 *
 * @module
 */

/** What a worker starts from. */
const MODULE = new URL("./data_queue.ts", import.meta.url);

/**
 * What has to be permitted so that a worker can load its module: reading it
 * where it is a file, importing it where it is on the web. Nobody is asked.
 *
 * @returns the flag that is missing, or undefined where nothing is
 */
export function missingForWorkers(): string | undefined {
  const remote = MODULE.protocol !== "file:";
  const { state } = Deno.permissions.querySync(
    remote
      ? { name: "import", host: MODULE.host }
      : { name: "read", path: MODULE },
  );
  if (state === "granted") return undefined;
  return remote
    ? `--allow-import=${MODULE.host}`
    : `--allow-read of ${new URL(".", MODULE).pathname}`;
}
