import { assert, assertEquals } from "@std/assert";
import { GuestAllocator } from "../../device/driver/guest_allocator.ts";
import { PackedRingDriver } from "../../device/driver/packed_ring.ts";
import type { UsedRecord } from "../../device/driver/ring.ts";
import { sessionParameters } from "../../device/driver/session_options.ts";
import { signalEventfd } from "../../device/host/eventfd.ts";
import { DirectServer } from "../server/direct_server.ts";
import { encryption } from "../server/guest_session.ts";
import { eventfdCount, until } from "../server/test_server.ts";
import { bytesAt } from "../support/plain_memory.ts";
import { PACKED, VERSION_1 } from "./load.ts";

const PROTOCOL = 1n << 30n;
/** A key length that no other word of a session table is likely to be. */
const KEY_LENGTH = 24;

Deno.test("after a worker threw, its packed ring's base is where it stood, and a new worker goes on", async () => {
  await using server = new DirectServer({ maxSessions: 64 });
  const { frontend } = server;
  const { core } = server.device;
  await frontend.negotiate({ features: VERSION_1 | PACKED | PROTOCOL });
  const memory = await frontend.shareMemory([
    { guestAddress: 0x10_0000, size: 1 << 20 },
  ]);
  const parameters = sessionParameters({
    service: "cipher",
    algorithm: "aes-cbc",
    key: new Uint8Array(KEY_LENGTH),
    direction: "encrypt",
  });
  const { low, high } = core.sessions.create(parameters, 0);
  const request = encryption(BigInt(high) << 32n | BigInt(low), bytes(16));
  const allocator = new GuestAllocator(memory);
  const readable = allocator.alloc(request.length);
  bytesAt(memory, readable, request.length).set(request);
  const writable = allocator.alloc(17);

  const ring = new PackedRingDriver(allocator, { size: 7, eventIndex: false });
  const fds = await frontend.startRing(0, ring);
  const send = () => {
    ring.add([{ address: readable, length: request.length }], [
      { address: writable, length: 17 },
    ], false);
    ring.publish();
    signalEventfd(fds.kick);
  };
  const answered = async () => {
    const record: UsedRecord = { id: 0, length: 0 };
    await until("an answer", () => ring.take(record));
    assertEquals(record.length, 17);
    assertEquals(bytesAt(memory, writable + 16, 1)[0], 0);
  };
  const thrown = async () => {
    await until(
      "the worker to throw",
      () => server.log.some((line) => line.includes("its worker ended")),
    );
    server.log.length = 0;
    // Twice, where it throws before its start was acknowledged.
    assert(eventfdCount(fds.err) >= 1);
  };

  // 22 descriptors: once and a half around.
  for (let i = 0; i < 11; i++) {
    send();
    await answered();
  }
  // The worker has that session's context; of another one it has none.
  const other = core.sessions.create(parameters, 0);
  bytesAt(memory, readable, request.length).set(
    encryption(BigInt(other.high) << 32n | BigInt(other.low), bytes(16)),
  );
  const words = new Int32Array(core.queueOptions(0).sessions);
  const places = [...words.keys()].filter((i) => words[i] === KEY_LENGTH);
  assert(places.length > 0);
  for (const place of places) words[place] = 100_000;
  const base = 0x0001_0001;
  send();
  await thrown();
  assertEquals(await frontend.getVringBase(0), base);
  // The request that did it is repeated first, and does it again.
  await frontend.setVringBase(0, base);
  await frontend.setVringKick(0, fds.kick);
  await thrown();
  for (const place of places) words[place] = KEY_LENGTH;
  assertEquals(await frontend.getVringBase(0), base);
  await frontend.setVringBase(0, base);
  await frontend.setVringKick(0, fds.kick);
  await answered();
  send();
  await answered();
  assertEquals(await frontend.getVringBase(0), 0x0005_0005);
});

function bytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(7);
}
