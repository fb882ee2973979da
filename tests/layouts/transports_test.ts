import { assert, assertEquals } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import type { Operation } from "../../device/driver/operation.ts";
import type { SessionOptions } from "../../device/driver/session_options.ts";
import type { Transport } from "../../device/driver/transport.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import type { AlgorithmName } from "../../device/engine/algorithm.ts";
import { libc } from "../../device/host/libc.ts";
import { InProcessDevice } from "../../device/in_process.ts";
import type { GuestMemory } from "../../device/memory/guest_memory.ts";
import type { SpecName } from "../../device/spec/request_layout.ts";
import { VhostUserServer } from "../../device/vhost_user/server.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { chainReference } from "./chain_reference.ts";
import {
  assertStatus,
  attach,
  LAYOUTS,
  perform,
  performChain,
} from "./layouts.ts";

// Opened here, before any test: a test that opens a library is said to leak it.
libc();

let sockets = 0;

/** A server of this process, stopped at the end of its block. */
class TestServer implements AsyncDisposable {
  readonly path = `/tmp/virtio-crypto-layouts-${Deno.pid}-${sockets++}.sock`;
  readonly #server: VhostUserServer;

  constructor(spec: SpecName) {
    this.#server = VhostUserServer.listen({ socketPath: this.path, spec });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
  }
}

/** One operation, and what it has to give. */
interface Task {
  readonly what: string;
  readonly expected: Uint8Array;
  run(driver: CryptoDriver, stateless: boolean): Promise<Uint8Array>;
}

/** All services and chains, with sources of one length. */
function tasksOf(random: Random, length: number, queue: number): Task[] {
  const data = random.bytes(length);
  const [iv, key] = [random.bytes(16), random.bytes(16)];
  const aad = random.bytes(21);
  const nonce = iv.subarray(0, 12);
  const tasks: Task[] = [];
  const add = (
    options: SessionOptions,
    operation: Operation,
    expected: Uint8Array,
  ) =>
    tasks.push({
      what: `${options.algorithm}, ${operation.data.length} bytes`,
      expected: Uint8Array.from(expected),
      run: (driver, stateless) =>
        perform(driver, stateless, options, { ...operation, queue }),
    });
  const cipher = "aes-ctr";
  const ciphered = { source: data, iv };
  add(
    { service: "cipher", algorithm: cipher, key, direction: "encrypt" },
    { data, iv },
    reference(cipher, key, ciphered),
  );
  add(
    { service: "hash", algorithm: "sha3-256" },
    { data },
    reference("sha3-256", key, { source: data, resultLength: 32 }),
  );
  const macs: (readonly [AlgorithmName, Uint8Array, number])[] = [
    ["hmac-sha384", new Uint8Array(0), 48],
    ["gmac-aes", nonce, 16],
    ["zuc-eia3", iv, 4],
  ];
  for (const [algorithm, macIv, resultLength] of macs) {
    // References that go bit by bit are too slow for long messages.
    const source = data.subarray(0, 100);
    add(
      { service: "mac", algorithm, key },
      { data: source, iv: macIv },
      reference(algorithm, key, { source, iv: macIv, resultLength }),
    );
  }
  const algorithm = "chacha20-poly1305";
  const long = concat(key, key);
  const sealed = { source: data, iv: nonce, aad, resultLength: 16 };
  add(
    { service: "aead", algorithm, key: long, direction: "encrypt" },
    { data, iv: nonce, aad },
    reference(algorithm, long, sealed),
  );
  for (const order of ["hash-then-cipher", "cipher-then-hash"] as const) {
    for (const authKey of [key, undefined]) {
      const hash = authKey ? "hmac-sha256" : "sha512";
      const ranges = {
        cipherStart: length >> 2,
        cipherLength: length >> 1,
        hashStart: length >> 3,
        hashLength: length >> 1,
      };
      const resultLength = authKey ? 32 : 64;
      const given = { order, data, iv, aad, ...ranges };
      const expected = chainReference({
        ...given,
        cipher,
        cipherKey: key,
        hash,
        authKey,
        resultLength,
      });
      tasks.push({
        what: `${cipher} and ${hash}, ${order}, ${length} bytes`,
        expected: concat(expected.data, expected.digest),
        async run(driver, stateless) {
          const found = await performChain(driver, stateless, {
            service: "chain",
            cipher: { algorithm: cipher, key, direction: "encrypt" },
            hash: { algorithm: hash, ...authKey && { key: authKey } },
            order,
          }, { ...given, queue });
          return concat(found.data, found.digest);
        },
      });
    }
  }
  return tasks;
}

const random = new Random(9);
const TASKS: readonly Task[] = [0, 1].flatMap((queue) =>
  [0, 48, 4096, 70_000].flatMap((length) => tasksOf(random, length, queue))
);

