import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
} from "@std/assert";
import {
  CryptoStatusError,
  DeviceNotReadyError,
  DriverClosedError,
  OutOfGuestMemoryError,
  UsedLengthError,
  UsedRingError,
} from "../../device/driver/errors.ts";
import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import { bytesOf, hexOf } from "./hex.ts";
import type { Taken } from "./scripted_device.ts";
import {
  CBC,
  CONTROL,
  control,
  invert,
  IV,
  KEY,
  script,
  setUp,
} from "./scripted_driver.ts";

function includes(memory: GuestMemory, bytes: Uint8Array): boolean {
  const all = memory.bytes[0]!;
  for (let at = all.indexOf(bytes[0]!); at >= 0;) {
    if (bytes.every((byte, i) => all[at + i] === byte)) return true;
    at = all.indexOf(bytes[0]!, at + 1);
  }
  return false;
}

Deno.test("the driver starts data queues, and a control queue behind the last", async () => {
  const { transport, driver } = await setUp();
  assertEquals([...transport.devices.keys()], [0, 1, CONTROL]);
  assertEquals(driver.dataQueues, 2);
  assertEquals(driver.ring(0).size, 256);
  assertEquals(driver.ring("control").size, 64);
  assertEquals(driver.layout, "legacy");
});

Deno.test("the control queue's number does not depend on the queues in use", async () => {
  const { transport } = await setUp({}, { queues: 1 });
  assertEquals([...transport.devices.keys()], [0, CONTROL]);
});

Deno.test("the driver refuses a device that is not ready", async () => {
  await assertRejects(
    () => setUp({ status: 2 }),
    DeviceNotReadyError,
    "status is 2",
  );
});

Deno.test("the driver refuses options that do not fit the device", async () => {
  await assertRejects(() => setUp({}, { queues: 3 }), RangeError, "3");
  await assertRejects(
    () => setUp({ features: 1n << 32n }, { indirect: true }),
    RangeError,
    "RING_INDIRECT_DESC",
  );
});

Deno.test("a session mode feature makes the layout the document's", async () => {
  const { driver } = await setUp({ features: 1n << 32n | 1n << 1n });
  assertEquals(driver.layout, "v15");
});

Deno.test("the driver reads which algorithms are offered", async () => {
  const { driver } = await setUp();
  assert(driver.offers("cipher", "aes-cbc"));
  assert(!driver.offers("cipher", "aes-ctr"));
  assert(!driver.offers("hash", "sha256"), "the service is not offered");
  assert(driver.offers("mac", 53));
  assert(!driver.offers("mac", 21));
});

Deno.test("an operation gives the device's result", async () => {
  for (const descriptors of ["joined", "fields"] as const) {
    for (const indirect of [false, true]) {
      const { driver } = await setUp({}, { descriptors, indirect });
      const session = await driver.createSession(CBC);
      assertEquals(session.id, 1n);
      const result = await session.run({
        iv: IV,
        data: Uint8Array.of(1, 2, 3),
      });
      assertEquals(result, Uint8Array.of(0xfe, 0xfd, 0xfc));
      assertEquals(result.buffer.byteLength, 3);
    }
  }
});

Deno.test("joined fields take two descriptors, separate ones as many as there are", async () => {
  for (
    const [descriptors, lengths] of [
      ["joined", [[120], [33]]],
      ["fields", [[72, 16, 32], [32, 1]]],
    ] as const
  ) {
    const seen: Taken[] = [];
    const { driver } = await setUp({
      script: script((taken) => {
        seen.push(taken);
        return invert(taken);
      }),
    }, { descriptors });
    const session = await driver.createSession(CBC);
    await session.run({ iv: IV, data: new Uint8Array(32) });
    const found: number[][] = [[], []];
    for (const { flags, length } of seen[0]!.descriptors) {
      found[flags & 2 ? 1 : 0]!.push(length);
    }
    assertEquals(found, lengths.map((l) => [...l]));
  }
});

Deno.test("a key is wiped from guest memory once its session is created", async () => {
  const { transport, driver } = await setUp({ script: () => undefined });
  const creation = driver.createSession(CBC);
  await Promise.resolve();
  assert(includes(transport.memory, KEY), "the device needs it");
  transport.answer(CONTROL, transport.held.get(CONTROL)![0]!, {
    bytes: new Uint8Array(16),
  });
  await creation;
  assert(!includes(transport.memory, KEY));
});

Deno.test("a key is wiped when its session is refused, or never answered", async () => {
  const refusing = await setUp({
    script: () => ({ bytes: bytesOf("00000000 00000000 03000000 00000000") }),
  });
  const error = await assertRejects(
    () => refusing.driver.createSession(CBC),
    CryptoStatusError,
    "NOTSUPP",
  );
  assertEquals(error.status, 3);
  assert(!includes(refusing.transport.memory, KEY));

  const silent = await setUp({ script: () => undefined });
  const creation = silent.driver.createSession(CBC);
  await Promise.resolve();
  assert(includes(silent.transport.memory, KEY));
  const rejected = assertRejects(() => creation, DriverClosedError);
  await silent.driver.close();
  await rejected;
  assert(!includes(silent.transport.memory, KEY));
});

