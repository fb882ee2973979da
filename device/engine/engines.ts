/**
 * The engines there are, by name.
 *
 * @module
 */

import type { Engine, EngineName } from "./engine.ts";
import { NobleEngine } from "./noble.ts";

/** Names of the engines that can be asked for, the fastest first. */
export const ENGINE_NAMES: readonly EngineName[] = ["noble"];

/**
 * Makes a thread's engines.
 *
 * @param names the engines, the preferred one first
 * @returns the engines in the same order
 */
export function openEngines(names: readonly EngineName[]): readonly Engine[] {
  return names.map((name) => {
    switch (name) {
      case "noble":
        return new NobleEngine();
    }
  });
}