/** Runs all tasks at a time, on two queues. */
async function exercise(
  driver: CryptoDriver,
  stateless: boolean,
): Promise<void> {
  assertEquals(driver.dataQueues, 2);
  await Promise.all(TASKS.map(async ({ what, expected, run }) => {
    const found = await run(driver, stateless);
    // Faster than a comparison that would print 70,000 bytes.
    assert(found.toHex() === expected.toHex(), what);
  }));
}

/** Attaches twice: with joined descriptors, and with one for each field. */
async function exerciseBoth(
  connect: () => Promise<Transport>,
  stateless: boolean,
): Promise<void> {
  for (const descriptors of ["joined", "fields"] as const) {
    await using driver = await CryptoDriver.attach(await connect(), {
      descriptors,
    });
    await exercise(driver, stateless);
  }
}

for (const { name, spec, features, stateless } of LAYOUTS) {
  Deno.test(`A device without workers serves ${name}`, async () => {
    await exerciseBoth(
      () =>
        Promise.resolve(new InProcessDevice({ workers: 0, spec, features })),
      stateless,
    );
  });

  Deno.test(`A device with workers serves ${name}`, async () => {
    await exerciseBoth(() => {
      const device = new InProcessDevice({ spec, features });
      assertEquals(device.workers, 2);
      return Promise.resolve(device);
    }, stateless);
  });
}

for (const spec of ["v15", "1.4"] as const) {
  Deno.test(`A server of ${spec} serves each layout of that document`, async () => {
    await using server = new TestServer(spec);
    for (const { features, stateless, ...layout } of LAYOUTS) {
      if (layout.spec !== spec) continue;
      await exerciseBoth(async () => {
        const connection = await VhostUserTransport.connect(server.path, {
          features,
        });
        assertEquals(connection.features, features, layout.name);
        return connection;
      }, stateless);
    }
  });

  Deno.test(`A cryptodev of a server of ${spec} serves ciphers and chains, legacy`, async () => {
    await using server = new TestServer(spec);
    const transport = await VhostUserTransport.connect(server.path, {
      mode: "cryptodev",
    });
    await using driver = await CryptoDriver.attach(transport);
    assertEquals(driver.layout, "legacy");
    const random = new Random(10);
    for (const authKey of [random.bytes(64), undefined]) {
      const chain = {
        cipher: "aes-cbc",
        cipherKey: random.bytes(32),
        hash: authKey ? "hmac-sha512" : "sha1",
        authKey,
        order: "cipher-then-hash",
        data: random.bytes(100),
        iv: random.bytes(16),
        aad: random.bytes(3),
        cipherStart: 10,
        cipherLength: 80,
        hashStart: 5,
        hashLength: 90,
        resultLength: 20,
      } as const;
      const options = {
        service: "chain",
        cipher: {
          algorithm: chain.cipher,
          key: chain.cipherKey,
          direction: "encrypt",
        },
        hash: {
          algorithm: chain.hash,
          resultLength: 20,
          ...authKey && { key: authKey },
        },
        order: chain.order,
      } as const;
      const { data, digest } = chainReference(chain);
      const found = await performChain(driver, false, options, chain);
      assertEquals(found.data, Uint8Array.from(data));
      assertEquals(found.digest, Uint8Array.from(digest));
      const short = { ...options.cipher, key: new Uint8Array(15) };
      await assertStatus(
        () => driver.createSession({ ...options, cipher: short }),
        "ERR",
      );
    }
  });
}

function includes(memory: GuestMemory, bytes: Uint8Array): boolean {
  const all = memory.bytes[0]!;
  for (let at = all.indexOf(bytes[0]!); at >= 0;) {
    if (bytes.every((byte, i) => all[at + i] === byte)) return true;
    at = all.indexOf(bytes[0]!, at + 1);
  }
  return false;
}

for (const { name, stateless, ...layout } of LAYOUTS) {
  Deno.test(`No key stays in guest memory or with the driver, ${name}`, async () => {
    const small = { memorySize: 1 << 20 };
    await using driver = await attach(layout, small);
    const random = new Random(11);
    const [key, authKey] = [random.bytes(32), random.bytes(200)];
    const [data, iv] = [random.bytes(64), random.bytes(16)];
    const chain = {
      service: "chain",
      cipher: { algorithm: "aes-cbc", key, direction: "encrypt" },
      hash: { algorithm: "hmac-md5", key: authKey },
      order: "hash-then-cipher",
    } as const;
    const result = await performChain(driver, stateless, chain, { data, iv });
    assert(includes(driver.memory, result.data), "What is no secret stays");
    await assertStatus(
      () => performChain(driver, stateless, chain, { data, iv, hashStart: 65 }),
      "ERR",
    );
    for (const secret of [key, authKey]) {
      for (let at = 0; at < secret.length; at += 8) {
        assert(!includes(driver.memory, secret.subarray(at, at + 8)));
      }
    }
    assertEquals([key[0], authKey[0]], [
      new Random(11).bytes(1)[0],
      authKey[0],
    ]);
  });
}
