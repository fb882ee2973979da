/**
 * Lists of services on the command line.
 *
 * @module
 */

import {
  ALL_SERVICES,
  isServiceName,
  SERVICE_LIST,
  serviceBits,
  type ServiceName,
} from "../spec/services.ts";
import { UsageError } from "./usage.ts";

function namesOf(text: string, complaint: string): readonly ServiceName[] {
  const words = text.split(",");
  if (!words.every(isServiceName)) throw new UsageError(complaint);
  return words;
}

/**
 * Reads `--services`: those that a device offers.
 *
 * @param text services with commas between them; undefined where nothing was
 * given
 * @returns their names; undefined where nothing was given
 * @throws {UsageError} One is not a service
 */
export function servicesOption(
  text: string | undefined,
): readonly ServiceName[] | undefined {
  return text === undefined ? undefined : namesOf(
    text,
    `Cannot use --services=${text}: some of ${SERVICE_LIST} are needed`,
  );
}

/**
 * Reads an option that tells the services whose mode feature was negotiated.
 *
 * @param option the option's name, for messages
 * @param text services with commas between them, all, or none
 * @returns one bit a service
 * @throws {UsageError} One is not a service
 */
export function modesOption(option: string, text: string): number {
  if (text === "none") return 0;
  if (text === "all") return ALL_SERVICES;
  return serviceBits(namesOf(
    text,
    `Cannot use --${option}=${text}: all, none, or some of ${SERVICE_LIST} is needed`,
  ));
}
