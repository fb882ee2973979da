import { assert, assertEquals, assertRejects } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { CryptoStatusError } from "../../device/driver/errors.ts";
import type { SessionOptions } from "../../device/driver/session_options.ts";
import {
  InProcessDevice,
  type InProcessOptions,
} from "../../device/in_process.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { sum } from "../support/device.ts";

const random = new Random(21);
const KEY = random.bytes(16);

const SESSIONS: readonly SessionOptions[] = [
  { service: "cipher", algorithm: "aes-cbc", key: KEY, direction: "encrypt" },
  { service: "hash", algorithm: "sha512" },
  { service: "mac", algorithm: "hmac-sha1", key: KEY },
  { service: "aead", algorithm: "aes-gcm", key: KEY, direction: "encrypt" },
];

/** Feature bits: VERSION_1, EVENT_IDX, INDIRECT_DESC, SESSION_MODE. */
const VERSION_1 = 1n << 32n;
const EVENT_IDX = 1n << 29n;
const INDIRECT = 1n << 28n;
const SESSION_MODES = 0b11110n;

const FEATURES: Record<string, bigint | undefined> = {
  "the standard features": undefined,
  "no feature of the ring": VERSION_1,
  "EVENT_IDX only": VERSION_1 | EVENT_IDX,
  "INDIRECT_DESC only": VERSION_1 | INDIRECT,
  "session modes": VERSION_1 | EVENT_IDX | INDIRECT | SESSION_MODES,
};

/** Runs a program on a device and its driver. */
async function withDevice(
  options: InProcessOptions,
  run: (driver: CryptoDriver, device: InProcessDevice) => Promise<void>,
): Promise<void> {
  const device = new InProcessDevice({ memorySize: 8 << 20, ...options });
  await using driver = await CryptoDriver.attach(device);
  await run(driver, device);
}

for (const workers of [0, 2]) {
  for (const [name, features] of Object.entries(FEATURES)) {
    Deno.test(`A device with ${workers} workers and ${name} gives the right results`, async () => {
      await withDevice({ workers, features }, async (driver, device) => {
        assertEquals(device.workers, workers);
        for (const options of SESSIONS) {
          const session = await driver.createSession(options);
          for (const length of [16, 64, 4096]) {
            const data = random.bytes(length);
            const iv = random.bytes([16, 0, 0, 12][session.service]!);
            assertEquals(
              await session.run({ data, iv }),
              new Uint8Array(
                reference(options.algorithm as "aes-cbc", KEY, {
                  source: data,
                  iv,
                  resultLength: session.resultLength,
                }),
              ),
            );
          }
          await session.destroy();
        }
      });
    });
  }

  Deno.test(`A device with ${workers} workers refuses a session that was destroyed`, async () => {
    await withDevice({ workers }, async (driver) => {
      const session = await driver.createSession(SESSIONS[1]!);
      const data = random.bytes(10);
      await session.run({ data });
      await session.destroy();
      for (const queue of [0, 1]) {
        const error = await assertRejects(
          () => session.run({ data, queue }),
          CryptoStatusError,
        ) as CryptoStatusError;
        assertEquals(error.statusName, "INVSESS");
      }
      const next = await driver.createSession(SESSIONS[1]!);
      assertEquals(next.id & 0xffff_ffffn, session.id & 0xffff_ffffn);
      assertEquals((await next.run({ data })).length, 64);
      await assertRejects(() => session.run({ data }), CryptoStatusError);
    });
  });

  Deno.test(`A device with ${workers} workers serves many requests on several queues`, async () => {
    await withDevice({ workers }, async (driver, device) => {
      const session = await driver.createSession(SESSIONS[0]!);
      const inputs = Array.from({ length: 1500 }, (_, i) => ({
        data: random.bytes(16 * (1 + i % 8)),
        iv: random.bytes(16),
        queue: i % 2,
      }));
      const results = await Promise.all(inputs.map((i) => session.run(i)));
      results.forEach((result, i) => {
        const { data, iv } = inputs[i]!;
        const expected = reference("aes-cbc", KEY, { source: data, iv });
        assert(result.every((b, j) => b === expected[j]), `request ${i}`);
      });
      const [first, second] = device.statistics;
      for (
        const { requests, statuses, latency, rounds, signals } of [
          first!,
          second!,
        ]
      ) {
        assertEquals(requests, 750);
        assertEquals(statuses, [750, 0, 0, 0, 0, 0]);
        assertEquals(sum(latency), 750);
        assert(rounds >= 1 && rounds <= 750);
        assert(signals >= 1 && signals <= rounds);
      }
    });
  });

  Deno.test(`A device with ${workers} workers counts statuses by their number`, async () => {
    await withDevice({ workers }, async (driver, device) => {
      const seal = await driver.createSession(SESSIONS[3]!);
      const open = await driver.createSession({
        ...SESSIONS[3]!,
        direction: "decrypt",
      } as SessionOptions);
      const iv = random.bytes(12);
      const data = await seal.run({ data: random.bytes(20), iv });
      await open.run({ data, iv });
      data[3]! ^= 1;
      await assertRejects(() => open.run({ data, iv }), CryptoStatusError);
      await assertRejects(() => open.run({ data }), CryptoStatusError);
      await open.destroy();
      await assertRejects(() => open.run({ data, iv }), CryptoStatusError);
      const { statuses, requests, bytes } = device.statistics[0]!;
      assertEquals([statuses, requests], [[2, 1, 1, 0, 1, 0], 5]);
      assert(bytes > 5 * 72);
    });
  });

  Deno.test(`A device with ${workers} workers gives a large request the right result`, async () => {
    await withDevice({ workers, memorySize: 16 << 20 }, async (driver) => {
      const session = await driver.createSession(SESSIONS[1]!);
      const data = random.bytes(3_000_000);
      const small = random.bytes(100);
      const [large, first, second] = await Promise.all([
        session.run({ data }),
        session.run({ data: small }),
        session.run({ data: small, queue: 1 }),
      ]);
      const input = { source: data, resultLength: 64 };
      assertEquals(
        large,
        new Uint8Array(reference("sha512", KEY, input)),
      );
      assertEquals(first, second);
    });
  });
}

Deno.test("A device refuses features that it does not offer", () => {
  for (const features of [1n, 1n << 5n, VERSION_1 | 1n << 33n]) {
    try {
      new InProcessDevice({ workers: 0, features });
    } catch (error) {
      assert(error instanceof RangeError);
      continue;
    }
    assert(false, `0x${features.toString(16)} was taken`);
  }
});

Deno.test("A device refuses options out of their range", () => {
  const bad: InProcessOptions[] = [
    { queues: 0 },
    { queues: 256 },
    { queues: 3, workers: 2 },
    { workers: -1 },
    { workers: 1.5 },
    { memorySize: 1000 },
    { maxSize: 0 },
    { maxSize: 2 ** 31 },
    { maxSessions: 0 },
    { maxSessions: NaN },
    { pollUs: -1 },
    { spec: "1.9" as "1.4" },
  ];
  for (const options of bad) {
    try {
      new InProcessDevice({ workers: 0, ...options });
    } catch (error) {
      assert(error instanceof RangeError, JSON.stringify(options));
      continue;
    }
    assert(false, `${JSON.stringify(options)} was taken`);
  }
});
