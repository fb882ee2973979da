/**
 * HMAC (RFC 2104) over the hash functions.
 *
 * @module
 */

import { hmac } from "@noble/hashes/hmac.js";
import type { CHash } from "@noble/hashes/utils.js";
import { type Digest, HASHES } from "./hashes.ts";

/** The hash of each HMAC served, by the HMAC's name. */
export const HMAC_HASHES = {
  "hmac-md5": HASHES.md5,
  "hmac-sha1": HASHES.sha1,
  "hmac-sha224": HASHES.sha224,
  "hmac-sha256": HASHES.sha256,
  "hmac-sha384": HASHES.sha384,
  "hmac-sha512": HASHES.sha512,
} as const satisfies Record<string, CHash>;

/**
 * The state of a HMAC after its keyed blocks.
 *
 * @param hash the hash function
 * @param key the key, of any size
 * @returns the state, which holds nothing else of the key
 */
export function keyedHmac(hash: CHash, key: Uint8Array): Digest {
  if (key.length <= hash.blockLen) return hmac.create(hash, key) as Digest;
  // A long key is hashed first (RFC 2104, section 2). Done here, because the
  // package leaves the hashed key behind in memory.
  const hashed = hash(key);
  const state = hmac.create(hash, hashed) as Digest;
  hashed.fill(0);
  return state;
}
