import { assertEquals } from "@std/assert";
import type { CryptoDriver } from "../../device/driver/driver.ts";
import type { ChainSessionOptions } from "../../device/driver/session_options.ts";
import {
  type AlgorithmName,
  ALGORITHMS,
} from "../../device/engine/algorithm.ts";
import { Random } from "../engine/random.ts";
import { type ChainCase, chainReference } from "./chain_reference.ts";
import { attach, LAYOUTS, performChain } from "./layouts.ts";

const CIPHERS = Object.values(ALGORITHMS)
  .filter(({ kind }) => kind === "cipher")
  .map(({ name }) => name as AlgorithmName);
const DIGESTS = Object.values(ALGORITHMS)
  .filter(({ kind }) => kind === "hash" || kind === "mac")
  .map(({ name }) => name as AlgorithmName);

const ORDERS = ["hash-then-cipher", "cipher-then-hash"] as const;

function isMac(name: AlgorithmName): boolean {
  return ALGORITHMS[name].kind === "mac";
}

/** Where ranges lie in a source of 100 to 163 bytes. */
interface Ranges {
  readonly what: string;
  /** Start of the ciphered range, and its whole blocks or bytes. */
  readonly cipher: readonly [start: number, length: number];
  /** Start of the hashed range, and its length. */
  readonly hash: readonly [start: number, length: number];
  readonly aad: number;
}

const RANGES: readonly Ranges[] = [
  { what: "the same range", cipher: [0, 96], hash: [0, 96], aad: 0 },
  { what: "aad before it", cipher: [0, 96], hash: [0, 96], aad: 16 },
  { what: "ranges that overlap", cipher: [13, 64], hash: [5, 48], aad: 32 },
  { what: "ranges apart", cipher: [51, 48], hash: [1, 32], aad: 48 },
  { what: "ranges at the end", cipher: [68, 32], hash: [52, 48], aad: 16 },
  { what: "a range inside the other", cipher: [32, 16], hash: [4, 96], aad: 0 },
];

/** A chain over ranges that its algorithms take: whole blocks and ends. */
function chainOf(
  random: Random,
  cipher: AlgorithmName,
  hash: AlgorithmName,
  order: ChainCase["order"],
  { cipher: ciphered, hash: hashed, aad }: Ranges,
): ChainCase {
  const own = ALGORITHMS[cipher];
  const digest = ALGORITHMS[hash];
  const iv = digest.iv.max;
  // What is hashed is 80 bytes with kasumi-f9 and the like: whole blocks.
  const odd = digest.block === 1 ? 3 : 0;
  return {
    cipher,
    cipherKey: random.bytes(own.key.max),
    hash,
    authKey: isMac(hash) ? random.bytes(digest.key.max) : undefined,
    order,
    data: random.bytes(100),
    iv: random.bytes(own.iv.max),
    // The iv of a MAC that has one is the whole aad.
    aad: random.bytes(iv > 0 ? iv : aad + odd),
    cipherStart: ciphered[0],
    cipherLength: ciphered[1] - (own.block === 1 && ciphered[1] > 16 ? 5 : 0),
    hashStart: hashed[0],
    hashLength: hashed[1] - odd,
    resultLength: 1 + random.below(Math.min(64, digest.result.max)),
  };
}

function optionsOf(
  chain: ChainCase,
  direction: "encrypt" | "decrypt",
): ChainSessionOptions {
  const { cipher, cipherKey, hash, authKey, order, resultLength } = chain;
  return {
    service: "chain",
    cipher: { algorithm: cipher, key: cipherKey, direction },
    hash: { algorithm: hash, resultLength, ...authKey && { key: authKey } },
    order,
  };
}

/** Encrypts, compares, and decrypts again. */
async function check(
  driver: CryptoDriver,
  stateless: boolean,
  chain: ChainCase,
  what: string,
): Promise<void> {
  const { data, digest, inverseDigest } = chainReference(chain);
  const { iv, aad, cipherStart, cipherLength, hashStart, hashLength } = chain;
  const ranges = {
    iv,
    aad,
    cipherStart,
    cipherLength,
    hashStart,
    hashLength,
  };
  const said = `${chain.cipher}, ${chain.hash}, ${chain.order}, ${what}`;
  const encrypted = await performChain(
    driver,
    stateless,
    optionsOf(chain, "encrypt"),
    { data: chain.data, ...ranges },
  );
  assertEquals(encrypted.data, Uint8Array.from(data), said);
  assertEquals(encrypted.digest, Uint8Array.from(digest), said);
  const decrypted = await performChain(
    driver,
    stateless,
    optionsOf(chain, "decrypt"),
    { data: encrypted.data, ...ranges },
  );
  assertEquals(decrypted.data, chain.data, said);
  assertEquals(decrypted.digest, Uint8Array.from(inverseDigest), said);
}

