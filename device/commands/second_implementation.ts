/**
 * A second implementation to compare results with: the runtime's own
 * node:crypto, which needs no permission.
 *
 * @module
 */

import { createCipheriv, createHash, createHmac } from "node:crypto";
import type { DemoVector } from "./demo_vectors.ts";

/** What is computed, by the fields of a vector. */
export interface Computation {
  /** The vector whose algorithm, and key size, is meant. */
  readonly vector: DemoVector;
  /** The key. */
  readonly key: Uint8Array;
  /** The iv. */
  readonly iv: Uint8Array;
  /** Additional authenticated data. */
  readonly aad: Uint8Array;
  /** Plaintext, or what is hashed or authenticated. */
  readonly source: Uint8Array;
}

function join(...parts: Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The cipher's name in node:crypto. */
function cipherName({ vector, key }: Computation): string | undefined {
  const name: string = vector.algorithm;
  if (name === "chacha20-poly1305") return name;
  if (name === "3des-cbc") return "des-ede3-cbc";
  const mode = /^aes-(ecb|cbc|ctr|gcm)$/.exec(name)?.[1];
  return mode && `aes-${8 * key.length}-${mode}`;
}

/**
 * Computes what the device shall compute.
 *
 * @param computation algorithm and data
 * @returns the result, or undefined where node:crypto has not the algorithm
 */
export function computeElsewhere(
  computation: Computation,
): Uint8Array | undefined {
  const { vector, key, iv, aad, source } = computation;
  const name: string = vector.algorithm;
  try {
    switch (vector.service) {
      case "hash":
        // The length matters to SHAKE only, which has none of its own.
        return createHash(name, { outputLength: vector.result.length / 2 })
          .update(source).digest();
      case "mac": {
        if (!name.startsWith("hmac-")) return undefined;
        return createHmac(name.slice("hmac-".length), key)
          .update(source).digest();
      }
      case "cipher": {
        const cipher = cipherName(computation);
        if (cipher === undefined) return undefined;
        const context = createCipheriv(cipher, key, iv.length ? iv : null);
        context.setAutoPadding(false);
        return join(context.update(source), context.final());
      }
      case "aead": {
        const cipher = cipherName(computation);
        if (cipher === undefined) return undefined;
        const context = createCipheriv(
          cipher as "aes-128-gcm",
          key,
          iv,
          { authTagLength: 16 },
        );
        context.setAAD(aad);
        return join(
          context.update(source),
          context.final(),
          context.getAuthTag(),
        );
      }
    }
  } catch {
    // Not every key size and algorithm is there.
    return undefined;
  }
}
