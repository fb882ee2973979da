import { assertEquals, assertThrows } from "@std/assert";
import type { CryptoDriver } from "../../device/driver/driver.ts";
import type {
  ChainSessionOptions,
  SessionOptions,
} from "../../device/driver/session_options.ts";
import { InProcessDevice } from "../../device/in_process.ts";
import { decodeConfig, type DeviceConfig } from "../../device/spec/config.ts";
import { VIRTIO_CRYPTO_FLAG_SESSION_MODE } from "../../device/spec/constants.ts";
import {
  SERVICE_NUMBERS,
  type ServiceName,
} from "../../device/spec/services.ts";
import {
  assertStatus,
  attach,
  type LayoutCase,
  LAYOUTS,
  MODES,
  perform,
  performChain,
} from "./layouts.ts";
import { ERR, NOTSUPP } from "./raw.ts";

const KEY = new Uint8Array(16);
const IV = new Uint8Array(16);
const DATA = new Uint8Array(32);

/** One operation of each service. */
const SESSIONS: readonly (SessionOptions & { service: ServiceName })[] = [
  { service: "cipher", algorithm: "aes-cbc", key: KEY, direction: "encrypt" },
  { service: "hash", algorithm: "sha256" },
  { service: "mac", algorithm: "hmac-sha256", key: KEY },
  { service: "aead", algorithm: "aes-gcm", key: KEY, direction: "encrypt" },
];

/** What such an operation is given. */
const OPERATIONS: Readonly<Record<ServiceName, { iv?: Uint8Array }>> = {
  cipher: { iv: IV },
  hash: {},
  mac: {},
  aead: { iv: IV.subarray(4) },
};

const SERVICES = SESSIONS.map(({ service }) => service);

/** Chains by the service that their hash is of. */
const CHAINS: readonly (readonly [ServiceName, ChainSessionOptions])[] = ([
  ["hash", { algorithm: "sha1" }],
  ["mac", { algorithm: "hmac-sha1", key: KEY }],
] as const).map(([service, hash]) => [service, {
  service: "chain",
  cipher: { algorithm: "aes-cbc", key: KEY, direction: "encrypt" },
  hash,
  order: "cipher-then-hash",
}]);

/** Each service alone, and each left out. */
const CHOICES: readonly (readonly ServiceName[])[] = SERVICES.flatMap((one) => [
  [one],
  SERVICES.filter((other) => other !== one),
]);

/** The mode features of services: bits 1 to 4. */
function modeBits(services: readonly ServiceName[]): bigint {
  return services.reduce(
    (bits, service) => bits | 2n << BigInt(SERVICE_NUMBERS[service]),
    0n,
  );
}

async function attachOffering(
  services: readonly ServiceName[],
  { spec, features }: LayoutCase,
): Promise<CryptoDriver> {
  return await attach({
    spec,
    features: features & ~MODES | features & modeBits(services),
  }, { services, engines: ["noble"] });
}

Deno.test("A device that offers some services has no bit of the others in its configuration space", () => {
  const make = (services?: readonly ServiceName[]) =>
    decodeConfig(
      new InProcessDevice({ workers: 0, engines: ["noble"], services }).config,
    );
  const all = make();
  assertEquals(make(SERVICES), all);
  for (const services of CHOICES) {
    const has = (service: ServiceName) => services.includes(service) ? 1 : 0;
    const expected: DeviceConfig = {
      ...all,
      cryptoServices: services.reduce(
        (bits, service) => bits | 1 << SERVICE_NUMBERS[service],
        0,
      ),
      cipherAlgoL: all.cipherAlgoL * has("cipher"),
      cipherAlgoH: all.cipherAlgoH * has("cipher"),
      hashAlgo: all.hashAlgo * has("hash"),
      macAlgoL: all.macAlgoL * has("mac"),
      macAlgoH: all.macAlgoH * has("mac"),
      aeadAlgo: all.aeadAlgo * has("aead"),
      // ARC4 has the longest keys.
      maxCipherKeyLen: has("cipher") ? 256 : has("aead") ? 32 : 0,
      maxAuthKeyLen: all.maxAuthKeyLen * has("mac"),
    };
    assertEquals(make(services), expected, services.join());
  }
});

Deno.test("A device that offers some services offers no mode feature of the others", () => {
  for (const spec of ["v15", "1.4"] as const) {
    for (const services of CHOICES) {
      const make = (features: bigint) =>
        new InProcessDevice({ workers: 0, spec, services, features });
      make(modeBits(services));
      for (const other of SERVICES) {
        if (services.includes(other)) continue;
        assertThrows(() => make(modeBits([other])), RangeError, "not offered");
      }
    }
  }
});

Deno.test("A device without services, or with one that is none, is not made", () => {
  for (const services of [[], ["rsa"], ["cipher", "CIPHER"], [""]]) {
    assertThrows(
      () =>
        new InProcessDevice({
          workers: 0,
          services: services as ServiceName[],
        }),
      RangeError,
      `Cannot offer services "${services}": some of cipher,hash,mac,aead`,
    );
  }
});

for (const { name, ...layout } of LAYOUTS) {
  const { stateless } = layout;

  Deno.test(`What a device does not offer is NOTSUPP, and the rest is served, ${name}`, async () => {
    for (const services of CHOICES) {
      await using driver = await attachOffering(services, {
        name,
        ...layout,
      });
      for (const options of SESSIONS) {
        const { service } = options;
        const what = `${service} of ${services}`;
        const header = new Uint8Array(24);
        const view = new DataView(header.buffer);
        view.setUint32(0, SERVICE_NUMBERS[service] << 8, true);
        view.setUint32(16, VIRTIO_CRYPTO_FLAG_SESSION_MODE, true);
        const { bytes } = await driver.submitRaw(0, [header], [1]);
        if (services.includes(service)) {
          await perform(driver, stateless, options, {
            data: DATA,
            ...OPERATIONS[service],
          });
          assertEquals(bytes[0], ERR, what);
        } else {
          await assertStatus(
            () => driver.createSession(options),
            "NOTSUPP",
            what,
          );
          assertEquals(bytes[0], NOTSUPP, what);
        }
      }
    }
  });

  Deno.test(`A chain needs its hash or MAC offered beside the CIPHER service, ${name}`, async () => {
    for (const services of [...CHOICES, ["cipher", "hash"] as const]) {
      if (stateless && !services.includes("cipher")) continue;
      await using driver = await attachOffering(services, {
        name,
        ...layout,
      });
      for (const [digests, options] of CHAINS) {
        const run = () =>
          performChain(driver, stateless, options, { data: DATA, iv: IV });
        if (services.includes("cipher") && services.includes(digests)) {
          await run();
        } else {
          await assertStatus(
            run,
            "NOTSUPP",
            `${digests} of ${services}`,
          );
        }
      }
    }
  });
}
