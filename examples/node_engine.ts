/**
 * An engine of one's own: AES and SHA-256 by node:crypto. A program and each
 * worker that serves a data queue import this module; see own_engine.ts.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import * as crypto from "node:crypto";
import { defineEngine, type EngineAlgorithm } from "../engine.ts";

// Deno's node:crypto has no AES-192 in these modes: sessions with such keys go
// to the next engine of the device's list.
const keyLengths = [16, 32];

const aesCbc: EngineAlgorithm = {
  keyLengths,
  prepare(key, direction) {
    const make = direction === "encrypt"
      ? crypto.createCipheriv
      : crypto.createDecipheriv;
    const name = `aes-${8 * key.length}-cbc`;
    return {
      run: ({ source, iv }) =>
        make(name, key, iv).setAutoPadding(false).update(source),
    };
  },
};

const aesGcm: EngineAlgorithm = {
  keyLengths,
  prepare(key, direction) {
    const name = key.length === 16 ? "aes-128-gcm" : "aes-256-gcm";
    if (direction === "encrypt") {
      return {
        run({ source, iv, aad, resultLength }) {
          const cipher = crypto.createCipheriv(name, key, iv).setAAD(aad);
          const ciphertext = cipher.update(source);
          cipher.final();
          const tag = cipher.getAuthTag().subarray(0, resultLength);
          return Buffer.concat([ciphertext, tag]);
        },
      };
    }
    return {
      run({ source, iv, aad, tag }) {
        const authTagLength = tag.length;
        const decipher = crypto
          .createDecipheriv(name, key, iv, { authTagLength })
          .setAAD(aad).setAuthTag(tag);
        const plaintext = decipher.update(source);
        try {
          decipher.final();
        } catch {
          return undefined; // The tag is wrong.
        }
        return plaintext;
      },
    };
  },
};

export default defineEngine({
  name: "node",
  algorithms: {
    "aes-cbc": aesCbc,
    "aes-gcm": aesGcm,
    "sha256": {
      prepare: () => ({
        run: ({ source }) =>
          crypto.createHash("sha256").update(source).digest(),
      }),
    },
  },
});
