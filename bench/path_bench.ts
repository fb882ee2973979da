/**
 * The whole path: driver, rings, decoding, session lookup, engine, status and
 * back, with the device on the caller's thread and by a worker. The baseline
 * is the primitive alone, called as often.
 *
 * @module
 */

import { cbc } from "@noble/ciphers/aes.js";
import { assertEquals } from "@std/assert";
import { CryptoDriver, InProcessDevice } from "../mod.ts";

/** Requests outstanding at a time. */
const DEPTH = 64;

const KEY = Uint8Array.from({ length: 16 }, (_, i) => i * 7);
const IV = Uint8Array.from({ length: 16 }, (_, i) => 255 - i);

for (
  const [name, size] of [["64 B", 64], ["1 KiB", 1024], [
    "16 KiB",
    16384,
  ]] as const
) {
  const group = `AES-128-CBC encrypt, ${name}, ${DEPTH} requests`;
  const data = Uint8Array.from({ length: size }, (_, i) => i * 31);
  const primitive = () => cbc(KEY, IV, { disablePadding: true }).encrypt(data);
  const expected = primitive();

  Deno.bench({
    name: `@noble/ciphers alone, ${name}`,
    group,
    baseline: true,
    fn() {
      for (let i = 0; i < DEPTH; i++) primitive();
    },
  });

  for (const workers of [0, 1]) {
    const served = workers === 0 ? "the caller's thread" : "a worker";
    Deno.bench({
      name: `the device by ${served}, ${name}`,
      group,
      async fn(bench) {
        await using driver = await CryptoDriver.attach(
          new InProcessDevice({ queues: 1, workers }),
        );
        const session = await driver.createSession({
          service: "cipher",
          algorithm: "aes-cbc",
          key: KEY,
          direction: "encrypt",
        });
        const operation = { iv: IV, data };
        assertEquals(await session.run(operation), expected);
        bench.start();
        await Promise.all(
          Array.from({ length: DEPTH }, () => session.run(operation)),
        );
        bench.end();
      },
    });
  }
}
