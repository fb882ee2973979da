/**
 * Algorithm chaining put together from a cipher and a hash that know nothing
 * of each other.
 *
 * @module
 */

import type { AlgorithmName } from "../../device/engine/algorithm.ts";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { concat } from "../engine/guest.ts";
import { reference } from "../engine/reference.ts";

/** A chain and what it works on. It encrypts. */
export interface ChainCase {
  readonly cipher: AlgorithmName;
  readonly cipherKey: Uint8Array;
  readonly hash: AlgorithmName;
  /** A MAC's key; undefined for a plain hash. */
  readonly authKey: Uint8Array | undefined;
  readonly order: "hash-then-cipher" | "cipher-then-hash";
  readonly data: Uint8Array;
  readonly iv: Uint8Array;
  readonly aad: Uint8Array;
  readonly cipherStart: number;
  readonly cipherLength: number;
  readonly hashStart: number;
  readonly hashLength: number;
  readonly resultLength: number;
}

/** The source with its range encrypted, and the digest in either direction. */
export interface ChainExpected {
  readonly data: Uint8Array;
  /** Digest of an encryption. */
  readonly digest: Uint8Array;
  /** Digest of the decryption that leads back to the source. */
  readonly inverseDigest: Uint8Array;
}

/** What a chain gives. */
export function chainReference(chain: ChainCase): ChainExpected {
  const { cipherStart, cipherLength, data: source } = chain;
  const data = source.slice();
  data.set(
    reference(chain.cipher, chain.cipherKey, {
      source: source.slice(cipherStart, cipherStart + cipherLength),
      iv: chain.iv,
    }),
    cipherStart,
  );
  // Hash first: of what goes in. Cipher first: of what comes out.
  const first = chain.order === "hash-then-cipher";
  return {
    data,
    digest: digestOf(chain, first ? source : data),
    inverseDigest: digestOf(chain, first ? data : source),
  };
}

function digestOf(chain: ChainCase, data: Uint8Array): Uint8Array {
  const { hash, authKey, aad, hashStart, hashLength, resultLength } = chain;
  const range = data.slice(hashStart, hashStart + hashLength);
  const key = authKey ?? new Uint8Array(0);
  return ALGORITHMS[hash].iv.max > 0
    ? reference(hash, key, { source: range, iv: aad, resultLength })
    : reference(hash, key, { source: concat(aad, range), resultLength });
}
