import { assertEquals } from "@std/assert";
import { DirectServer } from "./direct_server.ts";
import { Guest } from "./guest.ts";
import type { GuestSession } from "./guest_session.ts";

/** How often a key lies in the session table. */
function copies(server: DirectServer, key: Uint8Array): number {
  const table = new Uint8Array(server.device.core.queueOptions(0).sessions);
  let count = 0;
  let at = table.indexOf(key[0]!);
  while (at >= 0) {
    if (key.every((byte, i) => table[at + i] === byte)) count++;
    at = table.indexOf(key[0]!, at + 1);
  }
  return count;
}

async function sessions(guest: Guest): Promise<GuestSession[]> {
  const made: GuestSession[] = [];
  for (let seed = 0; seed < 4; seed++) {
    const key = Uint8Array.from(
      { length: 16 },
      (_, i) => 0x80 | (seed * 16 + i * 7),
    );
    made.push(await guest.session(key));
  }
  return made;
}

Deno.test("no byte of a key is in the session table after its session was closed", async () => {
  await using server = new DirectServer({ maxSessions: 64 });
  await using guest = await Guest.over(server.frontend);
  const made = await sessions(guest);
  const queue = await guest.start(0);
  for (const session of made) {
    assertEquals(copies(server, session.key), 1);
    await queue.run(session, 2);
    await guest.frontend.closeCryptoSession(session.id);
    assertEquals(copies(server, session.key), 0);
  }
});

Deno.test("no byte of a key is in the session table after a reset", async () => {
  await using server = new DirectServer({ maxSessions: 64 });
  await using guest = await Guest.over(server.frontend);
  const made = await sessions(guest);
  await guest.frontend.resetDevice();
  for (const { key } of made) assertEquals(copies(server, key), 0);
});

Deno.test("no byte of a key is in the session table after the frontend hung up", async () => {
  await using server = new DirectServer({ maxSessions: 64 });
  const guest = await Guest.over(server.frontend);
  const made = await sessions(guest);
  await guest.frontend.close();
  await server.connection.end();
  for (const { key } of made) assertEquals(copies(server, key), 0);
});
