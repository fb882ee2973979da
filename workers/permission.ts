/**
 * Whether this program may start the workers of data queues.
 *
 * @module
 */

/** What a worker loads: where it starts, and a module of each other folder. */
const MODULES = [
  new URL("./data_queue.ts", import.meta.url),
  new URL("../device/cli.ts", import.meta.url),
];

/**
 * What has to be permitted so that a module can be loaded by name: reading it
 * where it is a file, importing it where it is on the web; of jsr.io that is
 * permitted in any case. Nobody is asked.
 *
 * @param module where the module is
 * @returns the flag that is missing, or undefined where nothing is
 */
export function missingToLoad(module: URL): string | undefined {
  const { protocol, hostname } = module;
  const remote = protocol !== "file:";
  // With its port: that is how the hosts are listed that are permitted anyway.
  const port = module.port || (protocol === "http:" ? "80" : "443");
  const host = `${hostname}:${port}`;
  const { state } = Deno.permissions.querySync(
    remote ? { name: "import", host } : { name: "read", path: module },
  );
  if (state === "granted") return undefined;
  return remote
    ? `--allow-import=${host}`
    : `--allow-read=${new URL(".", module).pathname}`;
}

/**
 * What has to be permitted so that workers can start.
 *
 * @returns the flag that is missing, or undefined where nothing is
 */
export function missingForWorkers(): string | undefined {
  for (const module of MODULES) {
    const missing = missingToLoad(module);
    if (missing !== undefined) return missing;
  }
  return undefined;
}
