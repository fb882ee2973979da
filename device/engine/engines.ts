/**
 * The engines there are, by name.
 *
 * @module
 */

import { LibraryError } from "../host/library_error.ts";
import { AutoEngine } from "./auto.ts";
import {
  type EngineChoice,
  type EngineDefinition,
  EngineError,
  isEngineName,
  MAX_ENGINES,
  reasonOf,
} from "./definition.ts";
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
 * Makes a thread's engines, in the order of the choices.
 *
 * Built-in engines that stand next to each other are one engine. One name alone
 * is an order; several are a choice: those that can be loaded become one, which
 * gives each job to the fastest of them. An engine of one's own stands for
 * itself: what it serves, none behind it gets.
 *
 * Where FFI is not permitted the only built-in engine is the portable one, and
 * permission is not asked for.
 *
 * @param choices the engines, the preferred one first
 * @returns at least one engine
 * @throws {RangeError} There is no choice, more than 16, or no engine of a name
 * @throws {LibraryError} The one built-in engine named cannot be loaded, or
 * none of several can
 * @throws {EngineError} An engine of one's own cannot be made
 */
export function openEngines(
  choices: readonly EngineChoice[],
): readonly Engine[] {
  if (choices.length === 0) {
    throw new RangeError("Cannot make a device without an engine");
  }
  if (choices.length > MAX_ENGINES) {
    throw new RangeError(
      `Cannot make a device with ${choices.length} engines: ${MAX_ENGINES} is the most`,
    );
  }
  const engines: Engine[] = [];
  let names: EngineName[] = [];
  const openNamed = (): void => {
    if (names.length > 0) engines.push(openBuiltIn(names));
    names = [];
  };
  for (const choice of choices) {
    if (typeof choice === "string") {
      names.push(choice);
    } else {
      openNamed();
      engines.push(openDefinition(choice));
    }
  }
  openNamed();
  return engines;
}

/**
 * The names of engines, one for each that computes.
 *
 * @param engines what {@linkcode openEngines} returned
 * @returns names in the order in which the engines are tried
 */
export function engineNames(engines: readonly Engine[]): readonly string[] {
  return engines.flatMap((engine) =>
    engine instanceof AutoEngine ? engineNames(engine.engines) : [engine.name]
  );
}

function openDefinition(definition: EngineDefinition): Engine {
  try {
    const engine = definition.open();
    if (!isEngineName(engine.name)) {
      throw new TypeError(
        `${JSON.stringify(engine.name)} is no name of an engine`,
      );
    }
    return engine;
  } catch (error) {
    throw new EngineError(
      `Cannot make the engine ${definition.name}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
}

/** Makes one engine of those that are built in. */
function openBuiltIn(names: readonly EngineName[]): Engine {
  const [only, ...others] = names;
  if (only !== undefined && others.length === 0) return openEngine(only);
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
  return second === undefined ? first : new AutoEngine(engines);
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
