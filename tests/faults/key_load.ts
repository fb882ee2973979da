/**
 * Sessions of every algorithm that a device offers, each with a key of its own,
 * used in every way that makes an engine prepare something.
 *
 * @module
 */

import type { CryptoDriver } from "../../device/driver/driver.ts";
import { CryptoStatusError } from "../../device/driver/errors.ts";
import type { ChainSession, Session } from "../../device/driver/session.ts";
import type { SessionOptions } from "../../device/driver/session_options.ts";
import {
  type Algorithm,
  ALGORITHMS,
  type Direction,
} from "../../device/engine/algorithm.ts";
import type { MarkedKeys } from "./marked_keys.ts";

/** Requests at the same time: enough for bursts of any algorithm. */
const BURST = 13;

/** Sizes of keys that are used of one algorithm. */
function keySizes({ name, key }: Algorithm): readonly number[] {
  // Longer than a block of the hash as well: those are hashed first.
  if (name.startsWith("hmac-")) return [40, 200];
  if (name === "arc4") return [16, 256];
  const { min, max, step = 1, also = [] } = key;
  const sizes: number[] = [];
  for (let size = min; size <= max; size += step) sizes.push(size);
  return [...sizes, ...also].filter((size) => size > 0);
}

function directionsOf({ kind }: Algorithm): readonly Direction[] {
  return kind === "mac" ? ["encrypt"] : ["encrypt", "decrypt"];
}

/** A length that is about as long as another and that an algorithm takes. */
function sourceOf({ block }: Algorithm, length: number): Uint8Array {
  return new Uint8Array(length - length % block);
}

/** Runs an operation that may be refused: a tag of zeros is wrong. */
async function run(operation: () => Promise<unknown>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    if (!(error instanceof CryptoStatusError)) throw error;
  }
}

async function create(
  driver: CryptoDriver,
  options: SessionOptions,
): Promise<Session | undefined> {
  try {
    return await driver.createSession(options);
  } catch (error) {
    if (error instanceof CryptoStatusError) return undefined;
    throw error;
  }
}

async function use(session: Session, algorithm: Algorithm): Promise<void> {
  const ivs = [algorithm.iv.min, ...algorithm.iv.also ?? []];
  for (const length of [96, 70_000]) {
    for (const size of ivs) {
      const data = sourceOf(algorithm, length);
      const iv = new Uint8Array(size);
      await run(() => session.run({ data, iv }));
      if (length > 96) continue;
      await Promise.all(
        Array.from(
          { length: BURST },
          (_, i) => run(() => session.run({ data, iv, queue: i % 2 })),
        ),
      );
    }
  }
}

/**
 * Creates sessions and uses them.
 *
 * @param driver a driver of a device with two data queues
 * @param keys makes their keys
 * @param every only each so many-th algorithm
 * @returns the sessions
 */
export async function useKeys(
  driver: CryptoDriver,
  keys: MarkedKeys,
  every = 1,
): Promise<(Session | ChainSession)[]> {
  const sessions: (Session | ChainSession)[] = [];
  const keyed = Object.values<Algorithm>(ALGORITHMS)
    .filter(({ kind }) => kind !== "hash")
    .filter((_, i) => i % every === 0);
  for (const algorithm of keyed) {
    const { kind: service, name } = algorithm;
    if (service === "hash" || !driver.offers(service, name as never)) {
      continue;
    }
    for (const size of keySizes(algorithm)) {
      for (const direction of directionsOf(algorithm)) {
        const session = await create(driver, {
          service,
          algorithm: name,
          direction,
          key: keys.make(size, `${name} ${direction} of ${size} bytes`),
        } as SessionOptions);
        // An engine that is alone need not serve each size of key.
        if (session === undefined) continue;
        sessions.push(session);
        await use(session, algorithm);
      }
    }
  }
  const chain = await driver.createSession({
    service: "chain",
    cipher: {
      algorithm: "aes-cbc",
      key: keys.make(32, "cipher of a chain"),
      direction: "encrypt",
    },
    hash: { algorithm: "hmac-sha256", key: keys.make(48, "MAC of a chain") },
    order: "cipher-then-hash",
  });
  sessions.push(chain);
  for (let i = 0; i < BURST; i++) {
    await chain.run({
      data: new Uint8Array(256),
      iv: new Uint8Array(16),
      queue: i % 2,
    });
  }
  return sessions;
}
