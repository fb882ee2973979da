import { assert, assertEquals } from "@std/assert";
import { INDIRECT, NEXT, WRITE } from "../support/guest_ring.ts";
import type { SessionOptions } from "../../device/driver/session_options.ts";
import { RoundResult } from "../../device/service/round.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import type { GuestRequest } from "../support/guest_queue.ts";
import {
  BADMSG,
  ERR,
  fieldsOf,
  INVSESS,
  NOTSUPP,
  OK,
  patched,
  sum,
  TestDevice,
} from "../support/device.ts";

const random = new Random(15);
const KEY = random.bytes(32);
const IV = random.bytes(16);

const MIXED: readonly SessionOptions[] = [
  { service: "cipher", algorithm: "aes-cbc", key: KEY, direction: "encrypt" },
  {
    service: "cipher",
    algorithm: "aes-cbc",
    key: KEY.subarray(16),
    direction: "encrypt",
  },
  { service: "cipher", algorithm: "aes-ctr", key: KEY, direction: "encrypt" },
  { service: "hash", algorithm: "sha256" },
  { service: "mac", algorithm: "hmac-sha256", key: KEY },
  { service: "mac", algorithm: "hmac-sha256", key: IV },
  { service: "aead", algorithm: "aes-gcm", key: KEY, direction: "encrypt" },
];

/** Requests of several sessions in turn, some of them bad. */
function mixture(device: TestDevice, count: number) {
  const sessions = MIXED.map((options) => device.create(options));
  const requests: GuestRequest[] = [];
  const expected: { status: number; result: Uint8Array | undefined }[] = [];
  for (let i = 0; i < count; i++) {
    const which = random.below(MIXED.length);
    const session = sessions[which]!;
    const options = MIXED[which]!;
    const source = random.bytes(16 * (1 + i % 3));
    const iv = session.service === 0
      ? IV
      : session.service === 3
      ? IV.subarray(0, 12)
      : new Uint8Array(0);
    const good = device.request(session, { source, iv });
    const at = fieldsOf(device.layout, session.service);
    const [status, changes] = [
      [ERR, { [at.src!]: 0x7fff_ffff }],
      [NOTSUPP, { [at.opcode!]: 0x999 }],
      [INVSESS, { [at.sessionLow!]: 1000 }],
    ][i % 11] as [number, Record<number, number>] ?? [OK, {}];
    requests.push(patched(good, changes));
    expected.push({
      status,
      result: status === OK
        ? new Uint8Array(
          reference(options.algorithm as "aes-cbc", session.key, {
            source,
            iv,
            resultLength: session.resultLength,
          }),
        )
        : undefined,
    });
  }
  return { requests, expected };
}

for (const layout of ["legacy", "v15"] as const) {
  Deno.test(`A round of ${layout} requests of many sessions is answered in ring order`, () => {
    const device = new TestDevice({
      layout,
      ring: { size: 1024 },
      memorySize: 1 << 20,
    });
    const { requests, expected } = mixture(device, 120);
    const answers = device.send(...requests);
    answers.forEach((answer, i) => {
      const { status, result } = expected[i]!;
      assertEquals(answer.status, status, `request ${i}`);
      assertEquals(answer.usedLength, sum(requests[i]!.writable));
      if (result !== undefined) assertEquals(answer.result, result);
    });
    assertEquals(device.statistics.rounds, 1);
  });
}

Deno.test("More requests than a round takes are served in several rounds", () => {
  const device = new TestDevice({ ring: { size: 2048 }, memorySize: 1 << 20 });
  const { requests, expected } = mixture(device, 300);
  const small = requests.map((r) => ({ ...r, style: "indirect" as const }));
  const answers = device.send(...small);
  assertEquals(
    answers.map((a) => a.status),
    expected.map((e) => e.status),
  );
  assert(device.statistics.rounds >= 2);
  assertEquals(device.statistics.requests, 300);
});

Deno.test("A round takes up to 64 KiB, and a larger request alone", () => {
  const device = new TestDevice({ ring: { size: 256 }, memorySize: 1 << 20 });
  const session = device.create({ service: "hash", algorithm: "md5" });
  const of = (length: number) =>
    device.request(session, { source: random.bytes(length) });
  const sizes = [1000, 70_000, 1000, 30_000, 30_000, 30_000, 90_000, 90_000];
  const answers = device.send(...sizes.map(of));
  assertEquals(answers.map((a) => a.status), sizes.map(() => OK));
  // [1000] [70000] [1000 30000 30000] [30000] [90000] [90000]
  assertEquals(device.statistics.rounds, 6);
});

