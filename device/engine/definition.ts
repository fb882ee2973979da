/**
 * Engines as a device is given them: by name, by what makes them, or by a
 * module that every thread imports for itself.
 *
 * @module
 */

import type { Engine, EngineName } from "./engine.ts";

/** Something that makes engines: one for each thread that computes. */
export interface EngineDefinition {
  /**
   * The engine's name, for people: at most 32 lower-case letters, digits and
   * hyphens. Its engines have the same name.
   */
  readonly name: string;
  /**
   * Makes an engine for the thread that calls.
   *
   * @returns the engine
   */
  open(): Engine;
}

/** The definition that a module exports, and where the module is. */
export interface EngineModule extends EngineDefinition {
  /** Absolute URL of the module. */
  readonly module: string;
  /** Name of the export that is the definition. */
  readonly exportName: string;
}

/**
 * An engine to use: a built-in one by its name, or one of your own. A
 * definition that no module is known of cannot cross threads, and does for
 * devices without workers only.
 */
export type EngineChoice = EngineName | EngineDefinition | EngineModule;

/** A choice of engine as plain data, which crosses threads. */
export type EngineSource =
  | EngineName
  | Pick<EngineModule, "module" | "exportName">;

/** A module cannot be imported, or does not export an engine. */
export class EngineError extends Error {
  /** The name of the class. */
  override readonly name = "EngineError";
}

/** Most characters of an engine's name. */
export const MAX_NAME_LENGTH = 32;

/** Most engines of a device. */
export const MAX_ENGINES = 16;

/** Names that mean something else where an engine's name is expected. */
const RESERVED: readonly string[] = [
  "auto",
  "noble",
  "libcrypto",
  "ipsec-mb",
  "other",
];

/**
 * Whether an engine may have a name: it gets into metrics and traces.
 *
 * @param name anything
 * @returns true for 1 to 32 lower-case letters, digits and hyphens, of which
 * the first is no hyphen
 */
export function isEngineName(name: unknown): boolean {
  return typeof name === "string" && name.length <= MAX_NAME_LENGTH &&
    /^[a-z\d][a-z\d-]*$/.test(name);
}

/**
 * Refuses what is not the name of an engine of one's own.
 *
 * @param name the name
 * @throws {TypeError} It is none
 */
export function checkName(name: string): void {
  if (!isEngineName(name)) {
    throw new TypeError(
      `Cannot name an engine "${name}": 1 to ${MAX_NAME_LENGTH} lower-case letters, digits and hyphens are needed`,
    );
  }
  if (RESERVED.includes(name)) {
    throw new TypeError(
      `Cannot name an engine "${name}": that is the name of a built-in one`,
    );
  }
}

/**
 * Why something was thrown, as the end of a message: one line without a full
 * stop.
 *
 * @param thrown anything
 * @returns its text
 */
export function reasonOf(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return text.split("\n", 1)[0]!.replace(/\.$/, "");
}

function isDefinition(value: unknown): value is EngineDefinition {
  return typeof value === "object" && value !== null && "name" in value &&
    "open" in value && typeof value.open === "function";
}

/**
 * Imports an engine of one's own for use by a device. Each of the device's
 * workers imports the same module again: the module runs once in each of these
 * threads, and shares nothing between them but what it loads from outside.
 *
 * A module of a file needs `--allow-read` of it, a module of the web
 * `--allow-import` of its host.
 *
 * @param module absolute URL of the module; `import.meta.resolve("./x.ts")`
 * makes one of a relative path
 * @param exportName name of the export that is the engine: what
 * {@linkcode defineEngine} returns, or an {@linkcode EngineDefinition} of your
 * own; the default export when left out
 * @returns the engine, for {@linkcode DeviceOptions.engines}
 * @throws {TypeError} The URL is not absolute, or the engine's name is not one
 * @throws {EngineError} The module cannot be imported, or has no such export,
 * or it is not an engine; the reason is in `cause`
 *
 * @example The module of an engine, used in workers
 * ```ts
 * import { importEngine, InProcessDevice } from "../../mod.ts";
 *
 * const url = import.meta.resolve("../../examples/node_engine.ts");
 * const device = new InProcessDevice({
 *   engines: [await importEngine(url), "noble"],
 * });
 * console.log(device.engines); // ["node", "noble"]
 * await device.close();
 * ```
 */
export async function importEngine(
  module: string | URL,
  exportName = "default",
): Promise<EngineModule> {
  const url = String(module);
  if (!URL.canParse(url)) {
    throw new TypeError(
      `Cannot import an engine from "${url}": an absolute URL is needed, as import.meta.resolve makes one`,
    );
  }
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = await import(url);
  } catch (error) {
    throw new EngineError(
      `Cannot import an engine from ${url}: ${reasonOf(error)}`,
      { cause: error },
    );
  }
  const definition = exports[exportName];
  if (!isDefinition(definition)) {
    throw new EngineError(
      `Cannot use the export "${exportName}" of ${url} as an engine: ${
        exportName in exports
          ? "it has no name and open()"
          : "there is no such export"
      }`,
    );
  }
  checkName(definition.name);
  return {
    name: definition.name,
    open: () => definition.open(),
    module: url,
    exportName,
  };
}

/**
 * Choices of engines as plain data.
 *
 * @param choices the choices
 * @returns the same, in order, for another thread
 * @throws {TypeError} No module is known of one
 */
export function engineSources(
  choices: readonly EngineChoice[],
): readonly EngineSource[] {
  return choices.map((choice) => {
    if (typeof choice === "string") return choice;
    if (!("module" in choice)) {
      throw new TypeError(
        `Cannot use the engine ${choice.name} in workers: import it by importEngine, or serve with workers: 0`,
      );
    }
    const { module, exportName } = choice;
    return { module, exportName };
  });
}

/**
 * The choices again in another thread, which imports their modules.
 *
 * @param sources plain data
 * @returns the choices, in order
 * @throws {EngineError} A module cannot be imported
 */
export function importEngines(
  sources: readonly EngineSource[],
): Promise<readonly EngineChoice[]> {
  return Promise.all(
    sources.map((source) =>
      typeof source === "string"
        ? source
        : importEngine(source.module, source.exportName)
    ),
  );
}