Deno.test("operations of one turn cost one kick", async () => {
  const { transport, driver } = await setUp();
  const session = await driver.createSession(CBC);
  await Promise.all(
    Array.from(
      { length: 50 },
      () => session.run({ iv: IV, data: new Uint8Array(16) }),
    ),
  );
  assertEquals(transport.kicks.get(0), 1);
});

Deno.test("operations wait in order for room in the ring", async () => {
  const order: number[] = [];
  const { transport, driver } = await setUp({
    script: script((taken) => {
      order.push(taken.readable[72 + 16]! | taken.readable[72 + 17]! << 8);
      return undefined;
    }),
  }, { queueSize: 4 });
  const session = await driver.createSession(CBC);
  const results = Array.from(
    { length: 1000 },
    (_, i) => session.run({ iv: IV, data: Uint8Array.of(i, i >> 8) }),
  );
  const held = transport.held.get(0)!;
  for (let answered = 0; answered < 1000; answered++) {
    while (held.length === 0) await Promise.resolve();
    // Not in order: from either end.
    const taken = answered % 2 ? held.shift()! : held.pop()!;
    transport.answer(0, taken, invert(taken));
  }
  const got = await Promise.all(results);
  got.forEach((result, i) =>
    assertEquals(result, Uint8Array.of(~i, ~(i >> 8)))
  );
  assertEquals(order, order.map((_, i) => i));
  assertEquals(driver.ring(0).outstanding, 0);
});

Deno.test("operations wait for guest memory, and for that of other queues", async () => {
  const { transport, driver } = await setUp({
    memorySize: 65_536,
    script: script(() => undefined),
  });
  const session = await driver.createSession(CBC);
  const used = driver.allocator.used;
  const data = new Uint8Array(10_000);
  const results = Array.from(
    { length: 20 },
    (_, i) => session.run({ iv: IV, data, queue: i % 2 }),
  );
  for (let answered = 0; answered < 20; answered++) {
    let queue = 0;
    while (transport.held.get(queue)!.length === 0) {
      await Promise.resolve();
      queue ^= 1;
    }
    const taken = transport.held.get(queue)!.shift()!;
    transport.answer(queue, taken, invert(taken));
  }
  await Promise.all(results);
  // What is left are indirect tables, which ids keep.
  assert(driver.allocator.used - used <= 64 * 20);
});

Deno.test("an operation that can never fit in guest memory is refused", async () => {
  const { driver } = await setUp({ memorySize: 65_536 });
  const session = await driver.createSession(CBC);
  await assertRejects(
    () => session.run({ iv: IV, data: new Uint8Array(65_536) }),
    OutOfGuestMemoryError,
  );
  const result = await session.run({ iv: IV, data: Uint8Array.of(1) });
  assertEquals(result, Uint8Array.of(0xfe));
});

Deno.test("a status of the device is an error with its name", async () => {
  for (
    const [status, name] of [
      [1, "ERR"],
      [2, "BADMSG"],
      [3, "NOTSUPP"],
      [4, "INVSESS"],
      [5, "NOSPC"],
      [0x77, "STATUS_119"],
    ] as const
  ) {
    const { driver } = await setUp({
      script: script(({ writableLength }) => {
        const bytes = new Uint8Array(writableLength);
        bytes[writableLength - 1] = status;
        return { bytes };
      }),
    });
    const session = await driver.createSession(CBC);
    const error = await assertRejects(
      () => session.run({ iv: IV, data: new Uint8Array(16) }),
      CryptoStatusError,
    );
    assertEquals([error.status, error.statusName], [status, name]);
  }
});

Deno.test("a status that the device did not write is not taken for success", async () => {
  const { driver } = await setUp({
    script: script(() => ({ bytes: new Uint8Array(0) })),
  });
  const session = await driver.createSession(CBC);
  const error = await assertRejects(
    () => session.run({ iv: IV, data: new Uint8Array(16) }),
    CryptoStatusError,
  );
  assertEquals(error.status, 0xff);
});

Deno.test("a used length other than the writable one is an error", async () => {
  for (const usedLength of [0, 1, 16, 18, 0xffff_ffff]) {
    const { driver } = await setUp({
      script: script((taken) => ({ ...invert(taken), usedLength })),
    });
    const session = await driver.createSession(CBC);
    const error = await assertRejects(
      () => session.run({ iv: IV, data: new Uint8Array(16) }),
      UsedLengthError,
    );
    assertEquals([error.usedLength, error.writableLength], [usedLength, 17]);
  }
});

