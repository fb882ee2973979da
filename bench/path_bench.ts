/**
 * The whole path for AES-128-CBC: ring, decoding,
 * session lookup, engine, status and back.
 *
 * - in process, on this thread: a bare queue under a load of prepared requests,
 *   with each engine; what is measured is the device alone
 * - through a socket: a server, memory shared by file, kicks by eventfd, the
 *   queues served by their workers and the driver on this thread
 * - the built-in driver, which makes each request and copies its result
 *
 * The baseline is the primitive called as often: libcrypto's EVP, or `@noble`
 * where libcrypto is missing.
 *
 * @module
 */

import { CryptoDriver, InProcessDevice } from "../mod.ts";
import { evpPrimitive } from "./primitives/evp.ts";
import { noblePrimitive } from "./primitives/noble.ts";
import { availableEngines } from "./support/engine_jobs.ts";
import { LocalDevice } from "./support/local_device.ts";
import { checkResult, operationOf, sizeName } from "./support/operations.ts";
import {
  SocketDevice,
  type SocketDeviceOptions,
} from "./support/socket_device.ts";

const SIZES = [64, 1024, 16384];
/** Requests of an iteration. */
const REQUESTS = 64;
const DEPTHS = [1, REQUESTS];
const QUEUES = [1, 2, 4];
/** More queues than this are measured at one size only: each has a worker. */
const MOST_QUEUES = 2;
const MANY_QUEUES_SIZE = 1024;
/** Longer than any pause between iterations, shorter than between benches. */
const POLL_US = 1000;

const engines = availableEngines().map(({ name }) => name);

/** Iterations, so that each bench takes about as long as the others. */
function iterations(size: number): { n: number; warmup: number } {
  const n = size > 4096 ? 50 : 400;
  return { n, warmup: n / 10 };
}

function registerBaseline(group: string, size: number): void {
  const operation = operationOf("aes-cbc", size);
  const primitive = evpPrimitive(operation, REQUESTS) ??
    noblePrimitive(operation, REQUESTS)!;
  primitive.run();
  checkResult(group, primitive.result(0), operation);
  Deno.bench({
    name: `${primitive.name} itself, ${sizeName(size)}`,
    group,
    baseline: true,
    ...iterations(size),
    fn: () => primitive.run(),
  });
}

for (const size of SIZES) {
  const operation = operationOf("aes-cbc", size);
  for (const depth of DEPTHS) {
    const group = `in process, ${REQUESTS} requests of ${
      sizeName(size)
    }, depth ${depth}`;
    registerBaseline(group, size);
    for (const engine of engines) {
      for (const format of ["split", "packed"] as const) {
        if (format === "packed" && engine !== "auto") continue;
        const device = new LocalDevice(operation, { engine, format });
        device.verify(group);
        Deno.bench({
          name: `${engine}, ${format} ring, ${sizeName(size)}`,
          group,
          ...iterations(size),
          fn() {
            for (let i = 0; i < REQUESTS; i += depth) device.serve(depth);
          },
        });
      }
    }
  }
}

const queueCount = (n: number) => n === 1 ? "1 queue" : `${n} queues`;
/** Who polls has a core for himself, or measures the scheduler. */
const mayPoll = (queues: number) =>
  queues === 1 || queues < navigator.hardwareConcurrency;

/** Servers by what their benches are called. */
const SERVERS: readonly (readonly [string, SocketDeviceOptions])[] = [
  ...QUEUES.filter(mayPoll).map((queues): [string, SocketDeviceOptions] => [
    `auto, ${queueCount(queues)}, polling`,
    { queues, pollUs: POLL_US },
  ]),
  ["auto, 1 queue, packed ring, polling", {
    pollUs: POLL_US,
    format: "packed",
  }],
  ...QUEUES.map((queues): [string, SocketDeviceOptions] => [
    `auto, ${queueCount(queues)}, sleeping`,
    { queues, signals: true },
  ]),
];

for (const size of SIZES) {
  const operation = operationOf("aes-cbc", size);
  const groupOf = (depth: number) =>
    `by a socket, ${REQUESTS} requests of ${sizeName(size)}, depth ${depth}`;
  for (const depth of DEPTHS) registerBaseline(groupOf(depth), size);
  for (const [name, options] of SERVERS) {
    const { queues = 1, signals = false } = options;
    if (queues > MOST_QUEUES && size !== MANY_QUEUES_SIZE) continue;
    const device = await SocketDevice.start(operation, options);
    device.verify(name);
    for (const depth of queues === 1 ? DEPTHS : [REQUESTS]) {
      const each = depth / queues;
      const rounds = REQUESTS / depth;
      Deno.bench({
        name: `${name}, ${sizeName(size)}`,
        group: groupOf(depth),
        n: 100,
        // Until the server before this one sleeps.
        warmup: 100,
        fn() {
          for (let i = 0; i < rounds; i++) {
            if (signals) device.serveAsleep(each);
            else device.serve(each);
          }
        },
      });
    }
  }
}

{
  const size = 1024;
  const operation = operationOf("aes-cbc", size);
  const group = `built-in driver, ${REQUESTS} requests of ${sizeName(size)}`;
  registerBaseline(group, size);
  for (const workers of [0, 1]) {
    const served = workers === 0 ? "this thread" : "a worker";
    Deno.bench({
      name: `the device on ${served}, ${sizeName(size)}`,
      group,
      n: 50,
      warmup: 5,
      async fn(bench) {
        await using driver = await CryptoDriver.attach(
          new InProcessDevice({ queues: 1, workers }),
        );
        const session = await driver.createSession({
          service: "cipher",
          algorithm: "aes-cbc",
          key: operation.key,
          direction: "encrypt",
        });
        const input = { iv: operation.iv, data: operation.source };
        checkResult(group, await session.run(input), operation);
        bench.start();
        await Promise.all(
          Array.from({ length: REQUESTS }, () => session.run(input)),
        );
        bench.end();
      },
    });
  }
}
