import { assert, assertEquals, assertThrows } from "@std/assert";
import { DataQueue } from "../../device/service/data_queue.ts";
import { DeviceCore } from "../../device/service/device_core.ts";
import { RoundResult } from "../../device/service/round.ts";
import { Throttle } from "../../device/service/throttle.ts";
import { TICKS_PER_MS } from "../../device/service/token_bucket.ts";
import { OK, TestDevice } from "../support/device.ts";

const { IDLE, SIGNAL, THROTTLED } = RoundResult;

/** A queue whose throttle goes by a clock of the test's. */
function throttled(
  limitOps: number | undefined,
  limitBytes: number | undefined,
  queues = 1,
) {
  let now = 0;
  const clock = () => now | 0;
  const throttle = Throttle.setup(limitOps, limitBytes, clock);
  const devices = Array.from({ length: queues }, () => {
    const device = new TestDevice({
      ring: { size: 256 },
      memorySize: 1 << 22,
    });
    const { core, guest } = device;
    const queue = new DataQueue(
      { ...core.queueOptions(0), throttle },
      core.capabilities.engines,
      () => false,
      { throttle: clock },
    );
    queue.setMemory(guest.memory.regions);
    queue.start({
      ring: guest.ring.setup(),
      layout: core.layout(0n, false),
    });
    const session = device.create({ service: "hash", algorithm: "md5" });
    return {
      queue,
      guest,
      /** Puts requests into the ring; each has 32 + length + 17 bytes. */
      offer: (count: number, length = 16) => {
        for (let i = 0; i < count; i++) {
          const source = new Uint8Array(length).fill(i);
          guest.offer(device.request(session, { source }));
        }
        guest.watch();
      },
      served: () => guest.ring.usedIndex,
    };
  });
  return {
    devices,
    device: devices[0]!,
    pass: (ms: number) => {
      now += ms * TICKS_PER_MS;
    },
  };
}

/** Bytes of the request's and the answer's parts, for a source of 16 bytes. */
const REQUEST = 24 + 48 + 16 + 17;

Deno.test("a queue serves what comes at once, rests, and goes on where it was", () => {
  const { device, pass } = throttled(90, undefined);
  device.offer(25);
  assertEquals(device.queue.run(), SIGNAL);
  assertEquals(device.served(), 10);
  for (let i = 0; i < 3; i++) assertEquals(device.queue.run(), THROTTLED);
  assertEquals(device.queue.rest(), 12, "1000 / 90, less what is rounded");
  pass(12);
  assertEquals(device.queue.run(), SIGNAL);
  assertEquals(device.queue.run(), THROTTLED);
  assertEquals(device.served(), 11);
  pass(100_000);
  assertEquals(device.queue.run(), SIGNAL);
  assertEquals(device.served(), 21, "the burst and no more, after any time");
  assertEquals(device.queue.run(), THROTTLED);
  pass(1000);
  assertEquals([device.queue.run(), device.queue.run()], [SIGNAL, IDLE]);
  const answers = device.guest.answers();
  assertEquals(answers.length, 25);
  assert(answers.every(({ status }) => status === OK));
});

Deno.test("a queue that finds nothing takes nothing", () => {
  const { device } = throttled(90, undefined);
  for (let i = 0; i < 1000; i++) assertEquals(device.queue.run(), IDLE);
  device.offer(11);
  device.queue.run();
  assertEquals(device.served(), 10);
});

Deno.test("bytes are counted of the readable and the writable part", () => {
  // 10 requests and a byte, in 100 ms.
  const { device, pass } = throttled(undefined, REQUEST * 100);
  device.offer(30);
  assertEquals(device.queue.run(), SIGNAL);
  assertEquals(device.served(), 10);
  // What is left is a byte: a whole request goes, and is owed.
  assertEquals(device.queue.run(), SIGNAL);
  assertEquals(device.queue.run(), THROTTLED);
  assertEquals(device.served(), 11);
  pass(9);
  assertEquals(device.queue.run(), THROTTLED);
  pass(1);
  assertEquals(device.queue.run(), SIGNAL);
  assertEquals(device.queue.run(), THROTTLED);
  assertEquals(device.served(), 12);
});

Deno.test("a request larger than the burst is served, and those behind it wait", () => {
  const { device, pass } = throttled(undefined, 10_000);
  device.offer(2, 20_000);
  assertEquals(device.queue.run(), SIGNAL);
  assertEquals(device.served(), 1);
  assertEquals(device.queue.run(), THROTTLED);
  assertEquals(device.queue.rest(), 1000, "it looks again after a second");
  pass(1900);
  assertEquals(device.queue.run(), THROTTLED);
  pass(200);
  assertEquals(device.queue.run(), SIGNAL);
  assertEquals(device.served(), 2);
});

Deno.test("with both limits the one that is reached first counts", () => {
  const { device, pass } = throttled(40, REQUEST * 10);
  device.offer(20);
  const rounds = [];
  for (let ms = 0; ms < 1050; ms++) {
    rounds.push(device.queue.run());
    pass(1);
  }
  // What came at once, the one that was owed, and 10 more in a second.
  assertEquals(device.served(), 12);
  assert(rounds.includes(THROTTLED));
});

Deno.test("requests are not used up by waiting for bytes", () => {
  let now = 0;
  const clock = () => now;
  const setup = Throttle.setup(1, 1_000_000, clock)!;
  const throttle = new Throttle(setup, clock);
  assertEquals(throttle.take(5, 1000), true);
  assertEquals([throttle.ops, throttle.bytes], [1, 1000]);
  throttle.settle(0, 200_000);
  for (let i = 0; i < 10; i++) assertEquals(throttle.take(5, 1000), false);
  now = 110 * TICKS_PER_MS;
  assertEquals(throttle.take(5, 1000), true);
  assertEquals(throttle.ops, 1);
});

Deno.test("the queues of a device share its limits", () => {
  const { devices, pass } = throttled(90, undefined, 3);
  for (const device of devices) device.offer(20);
  const served = () => devices.reduce((sum, d) => sum + d.served(), 0);
  for (const { queue } of devices) queue.run();
  assertEquals(served(), 10);
  for (let ms = 0; ms < 105; ms++) {
    pass(1);
    for (const { queue } of devices) queue.run();
  }
  assertEquals(served(), 19);
});

Deno.test("without a limit there is no throttle", () => {
  assertEquals(Throttle.setup(undefined, undefined), undefined);
  const core = new DeviceCore({ engines: ["noble"] }, () => {});
  assertEquals(core.queueOptions(0).throttle, undefined);
});

Deno.test("a limit is a whole number from 1 on", () => {
  for (const limit of [0, -1, 0.5, NaN, Infinity, 2 ** 40 + 1]) {
    for (const options of [{ limitOps: limit }, { limitBytes: limit }]) {
      assertThrows(
        () => new DeviceCore({ engines: ["noble"], ...options }, () => {}),
        RangeError,
        "Cannot make a device with limit",
      );
    }
  }
});
