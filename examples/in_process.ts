/**
 * A device and its driver in one program.
 *
 *     deno run examples/in_process.ts
 *
 * @module
 */

import { CryptoDriver, InProcessDevice } from "../mod.ts";

await using driver = await CryptoDriver.attach(
  new InProcessDevice({ workers: 0 }),
);
const session = await driver.createSession({
  service: "hash",
  algorithm: "sha256",
});
const digest = await session.run({ data: new TextEncoder().encode("abc") });
console.log(digest.toHex());
