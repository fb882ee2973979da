/**
 * Fuzzing of data requests, as sequences on devices that live on: nearly right
 * requests in every layout, against a device in this process. What must hold:
 * the request is answered; nothing outside its writable segments changes; the
 * used length is 0 or all of them; the status is one there is; with a failure
 * nothing else was written; and a good request still gets the right answer.
 *
 *     deno task fuzz [--seconds=N] [--seed=N]
 *
 * The seed is printed; with the same seed the same requests are made.
 */

import { parseArgs } from "@std/cli/parse-args";
import { CryptoDriver, InProcessDevice } from "../../mod.ts";
import type { Session } from "../../mod.ts";
import type { SpecName } from "../../device/spec/request_layout.ts";
import { SERVICE_ALGORITHMS } from "../../device/service/algorithms.ts";
import { Random } from "./random.ts";
import { FAMILIES, type FuzzSession, makeRequest } from "./request.ts";

/** What a segment that was not written holds. */
const UNWRITTEN = 0xa5;
const HIGHEST_STATUS = 5;
const GOOD_EVERY = 256;

/** One device, with what was negotiated and some sessions. */
interface Target {
  readonly name: string;
  readonly driver: CryptoDriver;
  readonly sessions: readonly FuzzSession[];
  readonly good: Session;
  readonly expected: Uint8Array;
}

const RING = 1n << 32n | 1n << 28n | 1n << 29n;
const CONFIGURATIONS: readonly [SpecName, bigint][] = [
  ["v15", RING],
  ["v15", RING | 0b11110n],
  ["1.4", RING | 0b1n],
  ["1.4", RING | 0b11111n],
];

async function openTarget(spec: SpecName, features: bigint): Promise<Target> {
  const device = new InProcessDevice({ workers: 0, spec, features });
  const driver = await CryptoDriver.attach(device);
  const opened: Session[] = [];
  for (const [, algorithm] of SERVICE_ALGORITHMS.flat()) {
    const { kind, name } = algorithm;
    const key = new Uint8Array(algorithm.key.max).fill(7);
    const resultLength = Math.min(algorithm.result.max, 64);
    for (const direction of ["encrypt", "decrypt"] as const) {
      if (kind === "cipher" || kind === "aead") {
        opened.push(
          await driver.createSession({
            service: kind,
            algorithm: name as "aes-gcm",
            key,
            direction,
          }),
        );
      } else if (direction === "encrypt") {
        opened.push(
          await driver.createSession({
            service: kind,
            algorithm: name as "hmac-sha1",
            key,
            resultLength,
          }),
        );
      }
    }
  }
  const sessions = opened.map(({ id, opcode }) => ({ id, opcode }));
  sessions.push({ id: 0n, opcode: 0 }, { id: 2n ** 63n, opcode: 0x300 });
  const good = await driver.createSession({
    service: "cipher",
    algorithm: "aes-cbc",
    key: new Uint8Array(16),
    direction: "encrypt",
  });
  const expected = await good.run(GOOD);
  const name = `${spec} with features 0x${features.toString(16)}`;
  return { name, driver, sessions, good, expected };
}

const GOOD = { iv: new Uint8Array(16), data: new Uint8Array(48) };

/** What is wrong with an answer; undefined for nothing. */
function judge(
  usedLength: number,
  bytes: Uint8Array,
  intact: boolean,
): string | undefined {
  if (!intact) return "wrote outside its buffers";
  if (bytes.length === 0) {
    return usedLength === 0 ? undefined : `used length ${usedLength} of 0`;
  }
  if (usedLength !== bytes.length) {
    return `used length ${usedLength} of ${bytes.length}`;
  }
  const status = bytes[bytes.length - 1]!;
  if (status > HIGHEST_STATUS) return `status ${status}`;
  const rest = bytes.subarray(0, -1);
  if (status !== 0 && rest.some((byte) => byte !== UNWRITTEN)) {
    return `wrote more than status ${status}`;
  }
  return undefined;
}

const args = parseArgs(Deno.args, { string: ["seconds", "seed"] });
const seconds = Number(args.seconds ?? 60);
const seed = Number(args.seed ?? Date.now() % 1_000_000);
console.log(`seed ${seed}, ${seconds} s`);

const targets: Target[] = [];
for (const [spec, features] of CONFIGURATIONS) {
  targets.push(await openTarget(spec, features));
}
const start = performance.now();
let reported = start;
let executions = 0;
let served = 0;
let findings = 0;
while (performance.now() - start < seconds * 1000 && findings === 0) {
  const random = new Random(seed + executions);
  const target = random.pick(targets);
  const request = makeRequest(random.pick(FAMILIES), target.sessions, random);
  const { readable, writable } = request;
  const { usedLength, bytes, intact } = await target.driver.submitRaw(
    random.below(target.driver.dataQueues),
    readable,
    writable,
    { indirect: random.oneIn(2) },
  );
  let wrong = judge(usedLength, bytes, intact);
  if (bytes.length > 0 && bytes[bytes.length - 1] === 0) served++;
  if (executions % GOOD_EVERY === 0) {
    const result = await target.good.run(GOOD);
    if (!result.every((byte, i) => byte === target.expected[i])) {
      wrong = "a good request afterwards got a wrong result";
    }
  }
  executions++;
  if (wrong !== undefined) {
    findings++;
    console.error(
      `seed ${seed}, execution ${
        executions - 1
      }, ${target.name}, ${request.what}: ${wrong}`,
    );
    console.error(readable.map((part) => part.toHex()).join(" | "));
  }
  if (performance.now() - reported > 5000) {
    reported = performance.now();
    const rate = executions / (reported - start) * 1000;
    console.log(`${executions} executions, ${rate.toFixed(0)} a second`);
  }
}
for (const { driver } of targets) await driver.close();
console.log(
  `${executions} executions, ${served} of them served, ${findings} findings`,
);
Deno.exit(findings === 0 ? 0 : 1);
