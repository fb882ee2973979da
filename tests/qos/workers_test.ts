import { assert, assertEquals } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { createEventfd, signalEventfd } from "../../device/host/eventfd.ts";
import { libc } from "../../device/host/libc.ts";
import { InProcessDevice } from "../../device/in_process.ts";
import { Throttle } from "../../device/service/throttle.ts";
import { openDoorbell } from "../../workers/doorbell.ts";
import { Control } from "../../workers/protocol.ts";
import { Guest } from "../server/guest.ts";
import { TestServer } from "../server/test_server.ts";
import { WorkerGuest } from "../workers/worker_guest.ts";

/** A request every so many seconds: none but the first comes in any test. */
const RARELY = 1e-4;

Deno.test("a worker that is throttled leaves requests in the ring and obeys at once", async () => {
  const throttled = new WorkerGuest({}, {
    throttle: Throttle.setup(RARELY, undefined),
  });
  const session = throttled.device.create({
    service: "hash",
    algorithm: "md5",
  });
  await throttled.run();
  for (let i = 0; i < 5; i++) {
    throttled.device.guest.offer(
      throttled.device.request(session, { source: new Uint8Array(9) }),
    );
  }
  throttled.kick();
  await throttled.untilUsed(1);
  // Were it to sleep on, each would take a second.
  const late = setTimeout(() => throttled.worker.close(), 10_000);
  for (let i = 0; i < 40; i++) {
    assertEquals(await throttled.worker.send({ type: "stop" }), 1);
    await throttled.run(1);
  }
  clearTimeout(late);
  assertEquals(throttled.device.guest.ring.usedIndex, 1);
  await throttled.worker.close();
});

Deno.test("kicks do not end a rest on atomics, and a wake does", async () => {
  const control = new SharedArrayBuffer(4 * Control.WORDS);
  const words = new Int32Array(control);
  const doorbell = await openDoorbell({ kind: "atomics" }, control);
  doorbell.observe();
  Atomics.add(words, Control.KICKS, 1);
  Atomics.add(words, Control.BELL, 1);
  // It may be taken for a wake, because it came before the rest.
  doorbell.rest(1);
  doorbell.observe();
  const before = performance.now();
  doorbell.rest(30);
  assert(performance.now() - before >= 29);
  doorbell.observe();
  Atomics.add(words, Control.BELL, 1);
  const woken = rests(() => doorbell.rest(60_000));
  assertEquals(woken, true);
});

Deno.test("kicks do not end a rest on eventfds, and a wake does", async () => {
  const [kick, wake] = [createEventfd(), createEventfd()];
  const control = new SharedArrayBuffer(4 * Control.WORDS);
  const doorbell = await openDoorbell(
    { kind: "eventfd", wakeFd: wake },
    control,
  );
  doorbell.connect({ kick, call: -1 });
  signalEventfd(kick);
  const before = performance.now();
  doorbell.rest(30);
  assert(performance.now() - before >= 29);
  signalEventfd(wake);
  assertEquals(rests(() => doorbell.rest(60_000)), true);
  assertEquals(doorbell.sleep(), true, "the kick is still there");
  for (const fd of [kick, wake]) libc().close(fd);
});

/** Whether a rest ended before its time. */
function rests(rest: () => void): boolean {
  const before = performance.now();
  rest();
  return performance.now() - before < 60_000;
}

for (const workers of [0, 2]) {
  Deno.test(`a limited device serves everything in the end, and no faster, with ${workers} workers`, async () => {
    const device = new InProcessDevice({ workers, limitOps: 200 });
    const started = performance.now();
    await using driver = await CryptoDriver.attach(device);
    const session = await driver.createSession({
      service: "hash",
      algorithm: "md5",
    });
    await Promise.all(Array.from(
      { length: 60 },
      (_, i) => session.run({ data: new Uint8Array(i), queue: i % 2 }),
    ));
    const elapsed = performance.now() - started;
    // What comes at once is 21.
    assert(60 <= 21 + 200 * (elapsed + 2) / 1000, `${elapsed} ms`);
  });
}

Deno.test("a device that is closed while it rests is closed at once", async () => {
  for (const workers of [0, 2]) {
    const device = new InProcessDevice({ workers, limitOps: 1 });
    const driver = await CryptoDriver.attach(device);
    const session = await driver.createSession({
      service: "hash",
      algorithm: "md5",
    });
    const ends = Array.from(
      { length: 600 },
      () =>
        session.run({ data: new Uint8Array(1) }).then(
          () => "done",
          (error: Error) => error.name,
        ),
    );
    await ends[0];
    await driver.close();
    assert((await Promise.all(ends)).includes("DriverClosedError"));
  }
});

Deno.test("a server with limits stops a ring at once, and its state is right", async () => {
  await using server = new TestServer({ limitOps: 1 });
  await using guest = await Guest.connect(server.path);
  const session = await guest.session();
  const queue = await guest.start(0);
  for (let i = 0; i < 20; i++) assert(queue.add(session));
  queue.publish();
  for (let i = 0; i < 1000 && queue.usedIndex === 0; i++) await queue.called(5);
  const state = await queue.stop();
  assertEquals(state, queue.usedIndex);
  assert(state < 20, "the burst is one request");
});
