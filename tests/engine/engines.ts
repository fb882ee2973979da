/**
 * The engines under test. Every test of this folder that is not about one
 * engine's own parts runs with each of them.
 *
 * @module
 */

import type { Engine } from "../../device/engine/engine.ts";
import { ENGINE_NAMES, openEngines } from "../../device/engine/engines.ts";
import { IpsecMbEngine } from "../../device/engine/ipsec_mb.ts";
import { openLibcryptoEngine } from "../../device/engine/libcrypto.ts";
import { NobleEngine } from "../../device/engine/noble.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import nodeEngine from "../../examples/node_engine.ts";
import { WholeEngine } from "./whole_engine.ts";

/** Makes each engine that needs a library of the system, by its name. */
const NATIVE: Readonly<Record<string, () => Engine>> = {
  libcrypto: openLibcryptoEngine,
  "ipsec-mb": () => new IpsecMbEngine(),
  auto: () => openEngines(ENGINE_NAMES)[0]!,
};

/**
 * Parts of the names of tests of what the portable engine alone promises: to
 * ask between steps of 64 KiB whether to go on.
 */
const STEPWISE = ["given up", "what it has verified"];

/** Whether a library is there; says so where it is not. */
function isThere([name, open]: [string, () => Engine]): boolean {
  try {
    open();
    return true;
  } catch (error) {
    if (!(error instanceof LibraryError)) throw error;
    console.log(`Not covered: the engine ${name}. ${error.message}`);
    return false;
  }
}

/**
 * Makes each engine, by its name. What one does not serve, the portable one does
 * beside it. "node" stands for engines of one's own.
 */
export const ENGINES: Readonly<Record<string, () => Engine>> = {
  noble: () => new NobleEngine(),
  node: () => new WholeEngine(nodeEngine.open()),
  ...Object.fromEntries(
    Object.entries(NATIVE).filter(isThere).map((
      [name, open],
    ) => [name, () => new WholeEngine(open())]),
  ),
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
  const stepwise = STEPWISE.some((part) => name.includes(part));
  for (const [engineName, make] of Object.entries(ENGINES)) {
    if (stepwise && engineName !== "noble") continue;
    Deno.test(`${engineName} ${name}`, () => test(make()));
  }
}
