import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InProcessDevice } from "../../device/in_process.ts";
import { decodeConfig } from "../../device/spec/config.ts";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { algorithmOf } from "../../device/service/algorithms.ts";
import { goodCreation, sessionOf } from "../decode/requests.ts";
import { Bench, ERR, NOTSUPP, OK, patched } from "./bench.ts";

/** Where each service's creation has its algorithm, and a session of it. */
const CREATIONS = [
  { name: "aes-cbc", algo: 16 },
  { name: "sha256", algo: 16 },
  { name: "hmac-sha1", algo: 16 },
  { name: "aes-gcm", algo: 16 },
] as const;

Deno.test("Data queues are numbered from 0 and the control queue is behind the last", async () => {
  await using bench = await Bench.open({ queues: 3 });
  assertEquals(decodeConfig(bench.device.config).maxDataqueues, 3);
  for (let queue = 0; queue < 3; queue++) {
    const { bytes, writable } = await bench.request("sha256", "session mode");
    assertEquals((await bench.data(bytes, writable, queue)).status, OK);
    const creation = goodCreation(sessionOf("sha256"), false);
    assertEquals((await bench.data(creation, 16, queue)).status, NOTSUPP);
  }
  const ring = bench.driver.ring("control");
  await assertRejects(() => bench.device.startQueue(4, ring), RangeError);
});

Deno.test("Each service's session mode has a feature bit of its own", async () => {
  const names = ["aes-cbc", "sha256", "hmac-sha1", "aes-gcm"];
  for (let service = 0; service < 4; service++) {
    await using bench = await Bench.open({ features: 2n << BigInt(service) });
    for (const [other, name] of names.entries()) {
      const { bytes, writable } = await bench.request(name, "session mode");
      const { status } = await bench.data(bytes, writable);
      assertEquals(status, other === service ? OK : ERR, `${service} ${name}`);
      const without = await bench.request(name, "non-session mode");
      assertEquals(
        (await bench.data(without.bytes, without.writable)).status,
        OK,
      );
    }
  }
});

Deno.test("status says HW_READY and nothing else, and then requests are served", async () => {
  await using bench = await Bench.open();
  assertEquals(decodeConfig(bench.device.config).status, 1);
  const { bytes, writable } = await bench.request("aes-cbc", "session mode");
  assertEquals((await bench.data(bytes, writable)).status, OK);
});

Deno.test("The configuration space is the same before and after requests", async () => {
  await using bench = await Bench.open();
  const before = bench.device.config.slice();
  await bench.create("aes-cbc");
  const { bytes, writable } = await bench.request("sha256", "session mode");
  await bench.data(bytes, writable);
  assertEquals(bench.device.config, before);
});

Deno.test("max_dataqueues is the number of data queues, and one that cannot be is refused", () => {
  for (const queues of [1, 2, 255]) {
    const device = new InProcessDevice({ workers: 0, queues });
    assertEquals(decodeConfig(device.config).maxDataqueues, queues);
  }
  for (const queues of [0, 65536]) {
    assertThrows(() => new InProcessDevice({ workers: 0, queues }), RangeError);
  }
});

Deno.test("Algorithms whose mask bit is set can be asked for, and no other number can", async () => {
  await using bench = await Bench.open();
  const config = decodeConfig(bench.device.config);
  const masks = [
    [config.cipherAlgoL, config.cipherAlgoH],
    [config.hashAlgo, 0],
    [config.macAlgoL, config.macAlgoH],
    [config.aeadAlgo, 0],
  ];
  let offered = 0;
  for (const [service, { name, algo }] of CREATIONS.entries()) {
    const bytes = goodCreation(sessionOf(name), false);
    for (let number = 0; number < 66; number++) {
      const bit = number < 64 &&
        (masks[service]![number >> 5]! >>> (number & 31) & 1) === 1;
      const { status } = await bench.control(
        patched(bytes, { [algo]: number }),
      );
      assertEquals(status !== NOTSUPP, bit, `${name} ${number}: ${status}`);
      if (bit) offered++;
    }
  }
  // Everything the document names.
  assertEquals(offered, Object.keys(ALGORITHMS).length);
});

Deno.test("crypto_services has the services of which an algorithm is offered", () => {
  const device = new InProcessDevice({ workers: 0 });
  const config = decodeConfig(device.config);
  const has = [
    config.cipherAlgoL | config.cipherAlgoH,
    config.hashAlgo,
    config.macAlgoL | config.macAlgoH,
    config.aeadAlgo,
  ].map((mask) => mask !== 0);
  for (let service = 0; service < 32; service++) {
    const bit = (config.cryptoServices >>> service & 1) === 1;
    assertEquals(bit, has[service] ?? false, `${service}`);
  }
});

Deno.test("Content of max_size is served, and one byte more is refused", async () => {
  // sha256: 48 bytes of source and 32 of digest.
  for (const [maxSize, expected] of [[80, OK], [79, ERR]] as const) {
    await using bench = await Bench.open({ maxSize });
    assertEquals(decodeConfig(bench.device.config).maxSize, maxSize);
    const { bytes, writable } = await bench.request("sha256", "session mode");
    assertEquals((await bench.data(bytes, writable)).status, expected);
  }
});

/** Creates a session of an algorithm with a key of some length. */
async function statusOfKey(
  bench: Bench,
  service: number,
  number: number,
  length: number,
): Promise<number> {
  const { name } = CREATIONS[service]!;
  const fixed = goodCreation(
    { ...sessionOf(name), keyLength: length, algorithm: number },
    false,
  );
  const digest = algorithmOf(service, number)!.result.max;
  const bytes = service === 2 ? patched(fixed, { 20: digest }) : fixed;
  return (await bench.control(bytes)).status;
}

Deno.test("max_cipher_key_len is the longest cipher key that is accepted", async () => {
  await using bench = await Bench.open();
  const { maxCipherKeyLen } = decodeConfig(bench.device.config);
  let longest = 0;
  for (const service of [0, 3]) {
    for (let number = 1; number < 64; number++) {
      const algorithm = algorithmOf(service, number);
      if (algorithm === undefined) continue;
      longest = Math.max(longest, algorithm.key.max);
      const over = maxCipherKeyLen + 1;
      assertEquals(await statusOfKey(bench, service, number, over), ERR);
      const { max } = algorithm.key;
      assertEquals(await statusOfKey(bench, service, number, max), OK);
    }
  }
  assertEquals(maxCipherKeyLen, longest);
});

Deno.test("max_auth_key_len is the longest MAC key that is accepted", async () => {
  await using bench = await Bench.open();
  const { maxAuthKeyLen } = decodeConfig(bench.device.config);
  assertEquals(maxAuthKeyLen, 512);
  let accepted = 0;
  for (let number = 1; number < 64; number++) {
    if (algorithmOf(2, number) === undefined) continue;
    assertEquals(await statusOfKey(bench, 2, number, maxAuthKeyLen + 1), ERR);
    if (await statusOfKey(bench, 2, number, maxAuthKeyLen) === OK) accepted++;
  }
  assert(accepted > 0);
});
