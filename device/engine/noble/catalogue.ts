/**
 * Which algorithms the noble engine serves, and how it makes their contexts.
 *
 * @module
 */

import type { Keccak } from "@noble/hashes/sha3.js";
import type { CHash, CHashXOF } from "@noble/hashes/utils.js";
import { CbcContext, CtrContext, EcbContext } from "./aes_ciphers.ts";
import { ChaCha20Poly1305Context } from "./chacha20_poly1305.ts";
import { CmacContext } from "./cmac.ts";
import type { NobleContext, Purpose } from "./context.ts";
import { GcmContext } from "./gcm.ts";
import {
  type Digest,
  DigestContext,
  EXTENDABLE_HASHES,
  ExtendableContext,
  HASHES,
} from "./hashes.ts";
import { HMAC_HASHES, keyedHmac } from "./hmac.ts";

/** The states that jobs run in, by algorithm: one each is enough. */
export type RunningDigests = Map<string, Digest>;

/**
 * Makes a context.
 *
 * @param purpose algorithm and direction
 * @param key the key, of a legal size; it is copied
 * @param running states shared by the contexts of an algorithm
 * @returns the context
 */
export type Maker = (
  purpose: Purpose,
  key: Uint8Array,
  running: RunningDigests,
) => NobleContext;

function shared(
  running: RunningDigests,
  name: string,
  create: () => Digest,
): Digest {
  let digest = running.get(name);
  if (digest === undefined) running.set(name, digest = create());
  return digest;
}

function hashMaker(hash: CHash): Maker {
  return (purpose, _key, running) =>
    new DigestContext(
      purpose,
      hash.create(),
      shared(running, purpose.algorithm.name, hash.create),
    );
}

function extendableMaker(hash: CHashXOF<Keccak>): Maker {
  return (purpose, _key, running) =>
    new ExtendableContext(
      purpose,
      hash.create(),
      shared(running, purpose.algorithm.name, hash.create) as Keccak,
    );
}

function hmacMaker(hash: CHash): Maker {
  return (purpose, key, running) => {
    const initial = keyedHmac(hash, key);
    return new DigestContext(
      purpose,
      initial,
      shared(running, purpose.algorithm.name, () => initial.clone() as Digest),
    );
  };
}

function each<T>(
  hashes: Readonly<Record<string, T>>,
  maker: (hash: T) => Maker,
): [string, Maker][] {
  return Object.entries(hashes).map(([name, hash]) => [name, maker(hash)]);
}

/** How contexts are made, by the name of the algorithm. */
export const MAKERS: ReadonlyMap<string, Maker> = new Map<string, Maker>([
  ["aes-ecb", (purpose, key) => new EcbContext(purpose, key)],
  ["aes-cbc", (purpose, key) => new CbcContext(purpose, key)],
  ["aes-ctr", (purpose, key) => new CtrContext(purpose, key)],
  ["cmac-aes", (purpose, key) => new CmacContext(purpose, key)],
  ["aes-gcm", (purpose, key) => new GcmContext(purpose, key)],
  [
    "chacha20-poly1305",
    (purpose, key) => new ChaCha20Poly1305Context(purpose, key),
  ],
  ...each(HASHES, hashMaker),
  ...each(EXTENDABLE_HASHES, extendableMaker),
  ...each(HMAC_HASHES, hmacMaker),
]);
