/**
 * Every kind of ring, and work for a driver whose results are known.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { CryptoDriver } from "../../device/driver/driver.ts";
import type { Session } from "../../device/driver/session.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";

export const VERSION_1 = 1n << 32n;
export const INDIRECT = 1n << 28n;
export const EVENT_INDEX = 1n << 29n;
export const PACKED = 1n << 34n;
export const IN_ORDER = 1n << 35n;

/** A kind of ring. */
export interface Kind {
  readonly name: string;
  readonly features: bigint;
  readonly packed: boolean;
}

const FEATURES = [
  ["packed", PACKED],
  ["with event indices", EVENT_INDEX],
  ["in order", IN_ORDER],
  ["with indirect tables", INDIRECT],
] as const;

/** All kinds of rings, by the features that were negotiated. */
export const KINDS: readonly Kind[] = Array.from({ length: 16 }, (_, mask) => {
  const taken = FEATURES.filter((_, i) => mask >> i & 1);
  return {
    name: [mask & 1 ? [] : ["split"], taken.map(([name]) => name)].flat()
      .join(", "),
    features: taken.reduce((sum, [, bit]) => sum | bit, VERSION_1),
    packed: (mask & 1) === 1,
  };
});

const random = new Random(34);
const KEY = random.bytes(16);

const INPUTS = [16, 16, 32, 48, 64, 208, 512, 1488, 4096, 16384].map(
  (length) => {
    const data = random.bytes(length);
    const iv = random.bytes(16);
    return {
      data,
      iv,
      expected: reference("aes-cbc", KEY, { source: data, iv }),
    };
  },
);

/**
 * Creates the session that {@linkcode work} runs on.
 *
 * @param driver the driver
 * @returns the session
 */
export function session(driver: CryptoDriver): Promise<Session> {
  return driver.createSession({
    service: "cipher",
    algorithm: "aes-cbc",
    key: KEY,
    direction: "encrypt",
  });
}

/**
 * Runs requests of all sizes, a number of them at a time, and checks every
 * result.
 *
 * @param session the session
 * @param count number of requests
 * @param depth how many are outstanding at a time
 * @param queue number of a data queue
 */
export async function work(
  session: Session,
  count: number,
  depth: number,
  queue = 0,
): Promise<void> {
  let next = 0;
  let done = 0;
  const one = async () => {
    while (next < count) {
      const n = next++;
      // Mostly small ones; not in step with any ring.
      const { data, iv, expected } = INPUTS[
        n % 7 === 0 ? n % INPUTS.length : n % 5
      ]!;
      const result = await session.run({ data, iv, queue });
      assert(
        result.length === expected.length &&
          result.every((byte, i) => byte === expected[i]),
        `request ${n}`,
      );
      done++;
    }
  };
  await Promise.all(Array.from({ length: depth }, one));
  assertEquals(done, count);
}
