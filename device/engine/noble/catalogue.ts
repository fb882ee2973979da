/**
 * Which algorithms the noble engine serves, and how it makes their contexts.
 *
 * @module
 */

import type { Keccak } from "@noble/hashes/sha3.js";
import type { CHash, CHashXOF } from "@noble/hashes/utils.js";
import { Eia3 } from "../primitives/eia3.ts";
import { KasumiF8 } from "../primitives/kasumi_f8.ts";
import { Snow3g } from "../primitives/snow3g.ts";
import { Uia2 } from "../primitives/uia2.ts";
import { Zuc } from "../primitives/zuc.ts";
import { CbcContext, CtrContext, EcbContext } from "./aes_ciphers.ts";
import { Arc4Context } from "./arc4.ts";
import { CbcMacContext, XcbcContext } from "./cbc_macs.ts";
import { CcmContext } from "./ccm.ts";
import { ChaCha20Poly1305Context } from "./chacha20_poly1305.ts";
import { AES, CmacContext, TDEA } from "./cmac.ts";
import type { NobleContext, Purpose } from "./context.ts";
import { DesCbcContext, DesCtrContext, DesEcbContext } from "./des_ciphers.ts";
import { F8Context } from "./f8.ts";
import { GcmContext } from "./gcm.ts";
import { GMAC_AES, GMAC_TWOFISH, GmacContext } from "./gmac.ts";
import {
  type Digest,
  DigestContext,
  EXTENDABLE_HASHES,
  ExtendableContext,
  HASHES,
} from "./hashes.ts";
import { HMAC_HASHES, keyedHmac } from "./hmac.ts";
import { KasumiF9Context } from "./kasumi_f9.ts";
import { KeyStreamContext, KeyStreamMacContext } from "./key_streams.ts";
import { XtsContext } from "./xts.ts";

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
  ["arc4", (purpose, key) => new Arc4Context(purpose, key)],
  ["aes-ecb", (purpose, key) => new EcbContext(purpose, key)],
  ["aes-cbc", (purpose, key) => new CbcContext(purpose, key)],
  ["aes-ctr", (purpose, key) => new CtrContext(purpose, key)],
  ["des-ecb", (purpose, key) => new DesEcbContext(purpose, key)],
  ["des-cbc", (purpose, key) => new DesCbcContext(purpose, key)],
  ["3des-ecb", (purpose, key) => new DesEcbContext(purpose, key)],
  ["3des-cbc", (purpose, key) => new DesCbcContext(purpose, key)],
  ["3des-ctr", (purpose, key) => new DesCtrContext(purpose, key)],
  [
    "kasumi-f8",
    (purpose, key) => new KeyStreamContext(purpose, new KasumiF8(key)),
  ],
  [
    "snow3g-uea2",
    (purpose, key) => new KeyStreamContext(purpose, new Snow3g(key)),
  ],
  ["aes-f8", (purpose, key) => new F8Context(purpose, key)],
  ["aes-xts", (purpose, key) => new XtsContext(purpose, key)],
  ["zuc-eea3", (purpose, key) => new KeyStreamContext(purpose, new Zuc(key))],
  ["cmac-3des", (purpose, key) => new CmacContext(purpose, key, TDEA)],
  ["cmac-aes", (purpose, key) => new CmacContext(purpose, key, AES)],
  ["kasumi-f9", (purpose, key) => new KasumiF9Context(purpose, key)],
  [
    "snow3g-uia2",
    (purpose, key) => new KeyStreamMacContext(purpose, new Uia2(key)),
  ],
  ["gmac-aes", (purpose, key) => new GmacContext(purpose, key, GMAC_AES)],
  [
    "gmac-twofish",
    (purpose, key) => new GmacContext(purpose, key, GMAC_TWOFISH),
  ],
  ["cbcmac-aes", (purpose, key) => new CbcMacContext(purpose, key)],
  ["cbcmac-kasumi-f9", (purpose, key) => new KasumiF9Context(purpose, key)],
  ["xcbc-aes", (purpose, key) => new XcbcContext(purpose, key)],
  [
    "zuc-eia3",
    (purpose, key) => new KeyStreamMacContext(purpose, new Eia3(key)),
  ],
  ["aes-gcm", (purpose, key) => new GcmContext(purpose, key)],
  ["aes-ccm", (purpose, key) => new CcmContext(purpose, key)],
  [
    "chacha20-poly1305",
    (purpose, key) => new ChaCha20Poly1305Context(purpose, key),
  ],
  ...each(HASHES, hashMaker),
  ...each(EXTENDABLE_HASHES, extendableMaker),
  ...each(HMAC_HASHES, hmacMaker),
]);
