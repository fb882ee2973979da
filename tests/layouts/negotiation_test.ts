import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { CryptoDriver } from "../../device/driver/driver.ts";
import { StatelessModeError } from "../../device/driver/errors.ts";
import {
  type Operation,
  operationRequest,
} from "../../device/driver/operation.ts";
import type { DataLayout } from "../../device/driver/requests.ts";
import {
  type ServiceName,
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import { InProcessDevice } from "../../device/in_process.ts";
import type { SpecName } from "../../device/spec/request_layout.ts";
import { assertStatus, attach, MODES, REVISION_1, RING } from "./layouts.ts";
import { changed, ERR, expectStatus, NOTSUPP, OK } from "./raw.ts";

const KEY = new Uint8Array(16);
const IV = new Uint8Array(16);

/** A session and an operation of each service. */
const SERVICES: readonly (readonly [SessionOptions, Operation])[] = [
  [
    {
      service: "cipher",
      algorithm: "aes-cbc",
      key: KEY,
      direction: "encrypt",
    },
    { data: new Uint8Array(32), iv: IV },
  ],
  [{ service: "hash", algorithm: "sha256" }, { data: new Uint8Array(9) }],
  [
    { service: "mac", algorithm: "hmac-sha1", key: KEY },
    { data: new Uint8Array(9) },
  ],
  [
    {
      service: "aead",
      algorithm: "aes-gcm",
      key: KEY,
      direction: "encrypt",
    },
    { data: new Uint8Array(9), iv: IV.subarray(0, 12), aad: IV },
  ],
];

/** `flag` of a data request's header. */
const FLAG = 16;
const ALL_FLAGS = [0, 1, 2, 3, 4, 5, 0x8000_0000, 0x8000_0001, 0xffff_ffff];

/**
 * Sends requests of every service in a layout, with every flag.
 *
 * @param driver the driver
 * @param stateless whether the requests have keys, or a session's id
 * @param layout their layout, by service
 * @param status what a flag is to be answered in a service
 * @param flags the flags
 */
async function expectFlags(
  driver: CryptoDriver,
  stateless: boolean,
  layout: (service: number) => DataLayout,
  status: (flag: number, service: number) => number,
  flags: readonly number[] = ALL_FLAGS,
): Promise<void> {
  for (const [service, [options, operation]] of SERVICES.entries()) {
    await using session = await driver.createSession(options);
    const { bytes } = operationRequest(layout(service), {
      parameters: sessionParameters(options),
      sessionId: stateless ? undefined : session.id,
    }, operation);
    for (const flag of flags) {
      await expectStatus(
        driver,
        changed(bytes, { [FLAG]: flag }),
        status(flag, service),
        `${options.service}, flag ${flag}`,
      );
    }
  }
}

const LEGACY = () => "legacy" as const;
const V15 = () => "v15" as const;

Deno.test("A legacy driver of a v15 device leaves flag 0, or sets it to session mode", async () => {
  await using driver = await attach({ spec: "v15", features: RING });
  assertEquals(driver.layout, "legacy");
  await expectFlags(
    driver,
    false,
    LEGACY,
    (flag) => flag < 2 ? OK : ERR,
    ALL_FLAGS.filter((flag) => flag !== 2),
  );
});

Deno.test("A v15 device serves non-session mode whatever bits were negotiated", async () => {
  for (const bits of [0n, 0b10n, 0b10100n, MODES]) {
    await using driver = await attach({ spec: "v15", features: RING | bits });
    await expectFlags(
      driver,
      true,
      V15,
      (flag) => flag === 2 ? OK : ERR,
      // Without any bit 0 and 1 make it a legacy request.
      ALL_FLAGS.filter((flag) => flag > 1),
    );
  }
});

Deno.test("A legacy driver of a 1.4 device may leave anything in flag", async () => {
  await using driver = await attach({ spec: "1.4", features: RING });
  await expectFlags(driver, false, LEGACY, () => OK);
});

Deno.test("A session mode that was not negotiated in v15 gets ERR", async () => {
  for (let service = 0; service < 4; service++) {
    const features = RING | 1n << BigInt(1 + service);
    await using driver = await attach({ spec: "v15", features });
    assertEquals(driver.layout, "v15");
    await expectFlags(
      driver,
      false,
      V15,
      (flag, asked) => flag === 1 && asked === service ? OK : ERR,
      ALL_FLAGS.filter((flag) => flag !== 2),
    );
    for (const [asked, [options, operation]] of SERVICES.entries()) {
      await driver.run({ ...options, ...operation });
      const session = await driver.createSession(options);
      if (asked === service) await session.run(operation);
      else await assertStatus(() => session.run(operation), "ERR");
    }
  }
});

Deno.test("Revision 1 takes sessions by bit 0 of flag, and the other bits are nothing", async () => {
  const features = RING | REVISION_1;
  await using driver = await attach({ spec: "1.4", features });
  assertEquals(driver.layout, "revision1");
  await expectFlags(
    driver,
    false,
    () => "revision1",
    (flag) => flag & 1 ? OK : NOTSUPP,
  );
});

Deno.test("A stateless bit of revision 1 gives its service stateless mode, and no other", async () => {
  for (let service = 0; service < 4; service++) {
    const features = RING | REVISION_1 | 1n << BigInt(1 + service);
    await using driver = await attach({ spec: "1.4", features });
    const layoutOf = (asked: number): DataLayout =>
      asked === service ? "revision1-stateless" : "revision1";
    // A session's request that does not say so has no algorithm, which is 0.
    await expectFlags(
      driver,
      false,
      layoutOf,
      (flag) => flag & 1 ? OK : NOTSUPP,
    );
    await expectFlags(
      driver,
      true,
      () => "revision1-stateless",
      (_flag, asked) => asked === service ? OK : NOTSUPP,
      // With bit 0 the other services read another fixed part.
      ALL_FLAGS.filter((flag) => !(flag & 1)),
    );
  }
});

Deno.test("A stateless bit without REVISION_1 counts as not negotiated", async () => {
  for (const bits of [0b10n, 0b10000n, MODES]) {
    const features = RING | bits;
    await using driver = await attach({ spec: "1.4", features }, {}, {
      layout: "legacy",
    });
    assertEquals(driver.hasStateless("cipher"), false);
    await expectFlags(driver, false, LEGACY, () => OK);
    for (const [options, operation] of SERVICES) {
      const session = await driver.createSession(options);
      await session.run(operation);
    }
  }
});

Deno.test("An operation without a session is refused where the mode is not there", async () => {
  const cases: readonly (readonly [SpecName, bigint, ServiceName[]])[] = [
    ["v15", RING, []],
    ["1.4", RING, []],
    ["v15", RING | 0b10n, ["cipher", "hash", "mac", "aead"]],
    ["1.4", RING | REVISION_1, []],
    ["1.4", RING | REVISION_1 | 0b10n, ["cipher"]],
    ["1.4", RING | REVISION_1 | 0b100n, ["hash"]],
    ["1.4", RING | REVISION_1 | 0b1000n, ["mac"]],
    ["1.4", RING | REVISION_1 | 0b10000n, ["aead"]],
    ["1.4", RING | REVISION_1 | 0b11000n, ["mac", "aead"]],
  ];
  for (const [spec, features, services] of cases) {
    await using driver = await attach({ spec, features });
    for (const [options, operation] of SERVICES) {
      const possible = services.includes(options.service);
      assertEquals(driver.hasStateless(options.service), possible);
      const run = () => driver.run({ ...options, ...operation });
      if (possible) await run();
      else {
        await assertRejects(
          run,
          StatelessModeError,
          `Cannot run a ${options.service} operation without a session: the negotiated features 0x${
            features.toString(16)
          }`,
        );
      }
    }
    const chain = () =>
      driver.run({
        service: "chain",
        cipher: { algorithm: "aes-ctr", key: KEY, direction: "encrypt" },
        hash: { algorithm: "sha1" },
        order: "hash-then-cipher",
        data: IV,
        iv: IV,
      });
    if (services.includes("cipher")) await chain();
    else await assertRejects(chain, StatelessModeError, "a chain operation");
  }
});

Deno.test("The documents offer bit 0 or not, and bits 1 to 4 both", () => {
  const make = (spec: SpecName, features: bigint) =>
    new InProcessDevice({ workers: 0, spec, features });
  make("1.4", RING | REVISION_1 | MODES);
  make("v15", RING | MODES);
  for (const features of [REVISION_1, REVISION_1 | MODES]) {
    assertThrows(() => make("v15", RING | features), RangeError, "0x1:");
  }
  assertThrows(() => make("1.4", RING | 1n << 5n), RangeError, "0x20:");
});
