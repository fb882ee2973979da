/**
 * What work comes to, computed by the reference implementations.
 *
 * @module
 */

import { concat } from "../../../engine/guest.ts";
import { reference } from "../../../engine/reference.ts";
import type { ModelAlgorithm } from "./algorithms.ts";
import type { Work } from "./data_request.ts";
import { BADMSG, OK } from "./rules.ts";

/** What a request leaves behind. */
export interface Outcome {
  readonly status: number;
  /** Bytes by their offset in the writable part, the status not included. */
  readonly writes: readonly {
    readonly at: number;
    readonly bytes: Uint8Array;
  }[];
}

/** Modes whose decryption is no encryption: that is checked backwards. */
const BLOCK_MODES: readonly string[] = [
  "aes-ecb",
  "aes-cbc",
  "des-ecb",
  "des-cbc",
  "3des-ecb",
  "3des-cbc",
  "aes-xts",
];

const NONE = new Uint8Array(0);

/**
 * Computes an outcome.
 *
 * @param work the work
 * @param written reads what the device wrote: decryptions of block modes are
 * checked by encrypting them again
 * @returns the outcome; undefined where what the device wrote is wrong
 */
export function outcomeOf(
  work: Work,
  written: (at: number, length: number) => Uint8Array,
): Outcome | undefined {
  const { algorithm, key, iv, source, aad, resultLength } = work;
  if (work.hash !== undefined) return chainOutcome(work, work.hash, written);
  switch (algorithm.service) {
    case 0: {
      const text = ciphered(work, source, () => written(0, source.length));
      return text && { status: OK, writes: [{ at: 0, bytes: text }] };
    }
    case 3: {
      const input = { iv, aad, resultLength };
      if (!work.decrypts) {
        const bytes = reference(algorithm.name, key, { source, ...input });
        return { status: OK, writes: [{ at: 0, bytes }] };
      }
      const { text, tag } = unsealed(work);
      const given = source.subarray(text.length);
      return tag.every((byte, i) => byte === given[i])
        ? { status: OK, writes: [{ at: 0, bytes: text }] }
        : { status: BADMSG, writes: [] };
    }
    default: {
      const bytes = reference(algorithm.name, key, {
        source,
        iv,
        resultLength,
      });
      return { status: OK, writes: [{ at: 0, bytes }] };
    }
  }
}

/**
 * Plaintext and right tag of an AEAD decryption. All of them are key streams:
 * the ciphertext, encrypted, is the plaintext.
 *
 * @param work the work
 * @returns both
 */
export function unsealed(
  work: Work,
): { text: Uint8Array; tag: Uint8Array } {
  const { algorithm, key, iv, source, aad, resultLength } = work;
  const input = { iv, aad, resultLength };
  const length = source.length - resultLength;
  const text = reference(algorithm.name, key, {
    source: source.slice(0, length),
    ...input,
  }).slice(0, length);
  const sealed = reference(algorithm.name, key, { source: text, ...input });
  return { text, tag: sealed.slice(length) };
}

function ciphered(
  { algorithm, key, iv, decrypts }: Work,
  source: Uint8Array,
  written: () => Uint8Array,
): Uint8Array | undefined {
  if (source.length === 0) return NONE;
  if (!decrypts || !BLOCK_MODES.includes(algorithm.name)) {
    return reference(algorithm.name, key, { source, iv });
  }
  const text = written();
  const back = reference(algorithm.name, key, { source: text, iv });
  return back.every((byte, i) => byte === source[i]) ? text : undefined;
}

function chainOutcome(
  work: Work,
  hash: ModelAlgorithm,
  written: (at: number, length: number) => Uint8Array,
): Outcome | undefined {
  const { source, cipherStart, cipherLength, destinationLength } = work;
  const range = ciphered(
    work,
    source.slice(cipherStart, cipherStart + cipherLength),
    () => written(cipherStart, cipherLength),
  );
  if (range === undefined) return undefined;
  const result = source.slice();
  result.set(range, cipherStart);
  // Order 1 hashes what went in, order 2 what comes out.
  const hashed = (work.order === 1 ? source : result)
    .slice(work.hashStart, work.hashStart + work.hashLength);
  const { authKey, aad, resultLength } = work;
  const digest = hash.ivs.length > 0
    ? reference(hash.name, authKey, { source: hashed, iv: aad, resultLength })
    : reference(hash.name, authKey, {
      source: concat(aad, hashed),
      resultLength,
    });
  return {
    status: OK,
    writes: [{ at: 0, bytes: result }, {
      at: destinationLength,
      bytes: digest,
    }],
  };
}
