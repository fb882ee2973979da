import { assert, assertEquals, assertMatch } from "@std/assert";
import { Observed } from "./observed.ts";
import { REFUSED, send, SENT, TOTAL } from "./work.ts";

Deno.test("/api/state tells what was sent, by queue, algorithm and status", async () => {
  await using observed = await Observed.start();
  const driver = await observed.driver();
  await send(driver, 0);
  await send(driver, 1);
  const state = await observed.state();
  assertEquals(state.version, "0.1.0");
  assertEquals([state.engine, state.spec], ["auto", "v15"]);
  assert(state.started <= state.time && state.time <= Date.now());
  const [device] = state.devices;
  assertEquals(device.socket, observed.socket);
  assertEquals([device.connected, device.mode], [true, "device"]);
  assert(device.features.includes("VIRTIO_F_VERSION_1"));
  assert(device.features.includes("VIRTIO_F_RING_EVENT_IDX"));
  assert(device.memory.length > 0 && device.memory[0].size > 0);
  assertEquals(device.queues.length, 3);
  const refused = Object.values(REFUSED).reduce((a, b) => a + b);
  for (const index of [0, 1]) {
    const queue = device.queues[index];
    assertEquals([queue.index, queue.kind], [index, "data"]);
    assertEquals([queue.running, queue.enabled], [true, true]);
    assertEquals(queue.broken, null);
    assertEquals(queue.requests, TOTAL);
    assertEquals(queue.statuses, {
      OK: TOTAL - refused,
      BADMSG: 0,
      NOSPC: 0,
      ...REFUSED,
    });
    const sent = new Map<string | null, number>();
    for (const { algorithm, statuses } of queue.algorithms) {
      sent.set(algorithm, statuses.OK);
    }
    for (const [algorithm, count] of Object.entries(SENT)) {
      assertEquals(sent.get(algorithm), count, algorithm);
    }
    const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
    assertEquals(sum(queue.latency), TOTAL);
    assert(queue.rounds > 0 && queue.kicks > 0 && queue.signals > 0);
    const { ring } = queue;
    assertEquals(ring.type, "split");
    assertEquals(ring.depth, 0);
    assertEquals([ring.available, ring.used], [TOTAL, TOTAL]);
    assertEquals([ring.eventIdx, ring.inOrder], [true, false]);
  }
  const control = device.queues[2];
  assertEquals(control.kind, "control");
  assertEquals(control.statuses.OK, 6);
  await driver.close();
});

Deno.test("/api/state lists sessions with what they were created from, and no key", async () => {
  await using observed = await Observed.start();
  const driver = await observed.driver();
  await send(driver, 0);
  const { sessions } = (await observed.state()).devices[0];
  assertEquals([sessions.live, sessions.most], [3, 4096]);
  const [cipher, hash, chain] = sessions.list;
  const { id, ...of } = cipher;
  // The slot in the low half, a generation that nobody can foretell above.
  assertMatch(id, /^0x[0-9a-f]{8}0{8}$/);
  assertEquals(of, {
    service: "CIPHER",
    algorithm: "aes-cbc",
    hash: null,
    op: "encrypt",
    keyLength: 32,
    authKeyLength: 0,
    resultLength: 0,
  });
  assertEquals([hash.service, hash.algorithm, hash.op], [
    "HASH",
    "sha256",
    null,
  ]);
  assertEquals([chain.algorithm, chain.hash, chain.authKeyLength], [
    "aes-cbc",
    "hmac-sha256",
    32,
  ]);
  await driver.close();
  // A connection that ended leaves what was counted, and no session.
  let device = (await observed.state()).devices[0];
  while (device.connected) device = (await observed.state()).devices[0];
  assertEquals([device.mode, device.sessions.live], [null, 0]);
  assertEquals(device.queues[0].requests, TOTAL);
  assertEquals(device.queues[0].running, false);
});

Deno.test("/api/state tells of packed rings where they stand", async () => {
  await using observed = await Observed.start();
  const features = 1n << 32n | 1n << 34n;
  const driver = await observed.driver({ features });
  const hash = await driver.createSession({
    service: "hash",
    algorithm: "sha256",
  });
  await hash.run({ data: new Uint8Array(16), queue: 0 });
  const [device] = (await observed.state()).devices;
  const { ring } = device.queues[0];
  assertEquals([ring.type, ring.depth, ring.inOrder], ["packed", 0, false]);
  assertEquals(ring.available, ring.used);
  assert(ring.used > 0);
  await driver.close();
});