Deno.test("a broken used ring fails its queue and no other", async () => {
  const { transport, driver } = await setUp({
    script: script(() => undefined),
  });
  const session = await driver.createSession(CBC);
  const data = new Uint8Array(16);
  const first = session.run({ iv: IV, data });
  const other = session.run({ iv: IV, data, queue: 1 });
  await Promise.resolve();
  transport.devices.get(0)!.put(99, 17);
  transport.listener!.signalled(0);
  await assertRejects(() => first, UsedRingError, "id 99");
  await assertRejects(() => session.run({ iv: IV, data }), UsedRingError);
  const taken = transport.held.get(1)![0]!;
  transport.answer(1, taken, invert(taken));
  assertEquals((await other).length, 16);
});

Deno.test("a transport that fails fails everything", async () => {
  const { transport, driver } = await setUp({
    script: script(() => undefined),
  });
  const session = await driver.createSession(CBC);
  const run = session.run({ iv: IV, data: new Uint8Array(16) });
  await Promise.resolve();
  transport.listener!.failed(new Error("Cannot go on"));
  await assertRejects(() => run, Error, "Cannot go on");
  await assertRejects(() => driver.createSession(CBC), Error, "Cannot go on");
  await driver.close();
  assertEquals(transport.closed, 1);
});

Deno.test("close rejects what is outstanding and destroys the sessions left", async () => {
  const destroyed: string[] = [];
  const answerControl = control();
  const { transport, driver } = await setUp({
    script: (queue, taken) => {
      if (queue !== CONTROL) return undefined;
      if (taken.readable[0] === 3) {
        destroyed.push(hexOf(taken.readable.subarray(0, 24)));
      }
      return answerControl(taken);
    },
  }, { queueSize: 2, indirect: false });
  const first = await driver.createSession(CBC);
  const second = await driver.createSession(CBC);
  await first.destroy();
  const data = new Uint8Array(16);
  const runs = [second.run({ iv: IV, data }), second.run({ iv: IV, data })];
  const outcomes = Promise.allSettled(runs);
  await Promise.resolve();
  assertEquals(transport.held.get(0)!.length, 1, "the other one waits");
  await driver.close();
  for (const outcome of await outcomes) {
    const reason = outcome.status === "rejected" ? outcome.reason : undefined;
    assertInstanceOf(reason, DriverClosedError);
    assertEquals(
      reason.message,
      "Cannot complete the request: the driver was closed",
    );
  }
  assertEquals(destroyed, [
    "03000000 00000000 00000000 00000000 01000000 00000000",
    "03000000 00000000 00000000 00000000 02000000 00000000",
  ]);
  assertEquals(transport.closed, 1);
  await driver.close();
  assertEquals(transport.closed, 1);
  await assertRejects(() => driver.createSession(CBC), DriverClosedError);
  await assertRejects(() => second.run({ iv: IV, data }), DriverClosedError);
  await assertRejects(() => driver.submitRaw(0, [], [1]), DriverClosedError);
});

Deno.test("close does not wait for ever for a device that is silent", async () => {
  const { transport, driver } = await setUp({}, { closeTimeout: 20 });
  await driver.createSession(CBC);
  transport.script = () => undefined;
  await driver.close();
  assertEquals(transport.closed, 1);
});

Deno.test("await using closes session and driver", async () => {
  const { transport, driver } = await setUp();
  {
    await using open = driver;
    await using session = await open.createSession(CBC);
    assertEquals(session.id, 1n);
  }
  assertEquals(transport.closed, 1);
});

Deno.test("without a control queue sessions are made by message", async () => {
  const asked: SessionParameters[] = [];
  const closed: bigint[] = [];
  const { transport, driver } = await setUp({
    config: false,
    features: 1n << 32n | 1n << 1n,
    sessionMessages: {
      create: (parameters) => {
        asked.push(parameters);
        return Promise.resolve(42n);
      },
      close: (id) => {
        closed.push(id);
        return Promise.resolve();
      },
    },
  });
  assertEquals([...transport.devices.keys()], [0, 1]);
  assertEquals(driver.layout, "legacy", "whatever was negotiated");
  assertEquals(driver.config, undefined);
  const session = await driver.createSession(CBC);
  assertEquals(session.id, 42n);
  assertEquals(asked, [{
    service: 0,
    opType: 1,
    algorithm: 3,
    op: 1,
    keyLength: 16,
    chainOrder: 0,
    hashMode: 0,
    hashAlgorithm: 0,
    authKeyLength: 0,
    resultLength: 0,
    key: KEY,
  }]);
  assertEquals(
    await session.run({ iv: IV, data: Uint8Array.of(1) }),
    Uint8Array.of(0xfe),
  );
  await driver.close();
  assertEquals(closed, [42n]);
});
