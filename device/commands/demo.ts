/**
 * The `demo` command: the main job without a virtual machine. It serves a
 * device on a temporary socket, attaches the built-in driver to that socket as
 * a vhost-user frontend does, with shared memory and eventfds, and runs every
 * offered algorithm on every data queue.
 *
 * @module
 */

import { createCipheriv, createHmac } from "node:crypto";
import { CryptoDriver } from "../driver/driver.ts";
import type { Session } from "../driver/session.ts";
import { VhostUserTransport } from "../driver/vhost_user_transport.ts";
import { consoleLog } from "../log.ts";
import { VhostUserServer } from "../vhost_user/server.ts";
import { DEMO_VECTORS, type DemoVector } from "./demo_vectors.ts";
import { computeElsewhere } from "./second_implementation.ts";
import { manualPage } from "./manual.ts";
import { DEMO_MANUAL } from "./manuals/demo.ts";
import { integerOption, readArguments } from "./usage.ts";

/** Bytes of a request whose throughput is measured. */
const BULK_SIZE = 16 * 1024;
/** Such requests a queue. */
const BULK_COUNT = 32;
/** Times a vector is run where nothing longer can be verified. */
const REPEATS = 256;

/** What became of one algorithm. */
interface Row {
  readonly service: string;
  readonly algorithm: string;
  readonly checkedAgainst: string;
  readonly bytes: number;
  readonly milliseconds: number;
  /** What went wrong, if something did. */
  readonly wrong: string | undefined;
}

/** A vector as bytes. */
interface Case {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly aad: Uint8Array;
  readonly source: Uint8Array;
  readonly result: Uint8Array;
}

function fromHex(text = ""): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Bytes that look random and are the same every time. */
function pattern(length: number): Uint8Array {
  let state = 0x9e3779b9;
  return Uint8Array.from({ length }, () => {
    state = Math.imul(state ^ state >>> 15, 0x2c1b3c6d) + 0x6d2b79f5 | 0;
    return state >>> 24;
  });
}

async function openSession(
  driver: CryptoDriver,
  { service, algorithm }: DemoVector,
  { key, source, result }: Case,
  direction: "encrypt" | "decrypt",
): Promise<Session> {
  switch (service) {
    case "cipher":
      return await driver.createSession({ service, algorithm, key, direction });
    case "hash": {
      const resultLength = result.length;
      return await driver.createSession({ service, algorithm, resultLength });
    }
    case "mac": {
      const resultLength = result.length;
      return await driver.createSession({
        service,
        algorithm,
        key,
        resultLength,
      });
    }
    case "aead": {
      const tagLength = result.length - source.length;
      return await driver.createSession({
        service,
        algorithm,
        key,
        direction,
        tagLength,
      });
    }
  }
}

/** Runs one algorithm on every queue, and verifies every result. */
async function runVector(
  driver: CryptoDriver,
  vector: DemoVector,
): Promise<Row> {
  const given: Case = {
    key: fromHex(vector.key),
    iv: fromHex(vector.iv),
    aad: fromHex(vector.aad),
    source: fromHex(vector.source),
    result: fromHex(vector.result),
  };
  const { iv, aad, source, result } = given;
  const queues = Array.from({ length: driver.dataQueues }, (_, i) => i);
  const session = await openSession(driver, vector, given, "encrypt");
  const forth = (data: Uint8Array, queue: number) =>
    session.run({ data, iv, aad, queue });

  let wrong: string | undefined;
  for (const queue of queues) {
    if (!equal(await forth(source, queue), result)) {
      wrong = `queue ${queue}: not the published result`;
    }
  }
  if (vector.service === "cipher" || vector.service === "aead") {
    const inverse = await openSession(driver, vector, given, "decrypt");
    for (const queue of queues) {
      const data = result;
      if (!equal(await inverse.run({ data, iv, aad, queue }), source)) {
        wrong = `queue ${queue}: decryption does not give the plaintext back`;
      }
    }
    await inverse.destroy();
  }

  const bulk = pattern(BULK_SIZE);
  const elsewhere =
    vector.service === "aead" && result.length - source.length !== 16
      ? undefined
      : computeElsewhere({ ...given, vector, source: bulk });
  const data = elsewhere === undefined ? source : bulk;
  const expected = elsewhere ?? result;
  const count = elsewhere === undefined ? REPEATS : BULK_COUNT;
  const run = (times: number) =>
    Promise.all(
      queues.flatMap((queue) =>
        Array.from({ length: times }, () => forth(data, queue))
      ),
    );
  // A quarter first, for the workers' compilers to warm up.
  await run(count / 4);
  const start = performance.now();
  const results = await run(count);
  const milliseconds = performance.now() - start;
  if (!results.every((bytes) => equal(bytes, expected))) {
    wrong ??= "a result under load is wrong";
  }
  await session.destroy();
  return {
    service: vector.service,
    algorithm: vector.algorithm,
    checkedAgainst: elsewhere === undefined
      ? vector.origin
      : `${vector.origin}; node:crypto`,
    bytes: results.length * data.length,
    milliseconds,
    wrong,
  };
}

