import { assert, assertEquals } from "@std/assert";
import { openFds } from "../vhost_user/bytes.ts";
import { DirectServer } from "./direct_server.ts";
import { Guest } from "./guest.ts";
import type { GuestQueue } from "./guest_queue.ts";
import { CBC_INFO, encryption } from "./guest_session.ts";
import { eventfdCount, noMoreFdsThan, until } from "./test_server.ts";

/** A key length that no other word of a session table is likely to be. */
const KEY_LENGTH = 24;

/**
 * Has the worker of a queue throw: a session says that its key is huge.
 *
 * @param server the server
 * @param queue the queue, which is served
 * @returns makes the session one that can be ended
 */
async function kill(
  server: DirectServer,
  queue: GuestQueue,
): Promise<() => void> {
  const id = await server.frontend.createCryptoSession(
    { ...CBC_INFO, keyLength: KEY_LENGTH },
    new Uint8Array(KEY_LENGTH).fill(9),
  );
  const words = new Int32Array(server.device.core.queueOptions(0).sessions);
  const places = [...words.keys()].filter((i) => words[i] === KEY_LENGTH);
  assert(places.length > 0);
  for (const place of places) words[place] = 100_000;
  queue.addRaw(encryption(id, new Uint8Array(16)), 17);
  queue.publish();
  await failure(server);
  return () => {
    for (const place of places) words[place] = KEY_LENGTH;
  };
}

async function failure(server: DirectServer): Promise<void> {
  await until(
    "the worker to throw",
    () => server.log.some((line) => line.includes("its worker ended")),
  );
  server.log.length = 0;
}

Deno.test("a worker that throws takes down its queue only", async () => {
  await using server = new DirectServer({ queues: 2, maxSessions: 64 });
  await using guest = await Guest.over(server.frontend);
  const session = await guest.session();
  const [victim, other] = [await guest.start(0), await guest.start(1)];
  const load = other.load(session);
  await victim.run(session, 200);
  eventfdCount(victim.fds.err);
  (await kill(server, victim))();
  assertEquals(eventfdCount(victim.fds.err), 1, "the ERR descriptor");
  await load.progress(20);
  await load.end();
  assertEquals(eventfdCount(other.fds.err), 0);
});

Deno.test("after a worker threw, its ring's base is where it stood, and a new worker goes on", async () => {
  await using server = new DirectServer({ maxSessions: 64 });
  await using guest = await Guest.over(server.frontend);
  const queue = await guest.start(0);
  // More than the ring holds: a base that is too low would break it.
  await queue.run(await guest.session(), 100);
  const heal = await kill(server, queue);
  assertEquals(queue.usedIndex, 100);
  assertEquals(await queue.stop(), 100);
  await queue.start(100);
  // The request that did it is repeated first, and does it again.
  await failure(server);
  assertEquals(await queue.stop(), 100);
  heal();
  // Whoever resets the device gets a working one.
  await guest.frontend.resetDevice();
  const fresh = guest.queue(0);
  await fresh.start();
  await fresh.run(await guest.session(), 100);
});

Deno.test("every message works on a ring whose worker is gone", async () => {
  await using server = new DirectServer({ maxSessions: 64 });
  await using guest = await Guest.over(server.frontend);
  const session = await guest.session();
  const queue = await guest.start(0);
  const { frontend } = guest;
  await queue.run(session, 5);
  (await kill(server, queue))();
  await frontend.setVringCall(0, queue.fds.call);
  await frontend.setVringErr(0, queue.fds.err);
  await frontend.setMemTable(frontend.shared.regions);
  await frontend.setVringEnable(0, false);
  assertEquals(await queue.stop(), 5);
  await frontend.resetDevice();
  const fresh = guest.queue(0);
  await fresh.start();
  await fresh.run(await guest.session(), 5);
});

Deno.test("a worker that threw leaves no descriptor behind", async () => {
  const before = openFds();
  for (let i = 0; i < 3; i++) {
    await using server = new DirectServer({ maxSessions: 64 });
    await using guest = await Guest.over(server.frontend);
    const queue = await guest.start(0);
    (await kill(server, queue))();
  }
  await noMoreFdsThan(before);
});
