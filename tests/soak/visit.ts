/**
 * One stay of a frontend at the server: sessions come and go on all queues,
 * and every result is verified.
 *
 * @module
 */

import { CryptoDriver } from "../../device/driver/driver.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import type { Random } from "../engine/random.ts";
import type { Case } from "./cases.ts";

const VERSION_1 = 1n << 32n;
/** INDIRECT_DESC, EVENT_IDX, RING_PACKED, IN_ORDER. */
const RING_FEATURES = [1n << 28n, 1n << 29n, 1n << 34n, 1n << 35n];

/** Sessions in use at a time. */
const TASKS = 12;

/** Bytes of the request whose latency is measured. */
const PROBE = 64;
const PROBE_PAUSE_MS = 5;

/** What a stay counts. */
export interface Tally {
  requests: number;
  bytes: number;
  sessions: number;
  /** Times from request to result of small requests amid the load, in µs. */
  latencies: number[];
  /** What went wrong. */
  readonly violations: string[];
}

/** How a stay ends. */
const ENDS = ["closed", "hung up", "reset"] as const;

function differs(a: Uint8Array, b: Uint8Array): boolean {
  return a.length !== b.length || a.some((byte, i) => byte !== b[i]);
}

/** A stay. */
class Visit {
  readonly #driver: CryptoDriver;
  readonly #cases: readonly Case[];
  readonly #random: Random;
  readonly #tally: Tally;
  /** From now on the backend may be gone. */
  ending = false;

  constructor(
    driver: CryptoDriver,
    cases: readonly Case[],
    random: Random,
    tally: Tally,
  ) {
    this.#driver = driver;
    this.#cases = cases;
    this.#random = random;
    this.#tally = tally;
  }

  /** Does one thing again and again, until the end or the first error. */
  async repeat(what: string, once: () => Promise<void>): Promise<void> {
    while (!this.ending) {
      try {
        await once();
      } catch (error) {
        // What was under way when the frontend left has no answer.
        if (this.ending) return;
        this.#tally.violations.push(`${what}: ${error}`);
        this.ending = true;
      }
    }
  }

  /** A session's whole life. */
  async session(): Promise<void> {
    const random = this.#random;
    const tally = this.#tally;
    const { algorithm, options, inputs } = this.#cases[
      random.below(this.#cases.length)
    ]!;
    const session = await this.#driver.createSession(options);
    tally.sessions++;
    for (let left = 1 + random.below(4); left > 0 && !this.ending; left--) {
      const { data, iv, aad, expected } = inputs[random.below(inputs.length)]!;
      const count = 1 + random.below(8);
      const queue = random.below(this.#driver.dataQueues);
      const results = await Promise.all(
        Array.from(
          { length: count },
          () => session.run({ data, iv, aad, queue }),
        ),
      );
      tally.requests += count;
      tally.bytes += count * data.length;
      if (results.some((result) => differs(result, expected))) {
        tally.violations.push(
          `${algorithm.name}, ${data.length} bytes: a result is wrong`,
        );
      }
    }
    // Some stay until the end.
    if (random.below(8) > 0) await session.destroy();
  }

  /** Measures how long a small request takes. */
  async probe(): Promise<void> {
    const session = await this.#driver.createSession({
      service: "cipher",
      algorithm: "aes-cbc",
      key: new Uint8Array(16),
      direction: "encrypt",
    });
    const data = new Uint8Array(PROBE);
    const iv = new Uint8Array(16);
    while (!this.ending) {
      const start = performance.now();
      await session.run({ data, iv });
      this.#tally.latencies.push(1000 * (performance.now() - start));
      await new Promise((resolve) => setTimeout(resolve, PROBE_PAUSE_MS));
    }
  }
}

/**
 * Stays for a while.
 *
 * @param path the server's socket
 * @param cases what to work on
 * @param random a generator
 * @param ms how long, in milliseconds
 * @param tally where to count
 * @param cryptodev whether sessions are made by message; left out: by chance
 */
export async function visit(
  path: string,
  cases: readonly Case[],
  random: Random,
  ms: number,
  tally: Tally,
  cryptodev: boolean = random.below(3) === 0,
): Promise<void> {
  const features = RING_FEATURES.filter(() => random.below(2) === 0)
    .reduce((sum, feature) => sum | feature, VERSION_1);
  const transport = await VhostUserTransport.connect(path, {
    mode: cryptodev ? "cryptodev" : "device",
    ...(cryptodev ? {} : { features }),
    memory: [{ guestAddress: 0x4000_0000, size: 32 << 20 }],
    // Longer than any machine is busy with other things.
    timeoutMs: 60_000,
  });
  const driver = await CryptoDriver.attach(transport);
  const offered = cases.filter(({ algorithm: { kind, name, key } }) =>
    cryptodev
      // Its messages make sessions of ciphers only.
      ? kind === "cipher" && key.min <= 64
      : driver.offers(kind, name as "sha1")
  );
  const stay = new Visit(driver, offered, random, tally);
  const tasks = [
    stay.repeat("probe", () => stay.probe()),
    ...Array.from(
      { length: TASKS },
      () => stay.repeat("session", () => stay.session()),
    ),
  ];
  const end = performance.now() + ms;
  while (performance.now() < end && !stay.ending) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  stay.ending = true;
  switch (ENDS[random.below(ENDS.length)]!) {
    case "closed":
      await Promise.all(tasks);
      break;
    case "hung up":
      await transport.close();
      break;
    case "reset":
      await transport.frontend.resetDevice();
      break;
  }
  await driver.close();
  await Promise.all(tasks);
}
