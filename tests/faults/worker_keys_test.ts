import { assert, assertEquals } from "@std/assert";
import { DirectServer } from "../server/direct_server.ts";
import { Guest } from "../server/guest.ts";
import { CBC_INFO, encryption } from "../server/guest_session.ts";
import { until } from "../server/test_server.ts";
import { MarkedKeys } from "./marked_keys.ts";

/** A key length that no other word of a session table is likely to be. */
const KEY_LENGTH = 24;

Deno.test("no part of a key is left of a worker that threw", async () => {
  const keys = new MarkedKeys();
  await using server = new DirectServer({ maxSessions: 64 });
  await using guest = await Guest.over(server.frontend);
  const queue = await guest.start(0);
  const create = async (length: number) => {
    const key = keys.make(length, `key of ${length} bytes`);
    const info = { ...CBC_INFO, keyLength: length };
    const id = await guest.frontend.createCryptoSession(
      info as typeof CBC_INFO,
      key,
    );
    assert(id >= 0n);
    key.fill(0);
    return id;
  };
  // Prepared by the worker, which has them when it throws.
  for (let i = 0; i < 8; i++) {
    const id = await create(i % 2 === 0 ? 16 : 32);
    for (let n = 0; n < 4; n++) {
      queue.addRaw(encryption(id, new Uint8Array(64)), 65);
    }
    queue.publish();
    await queue.drain();
  }
  const victim = await create(KEY_LENGTH);
  const words = new Int32Array(server.device.core.queueOptions(0).sessions);
  for (const [at, word] of words.entries()) {
    if (word === KEY_LENGTH) words[at] = 100_000;
  }
  queue.addRaw(encryption(victim, new Uint8Array(16)), 17);
  queue.publish();
  await until(
    "the worker to throw",
    () => server.log.some((line) => line.includes("its worker ended")),
  );
  // What is left are those of the session table, which main wipes.
  for (const [at, word] of words.entries()) {
    if (word === 100_000) words[at] = KEY_LENGTH;
  }
  assert((await keys.search(Deno.pid)).findings.length > 0);
  await guest.frontend.resetDevice();
  assertEquals((await keys.search(Deno.pid)).findings, []);
});
