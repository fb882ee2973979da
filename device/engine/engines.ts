/**
 * The engines there are, by name.
 *
 * @module
 */

import { LibraryError } from "../host/library_error.ts";
import { AutoEngine } from "./auto.ts";
import type { Engine, EngineName } from "./engine.ts";
import { IpsecMbEngine } from "./ipsec_mb.ts";
import { openLibcryptoEngine } from "./libcrypto.ts";
import { NobleEngine } from "./noble.ts";

/**
 * Names of the engines that can be asked for, in the order in which they are
 * tried for a job that is alone: the fastest first.
 */
export const ENGINE_NAMES: readonly EngineName[] = [
  "libcrypto",
  "ipsec-mb",
  "noble",
];

/**
 * Makes a thread's engines. One name is an order; several are a choice: those
 * that can be loaded become one engine, which gives each job to the fastest of
 * them.
 *
 * Where FFI is not permitted there is nothing to choose from but the portable
 * engine, and permission is not asked for.
 *
 * @param names the engines, the preferred one first
 * @returns one engine over all that are named
 * @throws {LibraryError} The one engine named cannot be loaded, or none of
 * several can
 */
export function openEngines(names: readonly EngineName[]): readonly Engine[] {
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return [openEngine(only)];
  const permitted = isFfiPermitted();
  const reasons: LibraryError[] = [];
  const engines = names.flatMap((name) => {
    if (name !== "noble" && !permitted) return [];
    try {
      return [openEngine(name)];
    } catch (error) {
      if (!(error instanceof LibraryError)) throw error;
      reasons.push(error);
      return [];
    }
  });
  const [first, second] = engines;
  if (first === undefined) {
    throw reasons[0] ??
      new LibraryError(
        `Cannot use any of the engines ${
          names.join(", ")
        }: they need --allow-ffi`,
      );
  }
  return second === undefined ? [first] : [new AutoEngine(engines)];
}

/** Whether native code may be called, without asking for it. */
function isFfiPermitted(): boolean {
  return Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

function openEngine(name: EngineName): Engine {
  switch (name) {
    case "noble":
      return new NobleEngine();
    case "libcrypto":
    case "ipsec-mb":
      if (!isFfiPermitted()) {
        throw new LibraryError(
          `Cannot use the engine ${name} without --allow-ffi`,
        );
      }
      return name === "libcrypto" ? openLibcryptoEngine() : new IpsecMbEngine();
    default:
      throw new RangeError(`Cannot use an engine "${name as string}"`);
  }
}
