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
  const late = setTimeout(() => throttled.worker.close(), 25_000);
  for (let i = 0; i < 40; i++) {
    assertEquals(await throttled.worker.send({ type: "stop" }), 1);
    await throttled.run(1);
  }
  clearTimeout(late);
  assertEquals(throttled.device.guest.ring.usedIndex, 1);
  await throttled.worker.close();
});

/** Kicks as a driver does, all the time, until the word is set. */
const KICKER = `
  self.onmessage = ({ data: { words, stop, KICKS, BELL } }) => {
    self.postMessage("kicking");
    while (Atomics.load(stop, 0) === 0) {
      Atomics.add(words, KICKS, 1);
      Atomics.add(words, BELL, 1);
      Atomics.notify(words, BELL);
      Atomics.wait(stop, 0, 0, 1);
    }
    self.close();
  };`;

Deno.test("kicks do not end a rest on atomics, and a wake does", async () => {
  const control = new SharedArrayBuffer(4 * Control.WORDS);
  const words = new Int32Array(control);
  const doorbell = await openDoorbell({ kind: "atomics" }, control);
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const kicker = new Worker(
    `data:text/javascript,${encodeURIComponent(KICKER)}`,
    { type: "module" },
  );
  const kicking = new Promise((resolve) => kicker.onmessage = resolve);
  kicker.postMessage({ words, stop, ...Control });
  await kicking;
  // One that comes between two looks may be taken for a wake, but not each.
  let rested = 0;
  for (let i = 0; i < 20; i++) {
    doorbell.observe();
    const before = performance.now();
    doorbell.rest(20);
    if (performance.now() - before >= 19) rested++;
  }
  Atomics.store(stop, 0, 1);
  Atomics.notify(stop, 0);
  assert(rested >= 5, `${rested} rests of 20 were whole`);
  doorbell.observe();
  Atomics.add(words, Control.BELL, 1);
  assertEquals(rests(() => doorbell.rest(60_000)), true);
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

/** The timers that are set from now on and neither ran out nor were cleared. */
class Timers implements Disposable {
  readonly pending = new Set<unknown>();
  readonly #set = globalThis.setTimeout;
  readonly #clear = globalThis.clearTimeout;

  constructor() {
    globalThis.setTimeout = ((run: () => void, ms?: number) => {
      const id = this.#set(() => {
        this.pending.delete(id);
        run();
      }, ms);
      this.pending.add(id);
      return id;
    }) as typeof setTimeout;
    globalThis.clearTimeout = (id) => {
      this.pending.delete(id);
      this.#clear(id);
    };
  }

  [Symbol.dispose](): void {
    globalThis.setTimeout = this.#set;
    globalThis.clearTimeout = this.#clear;
  }
}

Deno.test("a device that is closed while it rests is closed at once, and leaves no timer", async () => {
  for (const workers of [0, 2]) {
    using timers = new Timers();
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
    assertEquals(timers.pending.size, 0);
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
