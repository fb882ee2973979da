/**
 * The engines under test. Every test of this folder that is not about one
 * engine's own parts runs with each of them.
 *
 * @module
 */

import type { Engine } from "../../device/engine/engine.ts";
import { NobleEngine } from "../../device/engine/noble.ts";

/** Makes each engine, by its name. */
export const ENGINES: Readonly<Record<string, () => Engine>> = {
  noble: () => new NobleEngine(),
};

/**
 * Registers a test for each engine.
 *
 * @param name a sentence about what the engine does
 * @param test the test
 */
export function testEngines(
  name: string,
  test: (engine: Engine) => void,
): void {
  for (const [engineName, make] of Object.entries(ENGINES)) {
    Deno.test(`${engineName} ${name}`, () => test(make()));
  }
}
