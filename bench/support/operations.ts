/**
 * What is measured: an algorithm with a key, an iv and a source, and the result
 * that a second implementation gives for it.
 *
 * @module
 */

import {
  type Algorithm,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
} from "../../device/engine/algorithm.ts";
import type { RequestBytes } from "../../device/driver/requests.ts";
import { dataRequest } from "../../device/driver/data_requests.ts";
import type { DataLayout } from "../../device/driver/requests.ts";
import {
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import { reference } from "../../tests/engine/reference.ts";

/** Above this a result has no size of its own: a SHAKE's. */
const LONGEST_RESULT = 64;

/** Key sizes in bytes where the shortest is not the one to measure. */
const KEY_LENGTHS: Partial<Record<AlgorithmName, number>> = {
  "arc4": 16,
  "hmac-md5": 32,
  "hmac-sha1": 32,
  "hmac-sha224": 32,
  "hmac-sha256": 32,
  "hmac-sha384": 32,
  "hmac-sha512": 32,
};

/** Nonces in bytes where the shortest is not the usual one. */
const IV_LENGTHS: Partial<Record<AlgorithmName, number>> = { "aes-ccm": 12 };

const DECRYPT_OPCODE = 1;

/** Bytes that differ from their neighbours. */
export function pattern(length: number, seed = 89): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => i * seed + (i >> 8));
}

/** An algorithm at work on a source of some size. */
export interface Operation {
  readonly name: AlgorithmName;
  readonly algorithm: Algorithm;
  readonly direction: Direction;
  readonly key: Uint8Array<ArrayBuffer>;
  readonly iv: Uint8Array<ArrayBuffer>;
  /** Plaintext, or what is decrypted: of an AEAD ciphertext, then tag. */
  readonly source: Uint8Array;
  /** Bytes of digest or tag; 0 for a cipher. */
  readonly resultLength: number;
  /** What has to come out. */
  readonly expected: Uint8Array;
}

/** Whether an algorithm has two directions. */
export function isDirected(name: AlgorithmName): boolean {
  const { kind } = ALGORITHMS[name];
  return kind === "cipher" || kind === "aead";
}

/**
 * An operation on a number of bytes of plaintext or message.
 *
 * @param name the algorithm
 * @param size bytes
 * @param direction "encrypt" for hashes and MACs
 * @returns the operation, with its result by a second implementation
 */
export function operationOf(
  name: AlgorithmName,
  size: number,
  direction: Direction = "encrypt",
): Operation {
  const algorithm: Algorithm = ALGORITHMS[name];
  const key = pattern(KEY_LENGTHS[name] ?? algorithm.key.min, 11);
  const iv = pattern(IV_LENGTHS[name] ?? algorithm.iv.min, 7);
  const resultLength = algorithm.kind === "cipher"
    ? 0
    : algorithm.kind === "aead"
    ? 16
    : Math.min(algorithm.result.max, LONGEST_RESULT);
  const plain = pattern(size);
  const result = reference(name, key, { source: plain, iv, resultLength });
  const decrypts = direction === "decrypt";
  return {
    name,
    algorithm,
    direction,
    key,
    iv,
    source: decrypts ? result : plain,
    resultLength,
    expected: decrypts ? plain : result,
  };
}

/** The parameters of a session for an operation. */
export function sessionOf(operation: Operation): SessionParameters {
  const { algorithm, direction, key, name, resultLength } = operation;
  const options = { algorithm: name, key };
  switch (algorithm.kind) {
    case "cipher":
      return sessionParameters({ service: "cipher", direction, ...options });
    case "hash":
      return sessionParameters(
        { service: "hash", algorithm: name, resultLength } as SessionOptions,
      );
    case "mac":
      return sessionParameters({ service: "mac", resultLength, ...options });
    case "aead":
      return sessionParameters({ service: "aead", direction, ...options });
  }
}

/**
 * The request of an operation in a session.
 *
 * @param operation the operation
 * @param session its parameters, as the session was created from
 * @param sessionId the session's id
 * @param layout the layout of the request
 * @returns what the device reads, and room for what it writes
 */
export function requestOf(
  operation: Operation,
  session: SessionParameters,
  sessionId: bigint,
  layout: DataLayout = "legacy",
): RequestBytes {
  const { algorithm, direction, expected, iv, source } = operation;
  const opcode = session.service << 8 |
    (direction === "decrypt" ? DECRYPT_OPCODE : 0);
  const digest = algorithm.kind === "hash" || algorithm.kind === "mac";
  return dataRequest(layout, {
    opcode,
    algorithm: session.algorithm,
    sessionId,
    iv,
    source,
    aad: new Uint8Array(0),
    destinationLength: digest ? 0 : expected.length,
    resultLength: operation.resultLength,
  });
}

/** The name of a size. */
export function sizeName(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`;
}

/**
 * Throws unless a result is the expected one.
 *
 * @param what named in the error
 * @param actual at least the result
 * @param operation has the expected one
 */
export function checkResult(
  what: string,
  actual: Uint8Array,
  { expected }: Operation,
): void {
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] !== expected[i]) {
      throw new Error(
        `Cannot measure ${what}: byte ${i} of its result is wrong`,
      );
    }
  }
}
