/**
 * Whether workers can be started: Deno reads a worker's modules as files.
 *
 * @module
 */

/** Where a worker's modules lie. */
const FOLDERS = [
  new URL("./", import.meta.url),
  new URL("../device/", import.meta.url),
];

/**
 * Looks whether the modules of a worker may be read. Permission is not asked
 * for. Modules of a registry are cached, and need none.
 *
 * @returns undefined where they may; else the path of what may not be read
 */
export function unreadableSource(): string | undefined {
  return FOLDERS.find((path) =>
    path.protocol === "file:" &&
    Deno.permissions.querySync({ name: "read", path }).state !== "granted"
  )?.pathname;
}
