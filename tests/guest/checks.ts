// What a guest must show, whichever frontend carries the device to it. Each function checks one thing on a guest that
// runs, and throws where it does not hold.

import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  ALL_CASES,
  type CaseTable,
  LONGEST_CASE,
  ONE_CASE,
  PUBLISHED_CASES,
  TOO_LONG_CASE,
} from "./cases.ts";
import type { Guest } from "./qemu.ts";

/** The driver under test, and the two ciphers of the guest's own kernel that it is compared with. */
export const DEVICE_DRIVER = "virtio_crypto_aes_cbc";
const KERNEL_DRIVERS = ["cbc(aes-generic)", "cbc-aes-aesni"];

const quoted = (words: string[]): string =>
  words.map((word) => `'${word}'`).join(" ");

/** Loads the driver and checks that it found the device with its queues. */
export async function probe(
  guest: Guest,
  queues: number,
  config?: RegExp,
): Promise<void> {
  await guest.output("dmesg -c >/dev/null; insmod /modules/virtio_crypto.ko");
  const log = await guest.output("dmesg");
  assertMatch(log, new RegExp(`virtio_crypto .*max_queues: ${queues},`));
  if (config !== undefined) assertMatch(log, config);
  assertMatch(log, /virtio_crypto .*Accelerator device is ready/);
  const devices = await guest.output(
    "ls -1 /sys/bus/virtio/drivers/virtio_crypto",
  );
  assertMatch(devices, /^virtio\d+$/m);
}

/** Feature bits of the rings by their names, as far as they are looked at. */
const RING_FEATURES = {
  indirect: 28,
  "event-index": 29,
  packed: 34,
  "in-order": 35,
} as const;

export type RingFeature = keyof typeof RING_FEATURES;

/** Checks by the guest's own account which features of the rings its driver took. */
export async function negotiated(
  guest: Guest,
  expected: readonly RingFeature[],
): Promise<void> {
  // One digit a bit, bit 0 first.
  const bits = await guest.output(
    "cat /sys/bus/virtio/drivers/virtio_crypto/virtio*/features",
  );
  assertMatch(bits, /^[01]{64,}$/);
  const taken = Object.entries(RING_FEATURES)
    .filter(([, bit]) => bits[bit] === "1").map(([name]) => name);
  assertEquals<string[]>(taken, [...expected]);
}

/** Waits for the end of the kernel's own test of the cipher, and checks that it passed. */
export async function selfTest(guest: Guest): Promise<void> {
  // An entry of the list is a paragraph; the test's result is unknown while it runs.
  await guest.run(
    `for i in $(seq 100); do awk -v RS= '/driver *: ${DEVICE_DRIVER}\\n/' ` +
      "/proc/crypto >/tmp/entry; " +
      "grep -q passed /tmp/entry && break; sleep 0.1; done",
  );
  const entry = await guest.output("cat /tmp/entry");
  assertMatch(entry, /^name +: cbc\(aes\)$/m);
  assertMatch(entry, new RegExp(`^driver +: ${DEVICE_DRIVER}$`, "m"));
  assertMatch(entry, /^selftest +: passed$/m);
  // A test that fails is reported here.
  const log = await guest.output("dmesg");
  const failure = new RegExp(`alg: .*${DEVICE_DRIVER}`);
  assertEquals(log.split("\n").filter((line) => failure.test(line)), []);
}

/**
 * Checks by QEMU's own view that the data queues and the control queue after them have been set up. The guest is
 * stopped meanwhile: of a backend that runs, QEMU would ask the index by a message that stops the ring, or crash.
 */
export async function queuesAreSetUp(
  guest: Guest,
  queues: number,
): Promise<void> {
  const devices = await guest.qmp("x-query-virtio") as { path: string }[];
  assertEquals(devices.length, 1);
  await guest.qmp("stop");
  for (let queue = 0; queue <= queues; queue++) {
    const status = await guest.qmp("x-query-virtio-queue-status", {
      path: devices[0]!.path,
      queue,
    }) as Record<string, number>;
    assert(
      status["vring-num"]! > 0 && status["vring-desc"]! > 0,
      `queue ${queue} is not set up: ${JSON.stringify(status)}`,
    );
  }
  await guest.qmp("cont");
}

function assertAllOk(
  output: string,
  table: CaseTable,
  drivers: string[],
): void {
  const lines = output.split("\n");
  assertEquals(lines.filter((line) => !line.endsWith(" ok")), []);
  assertEquals(
    lines,
    table.labels.flatMap((label) =>
      drivers.map((driver) => `${label} ${driver} ok`)
    ),
  );
}