/** Runs a chain, encrypt then MAC, on every queue, and verifies each result. */
async function runChain(driver: CryptoDriver): Promise<Row> {
  const key = pattern(16);
  const authKey = pattern(32);
  const iv = pattern(16);
  const data = pattern(BULK_SIZE);
  const cipher = createCipheriv("aes-128-cbc", key, iv);
  cipher.setAutoPadding(false);
  const expected = cipher.update(data);
  const digest = createHmac("sha256", authKey).update(expected).digest();
  const session = await driver.createSession({
    service: "chain",
    cipher: { algorithm: "aes-cbc", key, direction: "encrypt" },
    hash: { algorithm: "hmac-sha256", key: authKey },
    order: "cipher-then-hash",
  });
  const start = performance.now();
  const results = await Promise.all(
    Array.from(
      { length: BULK_COUNT * driver.dataQueues },
      (_, i) => session.run({ data, iv, queue: i % driver.dataQueues }),
    ),
  );
  const milliseconds = performance.now() - start;
  await session.destroy();
  const right = results.every((result) =>
    equal(result.data, expected) && equal(result.digest, digest)
  );
  return {
    service: "cipher",
    algorithm: "aes-cbc, hmac-sha256",
    checkedAgainst: "node:crypto",
    bytes: results.length * data.length,
    milliseconds,
    wrong: right ? undefined : "a result is wrong",
  };
}

function printTable(rows: readonly Row[]): void {
  const lines = rows.map((row) => [
    row.service,
    row.algorithm,
    row.wrong ?? "OK",
    String(row.bytes),
    (row.bytes / 1000 / row.milliseconds).toFixed(1),
    row.checkedAgainst,
  ]);
  lines.unshift([
    "service",
    "algorithm",
    "status",
    "bytes",
    "MB/s",
    "checked against",
  ]);
  const widths = lines[0]!.map((_, column) =>
    Math.max(...lines.map((line) => line[column]!.length))
  );
  for (const line of lines) {
    const cells = line.map((cell, column) =>
      column === 3 || column === 4
        ? cell.padStart(widths[column]!)
        : cell.padEnd(widths[column]!)
    );
    console.log(cells.join("  ").trimEnd());
  }
}

/**
 * Runs the demonstration.
 *
 * @param args the arguments behind the command's name
 * @returns the process's exit status: 0 when every result was right
 * @throws {UsageError} The arguments are wrong
 */
export async function demo(args: readonly string[]): Promise<number> {
  const given = readArguments(args, DEMO_MANUAL.options);
  if (given.has("help")) {
    console.log(manualPage(DEMO_MANUAL));
    return 0;
  }
  const queues = integerOption("queues", given.one("queues"), 1, 16) ?? 2;
  const socketPath = `/tmp/virtio-crypto-demo-${Deno.pid}.sock`;
  const server = VhostUserServer.listen({
    socketPath,
    queues,
    log: consoleLog("warn"),
  });
  try {
    const transport = await VhostUserTransport.connect(socketPath);
    await using driver = await CryptoDriver.attach(transport);
    console.log(
      `Serving on ${socketPath} with ${driver.dataQueues} data queues, each by a worker of its own`,
    );
    console.log(
      "Attached as a vhost-user frontend: shared memory, split rings, eventfds\n",
    );
    const rows: Row[] = [];
    for (const vector of DEMO_VECTORS) {
      if (driver.offers(vector.service, vector.algorithm)) {
        rows.push(await runVector(driver, vector));
      }
    }
    rows.push(await runChain(driver));
    printTable(rows);
    const wrong = rows.filter((row) => row.wrong !== undefined).length;
    console.log(
      `\n${
        rows.length - wrong
      } right, ${wrong} wrong, on ${driver.dataQueues} data queues`,
    );
    return wrong === 0 && rows.length > 0 ? 0 : 1;
  } finally {
    await server.close();
  }
}