Deno.test("A large request that is given up runs again, with the right result", () => {
  let asked = 0;
  let stop = true;
  const device = new TestDevice({
    memorySize: 1 << 21,
    stopping: () => {
      asked++;
      return stop;
    },
  });
  for (const options of MIXED) {
    const session = device.create(options);
    const source = random.bytes(400_000);
    const iv = IV.subarray(0, [16, 0, 0, 12][session.service]);
    const request = device.request(session, { source, iv });
    device.guest.offer(request);
    device.guest.watch();
    asked = 0;
    stop = true;
    assertEquals(device.queue.run(), RoundResult.ABANDONED);
    assertEquals(device.queue.run(), RoundResult.ABANDONED);
    assert(asked >= 2);
    assertEquals(device.guest.answers(), []);
    stop = false;
    device.runAll();
    const [answer] = device.guest.answers();
    assertEquals(answer!.status, OK);
    const expected = reference(options.algorithm as "aes-cbc", session.key, {
      source,
      iv,
      resultLength: session.resultLength,
    });
    assertEquals(answer!.result.every((b, i) => b === expected[i]), true);
    assert(asked > 3, "It was not asked between the steps");
  }
  assertEquals(device.statistics.requests, MIXED.length);
});

Deno.test("A queue stopped in a large request goes on with it from the returned state", () => {
  let stop = true;
  const device = new TestDevice({
    memorySize: 1 << 20,
    stopping: () => stop,
  });
  const session = device.create({ service: "hash", algorithm: "sha256" });
  const small = device.request(session, { source: IV });
  const source = random.bytes(300_000);
  device.guest.offer(small);
  device.guest.offer(device.request(session, { source }));
  device.guest.offer(small);
  device.guest.watch();
  assertEquals(device.queue.run(), RoundResult.SIGNAL);
  assertEquals(device.queue.run(), RoundResult.ABANDONED);
  assertEquals(device.queue.stop(), 1);
  assertEquals(device.queue.stop(), undefined);
  assertEquals(device.queue.run(), RoundResult.IDLE);
  assertEquals(device.queue.running, false);
  stop = false;
  device.queue.start({
    ring: device.guest.ring.setup({ state: 1 }),
    layout: device.core.layout(0n, false),
  });
  device.runAll();
  const answers = device.guest.answers();
  assertEquals(answers.map((a) => a.status), [OK, OK, OK]);
  assertEquals(
    answers[1]!.result,
    new Uint8Array(reference("sha256", KEY, { source, resultLength: 32 })),
  );
});

Deno.test("A wrong tag fails its own request of a batch and no other", () => {
  const device = new TestDevice({ ring: { size: 256 } });
  const options = { service: "aead", algorithm: "aes-gcm", key: KEY } as const;
  const encrypt = device.create({ ...options, direction: "encrypt" });
  const decrypt = device.create({ ...options, direction: "decrypt" });
  const iv = IV.subarray(0, 12);
  const source = random.bytes(33);
  const sealed = device.succeed(device.request(encrypt, { source, iv }));
  const bad = sealed.slice();
  bad[40]! ^= 1;
  const answers = device.send(
    ...[sealed, bad, sealed, bad, bad, sealed].map((source) =>
      device.request(decrypt, { source, iv })
    ),
  );
  assertEquals(
    answers.map((a) => a.status),
    [OK, BADMSG, OK, BADMSG, BADMSG, OK],
  );
  for (const { status, result } of answers) {
    assertEquals(
      result,
      status === OK ? source : new Uint8Array(33).fill(0xa5),
    );
  }
});

Deno.test("More sessions in a round than contexts are kept are all served", () => {
  const device = new TestDevice({
    device: { maxContexts: 1 },
    ring: { size: 2048 },
    memorySize: 1 << 20,
  });
  const keys = Array.from({ length: 300 }, () => random.bytes(16));
  const source = random.bytes(16);
  const sessions = keys.map((key) =>
    device.create({ service: "mac", algorithm: "hmac-md5", key })
  );
  for (let again = 0; again < 2; again++) {
    const answers = device.send(
      ...sessions.map((s) => device.request(s, { source })),
    );
    answers.forEach((answer, i) =>
      assertEquals(
        answer.result,
        new Uint8Array(
          reference("hmac-md5", keys[i]!, { source, resultLength: 16 }),
        ),
      )
    );
  }
  assert(device.queue.contexts <= 256);
});