for (const { name, stateless, ...layout } of LAYOUTS) {
  for (const order of ORDERS) {
    Deno.test(`Every cipher chains with a hash and a MAC, ${order}, ${name}`, async () => {
      const random = new Random(1);
      await using driver = await attach(layout);
      for (const cipher of CIPHERS) {
        for (const hash of ["sha256", "hmac-sha1"] as const) {
          for (const ranges of RANGES) {
            const chain = chainOf(random, cipher, hash, order, ranges);
            await check(driver, stateless, chain, ranges.what);
          }
        }
      }
    });

    Deno.test(`Every hash and MAC chains with a cipher, ${order}, ${name}`, async () => {
      const random = new Random(2);
      await using driver = await attach(layout);
      for (const hash of DIGESTS) {
        for (const cipher of ["aes-cbc", "des-cbc", "aes-ctr"] as const) {
          for (const ranges of RANGES) {
            const chain = chainOf(random, cipher, hash, order, ranges);
            await check(driver, stateless, chain, ranges.what);
          }
        }
      }
    });
  }

  Deno.test(`GMAC takes an iv of 12 or 16 bytes from the aad of a chain, ${name}`, async () => {
    const random = new Random(3);
    await using driver = await attach(layout);
    for (const hash of ["gmac-aes", "gmac-twofish"] as const) {
      for (const keyLength of [16, 24, 32]) {
        for (const size of [12, 16]) {
          const chain = {
            ...chainOf(random, "aes-ctr", hash, ORDERS[1], RANGES[2]!),
            authKey: random.bytes(keyLength),
            aad: random.bytes(size),
          };
          await check(driver, stateless, chain, `iv of ${size} bytes`);
        }
      }
    }
  });

  Deno.test(`Ranges may be empty, and XTS has at least 16 bytes, ${name}`, async () => {
    const random = new Random(4);
    await using driver = await attach(layout);
    for (const order of ORDERS) {
      const chain = chainOf(random, "aes-cbc", "sha1", order, RANGES[2]!);
      const empty: Partial<ChainCase>[] = [
        { cipherLength: 0 },
        { cipherStart: 100, cipherLength: 0 },
        { hashLength: 0 },
        { hashStart: 100, hashLength: 0 },
        { hashLength: 0, aad: new Uint8Array(0) },
        { data: new Uint8Array(0), ...NO_RANGES },
      ];
      for (const changes of empty) {
        await check(driver, stateless, { ...chain, ...changes }, "empty");
      }
      for (const cipherLength of [16, 17, 31, 32]) {
        const xts = chainOf(random, "aes-xts", "sha1", order, RANGES[2]!);
        await check(driver, stateless, { ...xts, cipherLength }, "XTS");
      }
    }
  });

  Deno.test(`Ranges that are left out are the whole source, ${name}`, async () => {
    const random = new Random(5);
    await using driver = await attach(layout);
    const chain = {
      ...chainOf(random, "aes-cbc", "hmac-sha512", ORDERS[0], RANGES[1]!),
      data: random.bytes(96),
      hashLength: 96,
    };
    const { iv, aad, data } = chain;
    const expected = chainReference(chain);
    const options = optionsOf(chain, "encrypt");
    assertEquals(
      await performChain(driver, stateless, options, { data, iv, aad }),
      {
        data: Uint8Array.from(expected.data),
        digest: Uint8Array.from(expected.digest),
      },
    );
    const from = chainReference({
      ...chain,
      cipherStart: 16,
      cipherLength: 80,
      hashStart: 7,
      hashLength: 89,
    });
    assertEquals(
      await performChain(driver, stateless, options, {
        data,
        iv,
        aad,
        cipherStart: 16,
        hashStart: 7,
      }),
      {
        data: Uint8Array.from(from.data),
        digest: Uint8Array.from(from.digest),
      },
    );
  });

  Deno.test(`A chain larger than a round works, ${name}`, async () => {
    const random = new Random(6);
    await using driver = await attach(layout);
    const chain = {
      ...chainOf(random, "aes-ctr", "hmac-sha256", ORDERS[1], RANGES[0]!),
      data: random.bytes(200_000),
      cipherStart: 1000,
      cipherLength: 180_001,
      hashStart: 500,
      hashLength: 199_500,
    };
    await check(driver, stateless, chain, "large");
  });
}

const NO_RANGES = {
  cipherStart: 0,
  cipherLength: 0,
  hashStart: 0,
  hashLength: 0,
};
