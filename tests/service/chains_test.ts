import { assertEquals } from "@std/assert";
import { RoundResult } from "../../device/service/round.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { NEXT, WRITE } from "../support/guest_ring.ts";
import type { GuestRequest } from "../support/guest_queue.ts";
import { BASE, bytesAt } from "../support/plain_memory.ts";
import {
  ERR,
  INVSESS,
  OK,
  TestDevice,
  type TestLayout,
} from "../support/device.ts";

const random = new Random(14);
const KEY = random.bytes(16);
const IV = random.bytes(12);
const SOURCE = random.bytes(37);
const AAD = random.bytes(19);

function deviceOf(layout: TestLayout) {
  const device = new TestDevice({ layout, ring: { size: 512 } });
  const session = device.create({
    service: "aead",
    algorithm: "aes-gcm",
    key: KEY,
    direction: "encrypt",
  });
  const request = device.request(session, { source: SOURCE, iv: IV, aad: AAD });
  return { device, request, expected: device.succeed(request) };
}

function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from(
    { length: Math.ceil(bytes.length / size) },
    (_, i) => bytes.subarray(i * size, (i + 1) * size),
  );
}

function cutLength(length: number, size: number): number[] {
  return cut(new Uint8Array(length), size).map((piece) => piece.length);
}

for (const layout of ["legacy", "v15"] as const) {
  Deno.test(`A ${layout} request works at every cut of its two parts`, () => {
    const { device, request, expected } = deviceOf(layout);
    const whole = concat(...request.readable);
    for (let at = 1; at < whole.length; at++) {
      const readable = [whole.subarray(0, at), whole.subarray(at)];
      const writable = [
        1 + at % expected.length,
        expected.length - at % expected.length,
      ];
      assertEquals(device.succeed({ readable, writable }), expected);
    }
  });

  for (const style of ["direct", "indirect", "mixed"] as const) {
    Deno.test(`A ${layout} request works byte by byte, ${style}`, () => {
      const { device, request, expected } = deviceOf(layout);
      const whole = concat(...request.readable);
      for (const size of [1, 2, 3, 7, 8]) {
        const readable = cut(whole, size);
        const writable = cutLength(expected.length + 1, size);
        assertEquals(
          device.succeed({ readable, writable, style }),
          expected,
        );
      }
    });
  }

  Deno.test(`A ${layout} request works with descriptors of no bytes anywhere`, () => {
    const { device, request, expected } = deviceOf(layout);
    const none = new Uint8Array(0);
    for (const style of ["direct", "indirect"] as const) {
      const odd: GuestRequest = {
        readable: [none, ...request.readable.flatMap((b) => [b, none])],
        writable: [0, 5, 0, expected.length - 5, 0, 1, 0],
        style,
      };
      assertEquals(device.succeed(odd), expected);
    }
  });

  Deno.test(`A ${layout} request works where result and status share a descriptor`, () => {
    const { device, request, expected } = deviceOf(layout);
    const joined = { ...request, writable: [expected.length + 1] };
    assertEquals(device.succeed(joined), expected);
  });
}

Deno.test("A broken chain gets ERR in its last writable byte, and the queue goes on", () => {
  const device = new TestDevice();
  const { guest } = device;
  const data = BASE + 0x8000;
  guest.ring.describe(
    0,
    [data, 72, NEXT, 1],
    [data + 100, 3, WRITE | NEXT, 2],
    [data + 200, 5, NEXT, 3],
    [data + 300, 7, WRITE],
  );
  const before = guest.memory.bytes[0]!.slice();
  guest.ring.offer(0);
  device.runAll();
  assertEquals(guest.ring.takeUsed(), [{ id: 0, length: 10 }]);
  assertEquals(bytesAt(guest.memory, data + 306, 1)[0], ERR);
  before[data + 306 - BASE] = ERR;
  const from = guest.ring.end - BASE;
  assertEquals(
    guest.memory.bytes[0]!.slice(from).every((b, i) => b === before[from + i]),
    true,
  );
  const session = device.create({ service: "hash", algorithm: "md5" });
  guest.ring.describe(0, [data, 1, WRITE]);
  device.succeed(device.request(session, { source: SOURCE }));
});

