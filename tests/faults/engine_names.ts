/**
 * The engines that this machine has, by the names that `--engine` takes.
 *
 * @module
 */

import { ENGINES } from "../engine/engines.ts";

/**
 * The names but that of an engine of one's own; engines.ts says which ones a run does not cover.
 *
 * @returns "noble", and those whose libraries are there
 */
export function engineNames(): readonly string[] {
  return Object.keys(ENGINES).filter((name) => name !== "node");
}
