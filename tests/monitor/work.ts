/**
 * Requests whose numbers are known.
 *
 * @module
 */

import type { CryptoDriver } from "../../device/driver/driver.ts";
import { Random } from "../engine/random.ts";
import { handmade } from "../support/handmade.ts";

const random = new Random(71);

/** A key in which no byte is 0 and that nothing else has. */
export const KEY = random.bytes(32).map((byte) => byte | 1);
/** Data of which the same is so. */
export const DATA = random.bytes(64).map((byte) => byte | 1);
export const IV = random.bytes(16);

/** What {@linkcode send} sends to each queue, by algorithm. */
export const SENT: Readonly<Record<string, number>> = {
  "aes-cbc": 40,
  "sha256": 25,
  "aes-cbc+hmac-sha256": 10,
  "hmac-sha256": 5,
};

/** Those of them that are refused, by status. */
export const REFUSED: Readonly<Record<string, number>> = {
  ERR: 3,
  NOTSUPP: 1,
  INVSESS: 2,
};

/** The number of all of them. */
export const TOTAL = 40 + 25 + 10 + 5 + 3 + 1 + 2;

/** A stateless request: it brings its key along. */
export const MAC = handmade("v15", {
  opcode: 0x200,
  flag: 2,
  algorithm: 4,
  key: KEY,
  source: DATA,
  result: 32,
});

async function many(count: number, run: () => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: count }, run));
}

/**
 * A request with a 32-bit field of it changed.
 *
 * @param readable its readable part
 * @param at offset of the field
 * @param value what it holds then
 * @returns the new readable part
 */
export function changed(
  readable: readonly Uint8Array[],
  at: number,
  value: number,
): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(readable.flatMap((part) => [...part]));
  new DataView(bytes.buffer).setUint32(at, value, true);
  return bytes;
}

/**
 * Sends {@linkcode SENT} and {@linkcode REFUSED} to a queue. Sessions stay.
 *
 * @param driver the driver; of a device that offers v15
 * @param queue number of the queue
 */
export async function send(driver: CryptoDriver, queue: number): Promise<void> {
  const cipher = await driver.createSession({
    service: "cipher",
    algorithm: "aes-cbc",
    key: KEY,
    direction: "encrypt",
  });
  const hash = await driver.createSession({
    service: "hash",
    algorithm: "sha256",
  });
  const chain = await driver.createSession({
    service: "chain",
    cipher: { algorithm: "aes-cbc", key: KEY, direction: "encrypt" },
    hash: { algorithm: "hmac-sha256", key: KEY },
    order: "cipher-then-hash",
  });
  await many(40, () => cipher.run({ data: DATA, iv: IV, queue }));
  await many(25, () => hash.run({ data: DATA, queue }));
  await many(10, () => chain.run({ data: DATA, iv: IV, queue }));
  const raw = (bytes: Uint8Array) => driver.submitRaw(queue, [bytes], [33]);
  const good = changed(MAC.readable, 20, 0);
  await many(5, () => raw(good));
  // hash_result_len, flag, opcode, and a session that is none.
  await raw(changed(MAC.readable, 36, 77));
  await raw(changed(MAC.readable, 16, 9));
  await raw(good.subarray(0, 30));
  await raw(changed(MAC.readable, 0, 0x999));
  const lost = handmade("v15", {
    opcode: 0x100,
    flag: 1,
    session: { low: 3000, high: 1 },
    source: DATA,
    result: 32,
  });
  await many(2, () => raw(changed(lost.readable, 20, 0)));
}
