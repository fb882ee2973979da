/**
 * Requests changed by hand, and what the device makes of them.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { CryptoDriver } from "../../device/driver/driver.ts";
import { RAW_FILL, type RawResult } from "../../device/driver/raw_request.ts";
import type { RequestBytes } from "../../device/driver/requests.ts";

export const OK = 0;
export const ERR = 1;
export const NOTSUPP = 3;
export const INVSESS = 4;
export const NOSPC = 5;

/** le32 values by offset, header included. */
export type Changes = Readonly<Record<number, number>>;

/** A request with le32 fields of its fixed part changed. */
export function changed(bytes: RequestBytes, changes: Changes): RequestBytes {
  const fixed = bytes.readable[0]!.slice();
  const view = new DataView(fixed.buffer);
  for (const [at, value] of Object.entries(changes)) {
    view.setUint32(Number(at), value, true);
  }
  return { ...bytes, readable: [fixed, ...bytes.readable.slice(1)] };
}

/** A request with its first bytes behind the fixed part replaced. */
export function withVariable(
  bytes: RequestBytes,
  variable: readonly Uint8Array[],
): RequestBytes {
  return { ...bytes, readable: [bytes.readable[0]!, ...variable] };
}

/** A request that may write so many bytes, status included. */
export function withRoom(bytes: RequestBytes, room: number): RequestBytes {
  return { ...bytes, writable: [room] };
}

/** Sends a request as it is. Nothing outside its writable part may change. */
export async function send(
  driver: CryptoDriver,
  queue: number | "control",
  { readable, writable }: RequestBytes,
): Promise<RawResult> {
  const result = await driver.submitRaw(queue, readable, writable);
  assert(result.intact);
  return result;
}

/**
 * Sends a data request and checks its status. Where it is a failure nothing
 * but that status may have been written.
 */
export async function expectStatus(
  driver: CryptoDriver,
  bytes: RequestBytes,
  status: number,
  what: string,
): Promise<void> {
  const result = await send(driver, 0, bytes);
  assertEquals(result.bytes.at(-1), status, what);
  assertEquals(result.usedLength, result.bytes.length, what);
  if (status === OK) return;
  const rest = result.bytes.subarray(0, -1);
  assert(rest.every((byte) => byte === RAW_FILL), what);
}
