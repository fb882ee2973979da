import { assert, assertEquals, assertRejects } from "@std/assert";
import type { EngineName } from "../../device/engine/engine.ts";
import type { RequestLayout } from "../../device/spec/request_layout.ts";
import { Control } from "../../workers/protocol.ts";
import { WorkerError } from "../../workers/queue_worker.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { INVSESS, OK } from "../support/device.ts";
import { NO_FDS, WorkerGuest } from "./worker_guest.ts";

const random = new Random(31);

Deno.test("A worker acknowledges commands in the order in which they were sent", async () => {
  const { device, worker, ...guest } = new WorkerGuest();
  const { regions } = device.guest.memory;
  const start = {
    ring: device.guest.ring.setup(),
    layout: device.core.layout(0n, false),
  };
  const order: string[] = [];
  const acknowledged: Promise<unknown>[] = [];
  const send = (...[command]: Parameters<typeof worker.send>) => {
    acknowledged.push(
      worker.send(command).then((state) =>
        order.push(`${command.type} ${state}`)
      ),
    );
  };
  send({ type: "memory", regions });
  send({ type: "stop" });
  send({ type: "start", start, fds: NO_FDS });
  send({ type: "memory", regions });
  send({ type: "call", call: -1 });
  send({ type: "stop" });
  send({ type: "stop" });
  await Promise.all(acknowledged);
  assertEquals(order, [
    "memory undefined",
    "stop undefined",
    "start undefined",
    "memory undefined",
    "call undefined",
    "stop 0",
    "stop undefined",
  ]);
  await worker.close();
  assertEquals([guest.broken, guest.failed], [[], []]);
});

Deno.test("A worker refuses a ring that is not in memory, and goes on", async () => {
  const guest = new WorkerGuest();
  const { worker, device } = guest;
  await assertRejects(
    () => worker.send({ type: "start", start: guest.start(0), fds: NO_FDS }),
    WorkerError,
    "guest memory",
  );
  await guest.run();
  const session = device.create({ service: "hash", algorithm: "md5" });
  device.guest.offer(device.request(session, { source: random.bytes(9) }));
  device.guest.watch();
  guest.kick();
  await guest.untilUsed(1);
  assertEquals(device.guest.answers().map((a) => a.status), [OK]);
  await worker.close();
});

Deno.test("A worker stopped under load and started with its state loses and repeats nothing", async () => {
  const guest = new WorkerGuest();
  const { worker, device } = guest;
  const session = device.create({ service: "hash", algorithm: "sha256" });
  await guest.run();
  const total = 600;
  const sources = Array.from(
    { length: total },
    (_, i) => random.bytes(i % 50 === 0 ? 150_000 : 1 + i % 100),
  );
  let at = 0;
  let stops = 0;
  while (at < total) {
    const count = Math.min(15, total - at);
    const first = at;
    for (let i = 0; i < count; i++) {
      device.guest.offer(device.request(session, { source: sources[at++]! }));
    }
    device.guest.watch();
    guest.kick();
    do {
      const state = await worker.send({ type: "stop" });
      stops++;
      assertEquals(state, device.guest.ring.usedIndex);
      // Stopped, it answers nothing.
      guest.kick();
      await new Promise((resolve) => setTimeout(resolve, 0));
      assertEquals(device.guest.ring.usedIndex, state);
      await worker.send({
        type: "start",
        start: guest.start(state!),
        fds: NO_FDS,
      });
      await new Promise((resolve) => setTimeout(resolve, stops % 3));
    } while (device.guest.ring.usedIndex !== at);
    device.guest.answers().forEach(({ status, result }, i) => {
      assertEquals(status, OK);
      const expected = reference("sha256", result, {
        source: sources[first + i]!,
        resultLength: 32,
      });
      assertEquals(result, new Uint8Array(expected));
    });
  }
  assert(stops >= total / 15);
  assertEquals(device.statistics.requests, total);
  await worker.close();
});

Deno.test("A worker changes its memory while it serves", async () => {
  const guest = new WorkerGuest();
  const { worker, device } = guest;
  const session = device.create({ service: "hash", algorithm: "sha1" });
  await guest.run();
  for (let round = 0; round < 30; round++) {
    const source = random.bytes(5000);
    for (let i = 0; i < 20; i++) {
      device.guest.offer(device.request(session, { source }));
    }
    device.guest.watch();
    guest.kick();
    const { regions } = device.guest.memory;
    await worker.send({
      type: "memory",
      regions: regions.map((region) => ({ ...region })),
    });
    await guest.untilUsed(20 * (round + 1));
    const expected = reference("sha1", source, { source, resultLength: 20 });
    for (const { status, result } of device.guest.answers()) {
      assertEquals([status, result], [OK, new Uint8Array(expected)]);
    }
  }
  // Without its ring it stops, and says so.
  await assertRejects(
    () => worker.send({ type: "memory", regions: [] }),
    WorkerError,
  );
  assertEquals(await worker.send({ type: "stop" }), undefined);
  await worker.close();
});

