/**
 * The standards' own test vectors, one JSON file a family. Byte strings are in
 * hexadecimal; a field that is not there is the empty string.
 *
 * @module
 */

import type { AlgorithmName } from "../../device/engine/algorithm.ts";

/** A file of vectors as it is stored. */
interface VectorFile {
  readonly origin: string;
  readonly licence: string;
  readonly cases: readonly Record<string, string | boolean | number>[];
}

/** One vector. */
export interface Vector {
  /** Name of the algorithm. */
  readonly alg: AlgorithmName;
  /** Where the vector is found. */
  readonly source: string;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly aad: Uint8Array;
  /** Plaintext, or what is hashed or authenticated. */
  readonly msg: Uint8Array;
  /** Bits of `msg`, where the last byte is not a whole one. */
  readonly bits: number;
  readonly ct: Uint8Array;
  readonly tag: Uint8Array;
  readonly digest: Uint8Array;
  /** Whether the tag is wrong. */
  readonly invalid: boolean;
}

/**
 * Reads bytes written in hexadecimal.
 *
 * @param text two digits a byte
 * @returns the bytes
 * @throws {SyntaxError} It is not a whole number of bytes
 */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})*$/.test(text)) {
    throw new SyntaxError(`Cannot read "${text}" as hexadecimal bytes`);
  }
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) {
    bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  }
  return bytes;
}

/**
 * Loads a family's vectors.
 *
 * @param family name of the file, without ".json"
 * @returns its vectors
 */
export function loadVectors(family: string): Vector[] {
  const file: VectorFile = JSON.parse(
    Deno.readTextFileSync(new URL(`./${family}.json`, import.meta.url)),
  );
  return file.cases.map((fields) => {
    const bytes = (name: string) => fromHex(String(fields[name] ?? ""));
    const msg = bytes("msg");
    return {
      alg: fields.alg as AlgorithmName,
      source: String(fields.source),
      key: bytes("key"),
      iv: bytes("iv"),
      aad: bytes("aad"),
      msg,
      bits: Number(fields.bits ?? 8 * msg.length),
      ct: bytes("ct"),
      tag: bytes("tag"),
      digest: bytes("digest"),
      invalid: fields.invalid === true,
    };
  });
}