Deno.test("A broken chain with no place for a status is returned with used length 0", () => {
  const device = new TestDevice();
  const { guest } = device;
  const data = BASE + 0x8000;
  guest.ring.describe(0, [data, 72, NEXT, 1], [data + 100, 4, WRITE | NEXT, 2]);
  // The last writable buffer, and so the status, is nowhere.
  guest.ring.describe(2, [0x7000_0000, 1, WRITE]);
  const before = bytesAt(guest.memory, data, 200).slice();
  guest.ring.offer(0);
  device.runAll();
  assertEquals(guest.ring.takeUsed(), [{ id: 0, length: 0 }]);
  assertEquals(bytesAt(guest.memory, data, 200).slice(), before);
  assertEquals(device.statistics.statuses[ERR], 1);
});

Deno.test("What was taken before the ring broke is answered", () => {
  const device = new TestDevice();
  const session = device.create({ service: "hash", algorithm: "md5" });
  for (let i = 0; i < 3; i++) {
    device.guest.offer(device.request(session, { source: SOURCE }));
  }
  device.guest.ring.offer(0xffff);
  device.guest.watch();
  const results = device.runAll();
  assertEquals(results.at(-1), RoundResult.BROKEN);
  assertEquals(device.guest.answers().map((a) => a.status), [OK, OK, OK]);
  assertEquals(device.queue.broken?.name, "RingError");
  // It is asked for kicks no more, and has nothing to do.
  assertEquals(device.queue.arm(), false);
  assertEquals(device.queue.run(), RoundResult.BROKEN);
  assertEquals(device.queue.stop(), 3);
});

Deno.test("A head offered again and again is served each time", () => {
  const device = new TestDevice();
  const session = device.create({ service: "hash", algorithm: "md5" });
  const head = device.guest.offer(device.request(session, { source: SOURCE }));
  for (let i = 0; i < 63; i++) device.guest.ring.offer(head);
  device.runAll();
  const used = device.guest.ring.takeUsed();
  assertEquals(used.length, 64);
  assertEquals(
    used.every(({ id, length }) => id === head && length === 17),
    true,
  );
});

Deno.test("A result over the request's own bytes is right", () => {
  const device = new TestDevice();
  const { guest } = device;
  const session = device.create({
    service: "cipher",
    algorithm: "aes-cbc",
    key: KEY,
    direction: "encrypt",
  });
  const iv = random.bytes(16);
  const source = random.bytes(64);
  const request = device.request(session, { source, iv });
  const expected = device.succeed(request);
  // In place, and shifted by some bytes either way.
  for (const shift of [0, -16, 16, -5, 5, 63]) {
    const [fixed] = request.readable;
    const data = BASE + 0x8000;
    bytesAt(guest.memory, data, 88).set(concat(fixed!, iv));
    bytesAt(guest.memory, data + 512, 64).set(source);
    guest.ring.describe(
      0,
      [data, 88, NEXT, 1],
      [data + 512, 64, NEXT, 2],
      [data + 512 + shift, 64, WRITE | NEXT, 3],
      [data + 400, 1, WRITE],
    );
    guest.ring.offer(0);
    device.runAll();
    assertEquals(guest.ring.takeUsed(), [{ id: 0, length: 65 }]);
    assertEquals(bytesAt(guest.memory, data + 400, 1)[0], OK);
    assertEquals(
      bytesAt(guest.memory, data + 512 + shift, 64).slice(),
      expected,
    );
  }
});

Deno.test("A status written over rings, table or request changes no other byte", () => {
  const data = BASE + 0x8000;
  const { ring: { descriptors, available, used } } = new TestDevice().guest;
  for (
    const place of [
      descriptors,
      descriptors + 28,
      available + 3,
      available + 4,
      used + 4,
      data + 16,
    ]
  ) {
    const device = new TestDevice();
    const { guest } = device;
    bytesAt(guest.memory, data, 72).fill(0);
    guest.ring.describe(0, [data, 72, NEXT, 1], [place, 1, WRITE]);
    guest.ring.offer(0);
    const before = guest.memory.bytes[0]!.slice();
    assertEquals(device.queue.run(), RoundResult.SIGNAL);
    const after = guest.memory.bytes[0]!.slice();
    for (let i = 0; i < 6 + 8 * 64; i++) {
      after[used - BASE + i] = before[used - BASE + i]!;
    }
    if (place !== used + 4) before[place - BASE] = INVSESS;
    assertEquals(after.every((b, i) => b === before[i]), true);
    assertEquals(guest.ring.takeUsed(), [{ id: 0, length: 1 }]);
  }
});
