import { assert, assertEquals } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { NobleEngine } from "../../device/engine/noble.ts";
import type { NobleContext } from "../../device/engine/noble/context.ts";
import { InProcessDevice } from "../../device/in_process.ts";
import { Random } from "../engine/random.ts";
import { occurrences } from "../support/sessions.ts";

const KEY = new Random(61).bytes(32).map((b) => b | 1);

const SESSION = {
  service: "mac",
  algorithm: "hmac-sha256",
  key: KEY,
} as const;

/** Runs, and gives every SharedArrayBuffer that is made meanwhile. */
async function capture<T>(
  run: () => Promise<T>,
): Promise<[T, SharedArrayBuffer[]]> {
  const made: SharedArrayBuffer[] = [];
  const original = globalThis.SharedArrayBuffer;
  globalThis.SharedArrayBuffer = new Proxy(original, {
    construct(target, given: [number]) {
      const buffer = new target(...given);
      made.push(buffer);
      return buffer;
    },
  });
  try {
    return [await run(), made];
  } finally {
    globalThis.SharedArrayBuffer = original;
  }
}

function keysIn(buffers: readonly SharedArrayBuffer[]): number {
  return buffers.reduce(
    (count, buffer) => count + occurrences(new Uint8Array(buffer), KEY),
    0,
  );
}

for (const workers of [0, 2]) {
  for (const end of ["destroy", "close"] as const) {
    Deno.test(`No shared memory holds a key after ${end}, with ${workers} workers`, async () => {
      const [device, buffers] = await capture(() =>
        Promise.resolve(
          new InProcessDevice({
            workers,
            memorySize: 1 << 20,
            maxSessions: 16,
          }),
        )
      );
      const driver = await CryptoDriver.attach(device);
      const session = await driver.createSession(SESSION);
      await session.run({ data: KEY.slice(1) });
      assertEquals(keysIn(buffers), 1);
      if (end === "destroy") {
        await session.destroy();
        assertEquals(keysIn(buffers), 0);
      } else {
        // Without the driver, which destroys its sessions first.
        await device.close();
        assertEquals(keysIn(buffers), 0);
      }
      await driver.close();
    });
  }
}

Deno.test("Contexts are wiped as soon as their session is destroyed, with no workers", async () => {
  const made: NobleContext[] = [];
  const prepare = NobleEngine.prototype.prepare;
  NobleEngine.prototype.prepare = function (...given) {
    const context = prepare.apply(this, given);
    made.push(context as NobleContext);
    return context;
  };
  try {
    const device = new InProcessDevice({
      workers: 0,
      memorySize: 1 << 20,
      engines: ["noble"],
    });
    await using driver = await CryptoDriver.attach(device);
    const session = await driver.createSession(SESSION);
    await session.run({ data: KEY });
    await session.run({ data: KEY, queue: 1 });
    assertEquals(made.map((c) => c.wiped), [false, false]);
    await session.destroy();
    assertEquals(made.map((c) => c.wiped), [true, true]);
    const other = await driver.createSession(SESSION);
    await other.run({ data: KEY });
    assert(!made[2]!.wiped);
    await driver.close();
    assert(made[2]!.wiped);
  } finally {
    NobleEngine.prototype.prepare = prepare;
  }
});
