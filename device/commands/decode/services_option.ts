/**
 * The services whose mode features were negotiated, as `--session-mode` and
 * `--stateless-mode` tell them.
 *
 * @module
 */

import { SERVICE_NAMES } from "../../spec/names.ts";
import { UsageError } from "../usage.ts";

const WORDS = SERVICE_NAMES.map((name) => name.toLowerCase());

/**
 * Reads a list of services whose mode feature was negotiated.
 *
 * @param option the option's name, for messages
 * @param text services with commas between them, all, or none
 * @returns one bit a service
 * @throws {UsageError} One is not a service
 */
export function servicesOption(option: string, text: string): number {
  if (text === "none") return 0;
  if (text === "all") return 0b1111;
  let services = 0;
  for (const word of text.split(",")) {
    const service = WORDS.indexOf(word);
    if (service < 0) {
      throw new UsageError(
        `Cannot use --${option}=${text}: all, none, or some of ${
          WORDS.join(",")
        } is needed`,
      );
    }
    services |= 1 << service;
  }
  return services;
}
