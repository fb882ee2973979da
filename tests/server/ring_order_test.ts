import { assertEquals } from "@std/assert";
import { Guest } from "./guest.ts";
import type { GuestQueue } from "./guest_queue.ts";
import { TestServer, until } from "./test_server.ts";

/** What a ring needs, by the message that brings it. */
type Piece = "NUM" | "ADDR" | "KICK" | "ENABLE" | "ADD_MEM_REG";

function* orders(
  pieces: readonly Piece[],
): Generator<readonly Piece[]> {
  if (pieces.length === 0) yield [];
  for (const first of pieces) {
    for (const rest of orders(pieces.filter((piece) => piece !== first))) {
      yield [first, ...rest];
    }
  }
}

async function send(queue: GuestQueue, piece: Piece): Promise<void> {
  const { guest: { frontend }, index, ring, fds } = queue;
  switch (piece) {
    case "NUM":
      return await frontend.setVringNum(index, ring.size);
    case "ADDR":
      return await frontend.setVringAddr({
        index,
        flags: 0,
        ...ring.userAddresses,
      });
    case "KICK":
      return await frontend.setVringKick(index, fds.kick);
    case "ENABLE":
      return await frontend.setVringEnable(index, true);
    case "ADD_MEM_REG": {
      const [region] = frontend.shared.regions;
      return await frontend.addMemReg(region!, [region!.fd]);
    }
  }
}

/** A request that waits in a ring, which nothing is said of yet. */
async function waiting(
  guest: Guest,
  index: number,
  pieces: readonly Piece[],
): Promise<GuestQueue> {
  const { frontend } = guest;
  const queue = guest.queue(index);
  await frontend.setVringBase(index, 0);
  await frontend.setVringCall(index, queue.fds.call);
  await frontend.setVringErr(index, queue.fds.err);
  if (pieces.includes("ADD_MEM_REG")) {
    await frontend.remMemReg(frontend.shared.regions[0]!);
  }
  queue.addRaw(new Uint8Array(100), 17);
  queue.ring.publish();
  return queue;
}

/** Sends what a ring needs, and sees that it is served with the last of it. */
async function startsWithLast(
  guest: Guest,
  index: number,
  order: readonly Piece[],
): Promise<void> {
  const queue = await waiting(guest, index, order);
  const last = order.length - 1;
  for (const piece of order.slice(0, last)) await send(queue, piece);
  // Acknowledged after all that they led to.
  assertEquals(queue.usedIndex, 0, `${order}`);
  await send(queue, order[last]!);
  await until(
    `a ring that is set up by ${order}`,
    () => queue.usedIndex === 1,
  );
  // It is no different from any other.
  queue.collect();
  await queue.exchange(new Uint8Array(100), 17);
}

for (const index of [0, 1]) {
  Deno.test(`a device's ring ${index} starts with the last message that it needs, whatever the order`, async () => {
    await using server = new TestServer({ engines: ["noble"] });
    for (const order of orders(["NUM", "ADDR", "KICK", "ENABLE"])) {
      await using guest = await Guest.connect(server.path, { mode: "device" });
      await startsWithLast(guest, index, order);
    }
  });

  Deno.test(`a device's ring ${index} starts with its memory, where that comes last or in between`, async () => {
    await using server = new TestServer({ engines: ["noble"] });
    for (const order of orders(["NUM", "ADDR", "KICK", "ADD_MEM_REG"])) {
      await using guest = await Guest.connect(server.path, { mode: "device" });
      await guest.frontend.setVringEnable(index, true);
      await startsWithLast(guest, index, order);
    }
  });
}

Deno.test("a cryptodev's ring starts with the last message that it needs, whatever the order", async () => {
  await using server = new TestServer({ engines: ["noble"] });
  for (const order of orders(["NUM", "ADDR", "KICK"])) {
    await using guest = await Guest.connect(server.path);
    await startsWithLast(guest, 0, order);
  }
});

Deno.test("a ring whose size cannot be starts when it gets one that can", async () => {
  await using server = new TestServer({ engines: ["noble"] });
  await using guest = await Guest.connect(server.path);
  const queue = await waiting(guest, 0, []);
  await send(queue, "KICK");
  await send(queue, "ADDR");
  for (const size of [3, 32769, 0]) {
    await guest.frontend.setVringNum(0, size);
    assertEquals(queue.usedIndex, 0, `size ${size}`);
  }
  await send(queue, "NUM");
  await until("the ring to be served", () => queue.usedIndex === 1);
});