/** Encrypts and decrypts every case of a table by the device and by the kernel, all against the same answer. */
async function compare(guest: Guest, table: CaseTable): Promise<void> {
  const drivers = [DEVICE_DRIVER, ...KERNEL_DRIVERS];
  const { output } = await guest.run(
    `afalg compare ${table.path} ${quoted(drivers)}`,
    120_000,
  );
  assertAllOk(output, table, drivers);
}

export async function publishedVectors(guest: Guest): Promise<void> {
  await compare(guest, PUBLISHED_CASES);
}

export async function allCases(guest: Guest): Promise<void> {
  await compare(guest, ALL_CASES);
}

/** One request of half a mebibyte: a table many times as long as the ring. */
export async function longestRequest(guest: Guest): Promise<void> {
  await compare(guest, LONGEST_CASE);
}

/** A request that is longer is refused, with an error and not with a wrong answer, and the next is served. */
export async function tooLongRequest(guest: Guest): Promise<void> {
  const { output } = await guest.run(
    `afalg compare ${TOO_LONG_CASE.path} ${DEVICE_DRIVER}`,
  );
  assertMatch(output, / (ok|receive: (Invalid argument|Input\/output error))$/);
  await publishedVectors(guest);
}

/** Runs the whole table in several processes at once: many sessions live, and requests of different keys mixed. */
export async function atTheSameTime(
  guest: Guest,
  processes: number,
): Promise<void> {
  const numbers = Array.from({ length: processes }, (_, i) => i);
  const each = numbers.map((i) =>
    `afalg compare ${ALL_CASES.path} ${DEVICE_DRIVER} >/tmp/process.${i} &`
  );
  await guest.output(`${each.join(" ")} wait`, 180_000);
  for (const i of numbers) {
    const output = await guest.output(`cat /tmp/process.${i}`);
    assertAllOk(output, ALL_CASES, [
      DEVICE_DRIVER,
    ]);
  }
}

/** Removes the driver, which resets the device, and loads it again. */
export async function reload(guest: Guest, queues: number): Promise<void> {
  await guest.output("rmmod virtio_crypto");
  const { output } = await guest.run(`grep -c ${DEVICE_DRIVER} /proc/crypto`);
  assertEquals(output, "0");
  await worksFromProbe(guest, queues);
}

/** Probe, self-test and vectors again: for a guest that has begun anew. */
export async function worksFromProbe(
  guest: Guest,
  queues: number,
): Promise<void> {
  await probe(guest, queues);
  await selfTest(guest);
  await publishedVectors(guest);
}

/** Stops and continues the guest while it works on one session, which must go on each time. */
export async function stopAndContinue(
  guest: Guest,
  times: number,
): Promise<void> {
  const progress = async () => Number(await guest.output("cat /tmp/progress"));
  await startSoak(guest);
  for (let i = 0; i < times; i++) {
    await guest.qmp("stop");
    await new Promise((resolve) => setTimeout(resolve, 50 * i));
    await guest.qmp("cont");
    const before = await progress();
    await guest.output("sleep 0.3");
    const after = await progress();
    assert(after > before, `the guest stands still after round ${after}`);
  }
  await guest.output("kill $(pidof afalg); while pidof afalg; do :; done");
  const output = await guest.output("cat /tmp/soak");
  assertEquals(output, `${ONE_CASE.labels[0]} ${DEVICE_DRIVER} ok`);
}

/** Starts work that does not end by itself, and waits until it is under way. */
export async function startSoak(guest: Guest): Promise<void> {
  await guest.output(
    "rm -f /tmp/progress; " +
      `afalg soak ${ONE_CASE.path} ${DEVICE_DRIVER} /tmp/progress ` +
      ">/tmp/soak 2>&1 & while ! [ -s /tmp/progress ]; do sleep 0.1; done",
  );
}

/** Checks that the kernel complained about nothing: a hung task, a warning, a lost interrupt. */
export function consoleIsClean(guest: Guest): void {
  const complaints = guest.console().split("\n").filter((line) =>
    /\bBUG:|\bWARNING:|\bOops\b|Call Trace|Kernel panic|blocked for more|virtio_crypto.*([Ff]ail|[Ee]rror)/
      .test(line)
  );
  assertEquals(complaints, []);
}