Deno.test("Contexts of ended sessions are gone before the next round", () => {
  const device = new TestDevice();
  const sessions = [1, 2, 3].map(() =>
    device.create({ service: "mac", algorithm: "hmac-md5", key: KEY })
  );
  device.send(...sessions.map((s) => device.request(s, { source: IV })));
  assertEquals(device.queue.contexts, 3);
  device.core.sessions.destroy(sessions[0]!.low, sessions[0]!.high);
  assertEquals(device.retired, 1);
  assertEquals(device.queue.run(), RoundResult.IDLE);
  assertEquals(device.queue.contexts, 2);
  device.core.sessions.clear();
  device.queue.sweep();
  assertEquals([device.queue.contexts, device.retired], [0, 2]);
});

Deno.test("A queue's counters add up", () => {
  const device = new TestDevice({ ring: { size: 1024 }, memorySize: 1 << 20 });
  const { requests, expected } = mixture(device, 110);
  device.send(...requests);
  const { statuses, latency, ...totals } = device.statistics;
  const count = (status: number) =>
    expected.filter((e) => e.status === status).length;
  assertEquals(statuses, [0, 1, 2, 3, 4, 5].map(count));
  assertEquals(sum(latency), 110);
  assertEquals(totals.requests, 110);
  assertEquals(
    totals.bytes,
    sum(
      requests.map((r) =>
        sum(r.readable.map((b) => b.length)) + sum(r.writable)
      ),
    ),
  );
  assertEquals([totals.rounds, totals.signals], [1, 1]);
  const { algorithms } = totals;
  assertEquals(sum(algorithms.map(({ requests }) => requests)), 110);
  assertEquals(sum(algorithms.map(({ bytes }) => bytes)), totals.bytes);
});

Deno.test("A queue counts by service and algorithm", () => {
  const device = new TestDevice({ ring: { size: 1024 }, memorySize: 1 << 20 });
  const cipher = device.create({
    service: "cipher",
    algorithm: "aes-cbc",
    key: new Uint8Array(16),
    direction: "encrypt",
  });
  const hash = device.create({ service: "hash", algorithm: "md5" });
  const good = device.request(cipher, { source: new Uint8Array(32), iv: IV });
  const bad = device.request(cipher, { source: new Uint8Array(31), iv: IV });
  device.send(good, bad, device.request(hash, { source: IV }), good);
  device.send(device.request({ ...cipher, low: 99 }, { source: IV, iv: IV }));
  const counted = device.statistics.algorithms.map((
    { service, algorithm, statuses, latency },
  ) => [service, algorithm, ...statuses, sum(latency)]);
  assertEquals(counted, [
    [null, null, 0, 0, 0, 0, 1, 0, 1],
    ["CIPHER", "aes-cbc", 2, 1, 0, 0, 0, 0, 3],
    ["HASH", "md5", 1, 0, 0, 0, 0, 0, 1],
  ]);
});

Deno.test("A queue goes on in new memory where it was", () => {
  const device = new TestDevice();
  const session = device.create({ service: "hash", algorithm: "md5" });
  const request = device.request(session, { source: IV });
  device.succeed(request);
  // The same buffer, mapped again.
  device.queue.setMemory(device.guest.memory.regions.map((r) => ({ ...r })));
  assertEquals(device.queue.running, true);
  device.succeed(request);
  assertEquals(device.guest.ring.usedIndex, 2);
});

Deno.test("A round takes no more once it has walked as many descriptors as one chain can have", () => {
  const device = new TestDevice({ memorySize: 1 << 21 });
  const { ring, memory } = device.guest;
  const { guestAddress } = memory.regions[0]!;
  const table = guestAddress + (1 << 20);
  const status = guestAddress + (1 << 21) - 1;
  const entries = 60_000;
  for (let i = 0; i < entries - 1; i++) {
    ring.table(table + 16 * i, [status, 0, NEXT, i + 1]);
  }
  ring.table(table + 16 * (entries - 1), [status, 1, WRITE, 0]);
  for (let head = 0; head < 3; head++) {
    ring.describe(head, [table, 16 * entries, INDIRECT, 0]);
  }
  ring.offer(0, 1, 2);
  for (let answered = 1; answered <= 3; answered++) {
    device.queue.run();
    assertEquals(device.statistics.requests, answered);
  }
});
