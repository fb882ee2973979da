import { assertEquals, assertRejects } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { CryptoStatusError } from "../../device/driver/errors.ts";
import type { CipherSessionOptions } from "../../device/driver/session_options.ts";
import { ConnectionClosedError } from "../../device/driver/vhost_user_channel.ts";
import {
  MissingFeatureError,
  VhostUserTransport,
  type VhostUserTransportOptions,
} from "../../device/driver/vhost_user_transport.ts";
import { libc } from "../../device/host/libc.ts";
import { VhostUserServer } from "../../device/vhost_user/server.ts";

// Opened here, before any test: a test that opens a library is said to leak it.
libc();

let sockets = 0;

/** A server of this process, stopped at the end of its block. */
class TestServer implements AsyncDisposable {
  readonly path = `/tmp/virtio-crypto-driver-${Deno.pid}-${sockets++}.sock`;
  readonly #server = VhostUserServer.listen({ socketPath: this.path });

  async attach(options: VhostUserTransportOptions = {}): Promise<{
    transport: VhostUserTransport;
    driver: CryptoDriver;
  }> {
    const transport = await VhostUserTransport.connect(this.path, options);
    return { transport, driver: await CryptoDriver.attach(transport) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}

const CBC: CipherSessionOptions = {
  service: "cipher",
  algorithm: "aes-cbc",
  key: new Uint8Array(16),
  direction: "encrypt",
};

/** AES-128 of a block of zeros under a key of zeros. */
const ZEROS_ENCRYPTED = "66e94bd4ef8a2c3b884cfa59ca342b2e";

async function encryptZeros(driver: CryptoDriver, queue = 0): Promise<string> {
  const session = await driver.createSession(CBC);
  const zeros = new Uint8Array(16);
  return (await session.run({ iv: zeros, data: zeros, queue })).toHex();
}

const LEGACY = 1n << 32n | 1n << 28n | 1n << 29n;

Deno.test("a device behind a socket serves legacy and v15 requests", async () => {
  await using server = new TestServer();
  for (
    const [features, layout] of [
      [LEGACY, "legacy"],
      [1n << 32n, "legacy"],
      [LEGACY | 0x1en, "v15"],
    ] as const
  ) {
    const { transport, driver } = await server.attach({ features });
    assertEquals(transport.features, features);
    assertEquals(driver.layout, layout);
    assertEquals(driver.dataQueues, 2);
    for (let queue = 0; queue < driver.dataQueues; queue++) {
      assertEquals(await encryptZeros(driver, queue), ZEROS_ENCRYPTED);
    }
    await driver.close();
  }
});

Deno.test("a cryptodev behind a socket makes its sessions by message", async () => {
  await using server = new TestServer();
  const { transport, driver } = await server.attach({ mode: "cryptodev" });
  assertEquals(transport.frontend.features, 0x4000_0000n, "as QEMU does");
  assertEquals(transport.features, LEGACY);
  assertEquals(driver.config, undefined);
  assertEquals(await encryptZeros(driver), ZEROS_ENCRYPTED);
  await assertRejects(
    () => driver.createSession({ ...CBC, key: new Uint8Array(17) }),
    CryptoStatusError,
    "ERR",
  );
  await assertRejects(
    () => driver.createSession({ service: "hash", algorithm: "sha256" }),
    TypeError,
    "service 1 by message",
  );
  await driver.close();
});

Deno.test("requests may lie in any of several regions", async () => {
  await using server = new TestServer();
  const { driver } = await server.attach({
    memory: [
      { guestAddress: 0x4000_0000, size: 2 << 20 },
      { guestAddress: 0x1_4000_0000, size: 4 << 20 },
    ],
  });
  const session = await driver.createSession(CBC);
  const data = new Uint8Array(256 << 10);
  const iv = new Uint8Array(16);
  const results = await Promise.all(
    Array.from({ length: 20 }, () => session.run({ iv, data })),
  );
  for (const result of results) assertEquals(result, results[0]);
  await driver.close();
});

Deno.test("a mode that the backend does not offer is refused", async () => {
  await using server = new TestServer();
  for (const mode of ["device", "cryptodev"] as const) {
    await assertRejects(
      () => server.attach({ mode, protocolFeatures: 0n }),
      MissingFeatureError,
      mode,
    );
  }
  const { driver } = await server.attach();
  await driver.close();
});

Deno.test("a ring that the backend gives up fails its queue and no other", async () => {
  await using server = new TestServer();
  const transport = await VhostUserTransport.connect(server.path);
  const failed = Promise.withResolvers<number>();
  const listen = transport.listen.bind(transport);
  transport.listen = (listener) =>
    listen({
      ...listener,
      queueFailed(index, error) {
        listener.queueFailed(index, error);
        failed.resolve(index);
      },
    });
  const driver = await CryptoDriver.attach(transport);
  const session = await driver.createSession({
    service: "hash",
    algorithm: "sha256",
  });
  // The available index runs ahead by more than the ring's size.
  const { available } = driver.ring(1).guestAddresses;
  const region = driver.memory.find(available);
  const at = driver.memory.offsetIn(region, available);
  driver.memory.data[region]!.setUint16(at + 2, 5000, true);
  transport.kick(1);
  assertEquals(await failed.promise, 1);
  const data = new Uint8Array(8);
  await assertRejects(() => session.run({ data, queue: 1 }), Error, "broken");
  assertEquals((await session.run({ data, queue: 0 })).length, 32);
  await driver.close();
});

Deno.test("a backend that hangs up fails what is outstanding", async () => {
  const server = new TestServer();
  const { driver } = await server.attach();
  const session = await driver.createSession(CBC);
  const zeros = new Uint8Array(16);
  await session.run({ iv: zeros, data: zeros });
  await server[Symbol.asyncDispose]();
  await assertRejects(
    () => session.run({ iv: zeros, data: zeros }),
    ConnectionClosedError,
  );
  await driver.close();
});
