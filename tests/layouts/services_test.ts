import { assert, assertEquals } from "@std/assert";
import {
  type AlgorithmName,
  ALGORITHMS,
} from "../../device/engine/algorithm.ts";
import type {
  ServiceName,
  SessionOptions,
} from "../../device/driver/session_options.ts";
import { SERVICE_ALGORITHMS } from "../../device/service/algorithms.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { assertStatus, attach, LAYOUTS, perform } from "./layouts.ts";

const SERVICES: readonly ServiceName[] = ["cipher", "hash", "mac", "aead"];

/** The algorithms of a service, by name. */
function namesOf(service: ServiceName): AlgorithmName[] {
  return SERVICE_ALGORITHMS[SERVICES.indexOf(service)]!
    .map(([, { name }]) => name as AlgorithmName);
}

function sizesOf(
  { min, max, step = 1, also = [] }: {
    min: number;
    max: number;
    step?: number;
    also?: readonly number[];
  },
): number[] {
  const sizes = new Set([min, ...also, max]);
  if (max - min <= 6 * step) {
    for (let size = min; size <= max; size += step) sizes.add(size);
  }
  return [...sizes];
}

/** Lengths that an algorithm takes: the least, one block more, and many. */
function lengthsOf(name: AlgorithmName): number[] {
  const { block, minimum } = ALGORITHMS[name];
  const unit = block === 1 ? 37 : block;
  return [minimum, minimum + unit, minimum + 7 * unit];
}

for (const { name, stateless, ...layout } of LAYOUTS) {
  Deno.test(`Every cipher works in both directions, ${name}`, async () => {
    const random = new Random(1);
    await using driver = await attach(layout);
    assertEquals(driver.dataLayout(0), layout.layout);
    for (const algorithm of namesOf("cipher")) {
      assert(driver.offers("cipher", algorithm), algorithm);
      const { key: keys, iv: ivs } = ALGORITHMS[algorithm];
      for (const keyLength of sizesOf(keys)) {
        const key = random.bytes(keyLength);
        const iv = random.bytes(ivs.max);
        for (const length of lengthsOf(algorithm)) {
          const data = random.bytes(length);
          const base = { service: "cipher", algorithm, key } as const;
          const encrypted = await perform(
            driver,
            stateless,
            { ...base, direction: "encrypt" },
            { data, iv },
          );
          assertEquals(
            encrypted,
            reference(algorithm, key, { source: data, iv }).slice(),
            `${algorithm} ${keyLength} ${length}`,
          );
          const decrypted = await perform(
            driver,
            stateless,
            { ...base, direction: "decrypt" },
            { data: encrypted, iv },
          );
          assertEquals(decrypted, data);
        }
      }
    }
  });

  Deno.test(`Every hash works at any length of its result, ${name}`, async () => {
    const random = new Random(2);
    await using driver = await attach(layout);
    for (const algorithm of namesOf("hash")) {
      assert(driver.offers("hash", algorithm), algorithm);
      const longest = ALGORITHMS[algorithm].result.max;
      for (const resultLength of [1, 7, Math.min(longest, 300)]) {
        for (const length of [0, 1, 200]) {
          const data = random.bytes(length);
          const options = { service: "hash", algorithm, resultLength } as const;
          assertEquals(
            await perform(driver, stateless, options, { data }),
            Uint8Array.from(
              reference(algorithm, data, { source: data, resultLength }),
            ),
            `${algorithm} ${resultLength} ${length}`,
          );
        }
      }
    }
  });

  Deno.test(`Every MAC works, with its iv before the data, ${name}`, async () => {
    const random = new Random(3);
    await using driver = await attach(layout);
    for (const algorithm of namesOf("mac")) {
      assert(driver.offers("mac", algorithm), algorithm);
      const { key: keys, iv: ivs, result } = ALGORITHMS[algorithm];
      for (const keyLength of sizesOf(keys)) {
        const key = random.bytes(keyLength);
        // GMAC takes two iv sizes, but a MAC request tells one only: 12.
        const iv = random.bytes(ivs.min);
        for (const length of lengthsOf(algorithm)) {
          const data = random.bytes(length);
          const resultLength = 1 + length % result.max;
          const options = { service: "mac", algorithm, key } as const;
          const expected = reference(algorithm, key, {
            source: data,
            iv,
            resultLength: result.max,
          });
          const what = `${algorithm} ${keyLength} ${length}`;
          assertEquals(
            await perform(driver, stateless, options, { data, iv }),
            Uint8Array.from(expected),
            what,
          );
          assertEquals(
            await perform(driver, stateless, { ...options, resultLength }, {
              data: concat(iv, data),
            }),
            Uint8Array.from(expected.subarray(0, resultLength)),
            `${what}, iv in the data`,
          );
        }
      }
    }
  });

  Deno.test(`Every AEAD works in both directions and finds wrong tags, ${name}`, async () => {
    const random = new Random(4);
    await using driver = await attach(layout);
    for (const algorithm of namesOf("aead")) {
      assert(driver.offers("aead", algorithm), algorithm);
      const { key: keys, iv: ivs, result } = ALGORITHMS[algorithm];
      for (const keyLength of sizesOf(keys)) {
        const key = random.bytes(keyLength);
        for (const ivLength of sizesOf(ivs)) {
          const iv = random.bytes(ivLength);
          const tagLength = ivLength === ivs.min ? result.min : result.max;
          const [data, aad] = [random.bytes(43), random.bytes(ivLength % 5)];
          const base = { service: "aead", algorithm, key, tagLength } as const;
          const opening: SessionOptions = { ...base, direction: "decrypt" };
          const sealed = await perform(
            driver,
            stateless,
            { ...base, direction: "encrypt" },
            { data, iv, aad },
          );
          assertEquals(
            sealed,
            reference(algorithm, key, {
              source: data,
              iv,
              aad,
              resultLength: tagLength,
            }).slice(),
            `${algorithm} ${keyLength} ${ivLength}`,
          );
          const operation = { data: sealed, iv, aad };
          assertEquals(
            await perform(driver, stateless, opening, operation),
            data,
          );
          sealed[sealed.length - 1]! ^= 1;
          await assertStatus(
            () => perform(driver, stateless, opening, operation),
            "BADMSG",
          );
        }
      }
    }
  });

  Deno.test(`A full iv field of AEAD holds shorter nonces, ${name}`, async () => {
    const random = new Random(5);
    await using driver = await attach(layout);
    for (
      const [algorithm, sizes] of [
        ["aes-gcm", [12]],
        ["aes-ccm", [7, 13]],
      ] as const
    ) {
      const key = random.bytes(16);
      const options = {
        service: "aead",
        algorithm,
        key,
        direction: "encrypt",
      } as const;
      for (const size of sizes) {
        const operation = {
          data: random.bytes(20),
          iv: random.bytes(size),
          aad: random.bytes(9),
        };
        assertEquals(
          await perform(driver, stateless, options, {
            ...operation,
            fullIv: true,
          }),
          await perform(driver, stateless, options, operation),
        );
      }
    }
  });
}
