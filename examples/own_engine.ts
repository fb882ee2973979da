/**
 * A device that computes AES and SHA-256 by node:crypto, in its workers too;
 * the engine is in node_engine.ts.
 *
 *     deno run --allow-read examples/own_engine.ts
 *
 * The command line takes it as well:
 * `serve --engine-module=examples/node_engine.ts --socket-path=…`.
 *
 * @module
 */

import { CryptoDriver, importEngine, InProcessDevice } from "../mod.ts";

// What the engine does not serve is for the built-in ones.
const device = new InProcessDevice({
  engines: [
    await importEngine(import.meta.resolve("./node_engine.ts")),
    "noble",
  ],
  queues: 2,
});
await using driver = await CryptoDriver.attach(device);

const key = new Uint8Array(32);
const iv = new Uint8Array(12);
const seal = await driver.createSession({
  service: "aead",
  algorithm: "aes-gcm",
  key,
  direction: "encrypt",
});
const open = await driver.createSession({
  service: "aead",
  algorithm: "aes-gcm",
  key,
  direction: "decrypt",
  queue: 1,
});
const sealed = await seal.run({ iv, data: new TextEncoder().encode("hello") });
console.log(device.engines.join(), "on", device.workers, "workers");
console.log(new TextDecoder().decode(await open.run({ iv, data: sealed })));

sealed[0]! ^= 1;
await open.run({ iv, data: sealed }).catch((error) => console.log(`${error}`));