Deno.test("A worker is told of destroyed sessions without a message", async () => {
  const guest = new WorkerGuest();
  const { worker, device } = guest;
  await guest.run();
  const session = device.create({ service: "hash", algorithm: "sha1" });
  const request = device.request(session, { source: random.bytes(5) });
  const one = async (count: number): Promise<number | undefined> => {
    device.guest.offer(request);
    device.guest.watch();
    guest.kick();
    await guest.untilUsed(count);
    return device.guest.answers()[0]!.status;
  };
  assertEquals(await one(1), OK);
  device.core.sessions.destroy(session.low, session.high);
  worker.wake();
  assertEquals(await one(2), INVSESS);
  await worker.close();
});

Deno.test("A worker reports a broken ring once, and takes commands still", async () => {
  const guest = new WorkerGuest();
  const { worker, device } = guest;
  await guest.run();
  device.guest.ring.availableIndex = 1000;
  for (let i = 0; i < 5; i++) {
    guest.kick();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(await worker.send({ type: "stop" }), 0);
  assertEquals(guest.broken.length, 1);
  assert(guest.broken[0]!.includes("available index"));
  // Started again with a ring that is good.
  device.guest.ring.availableIndex = 0;
  await guest.run();
  const session = device.create({ service: "hash", algorithm: "sha1" });
  device.guest.offer(device.request(session, { source: random.bytes(5) }));
  device.guest.watch();
  guest.kick();
  await guest.untilUsed(1);
  assertEquals(device.guest.answers()[0]!.status, OK);
  await worker.close();
  assertEquals([guest.broken.length, guest.failed], [1, []]);
});

Deno.test("A worker signals once a round, when the driver wants it", async () => {
  const guest = new WorkerGuest();
  const { worker, device } = guest;
  await guest.run();
  const session = device.create({ service: "hash", algorithm: "sha1" });
  const request = device.request(session, { source: random.bytes(5) });
  for (let i = 0; i < 50; i++) device.guest.offer(request);
  device.guest.watch();
  guest.kick();
  await guest.untilUsed(50);
  await worker.send({ type: "stop" });
  const { rounds, signals } = device.statistics;
  assertEquals(signals, rounds);
  assertEquals(Atomics.load(guest.words, Control.SIGNAL), signals);
  await worker.close();
});

Deno.test("A worker that cannot open rejects its commands and reports why", async () => {
  const guest = new WorkerGuest({
    engines: ["abacus" as unknown as EngineName],
  });
  const first = guest.worker.send({ type: "stop" });
  await assertRejects(() => first, WorkerError);
  assertEquals(guest.worker.ended, true);
  assertEquals(guest.failed.length, 1);
  await assertRejects(
    () => guest.worker.send({ type: "stop" }),
    WorkerError,
    "ended",
  );
  await guest.worker.close();
});

Deno.test("A worker takes the main thread's word for what a library computes right", async () => {
  const guest = new WorkerGuest({
    engines: ["libcrypto"],
    checks: { libcrypto: new Set() },
  });
  // Either way: nothing of the library works, or there is no library.
  await assertRejects(() => guest.worker.send({ type: "stop" }), WorkerError);
  assertEquals(guest.failed.length, 1);
  assert(/libcrypto/.test(guest.failed[0]!), guest.failed[0]);
  await guest.worker.close();
});

Deno.test("A worker that throws is reported, and takes no more commands", async () => {
  const guest = new WorkerGuest();
  const { worker, device } = guest;
  await guest.run();
  // Nothing a guest does makes it throw: a setup without a layout does.
  const { ring } = guest.start(0);
  const layout = undefined as unknown as RequestLayout;
  device.guest.offer({ readable: [new Uint8Array(72)], writable: [1] });
  await worker.send({ type: "start", start: { ring, layout }, fds: NO_FDS });
  guest.kick();
  for (let i = 0; i < 500 && !worker.ended; i++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  assertEquals([worker.ended, guest.failed.length], [true, 1]);
  await assertRejects(() => worker.send({ type: "stop" }), WorkerError);
  await worker.close();
  worker.wake();
});

Deno.test("A closed worker takes no commands, and closing twice is closing once", async () => {
  const guest = new WorkerGuest();
  await guest.run();
  const closing = guest.worker.close();
  await closing;
  await guest.worker.close();
  assertEquals(guest.worker.ended, true);
  await assertRejects(
    () => guest.worker.send({ type: "stop" }),
    WorkerError,
  );
  assertEquals(guest.failed, []);
});

Deno.test("Commands sent before close are carried out, those after are not", async () => {
  const guest = new WorkerGuest();
  await guest.run();
  const stop = guest.worker.send({ type: "stop" });
  const closing = guest.worker.close();
  const late = guest.worker.send({ type: "stop" });
  assertEquals(await stop, 0);
  await assertRejects(() => late, WorkerError);
  await closing;
});

Deno.test("A worker that is closed ends itself, and is not terminated in the middle of that", async () => {
  const { terminate } = Worker.prototype;
  let terminated = 0;
  Worker.prototype.terminate = function () {
    terminated++;
    terminate.call(this);
  };
  try {
    const guest = new WorkerGuest();
    await guest.run();
    await guest.worker.close();
    assert(guest.worker.ended);
  } finally {
    Worker.prototype.terminate = terminate;
  }
  assertEquals(terminated, 0);
});
