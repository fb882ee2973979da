/**
 * Seals a file by AES-256-GCM in a session, or opens one that was sealed, with
 * its pieces spread over the data queues.
 *
 *     deno run --allow-read --allow-write examples/encrypt_file.ts seal KEY IN OUT
 *
 * `open` in place of `seal` is the way back. KEY is 64 hexadecimal digits. What
 * is sealed starts with 8 random bytes; each piece follows with its tag.
 *
 * @module
 */

import { CryptoDriver, InProcessDevice } from "../mod.ts";

const PIECE = 1 << 20;
const TAG = 16;

const [command, key = "", input = "", output = ""] = Deno.args;
const opens = command === "open";
const file = await Deno.readFile(input);
const prefix = opens
  ? file.subarray(0, 8)
  : crypto.getRandomValues(new Uint8Array(8));
const data = opens ? file.subarray(8) : file;

/** The nonce of a piece: no two of a file have the same. */
function nonce(index: number): Uint8Array {
  const iv = new Uint8Array(12);
  iv.set(prefix);
  new DataView(iv.buffer).setUint32(8, index);
  return iv;
}

await using driver = await CryptoDriver.attach(
  new InProcessDevice({ queues: 2 }),
);
await using session = await driver.createSession({
  service: "aead",
  algorithm: "aes-gcm",
  key: Uint8Array.fromHex(key),
  direction: opens ? "decrypt" : "encrypt",
});

const size = opens ? PIECE + TAG : PIECE;
const count = Math.max(1, Math.ceil(data.length / size));
// All at once: the driver hands them over as its queues and memory have room.
const pieces = await Promise.all(
  Array.from({ length: count }, (_, index) =>
    session.run({
      iv: nonce(index),
      // The last one says that it is: a file that was cut off is found out.
      aad: Uint8Array.of(index === count - 1 ? 1 : 0),
      data: data.subarray(index * size, (index + 1) * size),
      queue: index % driver.dataQueues,
    })),
);
const parts = opens ? pieces : [prefix, ...pieces];
await Deno.writeFile(output, ReadableStream.from(parts));
console.log(`${opens ? "Opened" : "Sealed"} ${count} pieces`);
