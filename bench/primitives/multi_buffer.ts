/**
 * The multi-buffer library called directly: jobs that are filled once, and
 * submitted as bursts again and again.
 *
 * @module
 */

import type { AlgorithmName } from "../../device/engine/algorithm.ts";
import { addressOf } from "../../device/host/libc.ts";
import { ipsecMb, type IpsecMbFunctions } from "../../device/host/ipsec_mb.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import type { Operation } from "../support/operations.ts";
import { NativeBuffers, type Primitive } from "./primitive.ts";

// IMB_JOB: offsets of u64 fields, then of u32 fields, in bytes.
const Field = {
  ENC_KEYS: 0,
  DEC_KEYS: 8,
  KEY_LENGTH: 16,
  SRC: 24,
  DST: 32,
  CIPHER_LENGTH: 48,
  HASH_LENGTH: 64,
  IV: 72,
  IV_LENGTH: 80,
  TAG: 88,
  TAG_LENGTH: 96,
  U: 104,
  STATUS: 128,
  CIPHER: 132,
  DIRECTION: 136,
  HASH: 140,
  ORDER: 144,
} as const;

/** IMB_CIPHER_MODE of what version 1.3 takes as cipher bursts (intel-ipsec-mb.h). */
const CIPHER_MODES: Partial<Record<AlgorithmName, number>> = {
  "aes-cbc": 1,
  "aes-ctr": 2,
};
const NO_CIPHER = 3;
const NO_HASH = 8;
const ENCRYPT = 1;
const DECRYPT = 2;
/** IMB_HASH_ALG of what it takes as hash bursts, and the bytes of a block. */
const HASHES: Partial<
  Record<AlgorithmName, readonly [hash: number, block: number]>
> = {
  "hmac-sha1": [1, 64],
  "hmac-sha224": [2, 64],
  "hmac-sha256": [3, 64],
  "hmac-sha384": [4, 128],
  "hmac-sha512": [5, 128],
};
const CIPHER_THEN_HASH = 1;
const HASH_THEN_CIPHER = 2;
const COMPLETED = 3;

const MOST_BYTES = 65520;
const MOST_JOBS = 128;

// Where things lie in a key's memory.
const DECRYPT_AT = 512n;
const OPAD_AT = 64n;

/** Keeps what the library was given addresses of. */
const kept: Uint8Array[] = [];

function nativeBytes(size: number): {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly address: bigint;
} {
  const buffer = new ArrayBuffer(size + 64);
  const start = Number(-addressOf(new Uint8Array(buffer)) & 63n);
  const bytes = new Uint8Array(buffer, start, size);
  kept.push(bytes);
  return { bytes, address: addressOf(bytes) };
}

/** A manager of this thread. */
interface Manager {
  readonly address: bigint;
  readonly functions: IpsecMbFunctions;
  readonly stride: number;
}

let manager: Manager | undefined;

function managerOf(): Manager {
  if (manager !== undefined) return manager;
  const library = ipsecMb();
  const memory = nativeBytes(library.managerSize);
  const { address, functions } = library.createManager(
    memory.bytes,
    memory.address,
  );
  // A job that does nothing moves the ring on by the size of one.
  const first = functions.getNextJob(address);
  const at = first - Number(BigInt.asUintN(32, memory.address));
  const view = new DataView(memory.bytes.buffer, memory.bytes.byteOffset);
  view.setUint32(at + Field.CIPHER, NO_CIPHER, true);
  view.setUint32(at + Field.HASH, NO_HASH, true);
  view.setUint32(at + Field.DIRECTION, ENCRYPT, true);
  view.setUint32(at + Field.ORDER, CIPHER_THEN_HASH, true);
  functions.submitJobNocheck(address);
  const stride = functions.getNextJob(address) - first;
  while (functions.flushJob(address) !== 0);
  return manager = { address, functions, stride };
}

function oneBlock(
  functions: IpsecMbFunctions,
  name: AlgorithmName,
): (block: bigint, state: bigint) => void {
  switch (name) {
    case "hmac-sha1":
      return functions.sha1OneBlock;
    case "hmac-sha224":
      return functions.sha224OneBlock;
    case "hmac-sha256":
      return functions.sha256OneBlock;
    case "hmac-sha384":
      return functions.sha384OneBlock;
    default:
      return functions.sha512OneBlock;
  }
}

/**
 * The library's own computation of an operation.
 *
 * @param operation the operation
 * @param count jobs of a burst, each on buffers of its own
 * @returns the primitive; undefined where the library is not there, or bursts
 * of this operation are not known here
 */
export function multiBufferPrimitive(
  operation: Operation,
  count: number,
): Primitive | undefined {
  const { direction, iv, key, name, source } = operation;
  const mode = CIPHER_MODES[name];
  const [hash, block = 0] = HASHES[name] ?? [];
  if (mode === undefined && hash === undefined) return undefined;
  if (source.length > MOST_BYTES || count > MOST_JOBS) return undefined;
  let lanes: Manager;
  try {
    lanes = managerOf();
  } catch (error) {
    if (error instanceof LibraryError) return undefined;
    throw error;
  }
  const { address, functions, stride } = lanes;
  const memory = new NativeBuffers(operation, count);
  const { results, scratch, scratchAt, sources } = memory;
  const keys = nativeBytes(1024);
  scratch.set(iv);
  scratch.set(key, 64);
  if (mode !== undefined) {
    const expand = key.length === 32
      ? functions.keyexp256
      : key.length === 24
      ? functions.keyexp192
      : functions.keyexp128;
    expand(scratchAt + 64n, keys.address, keys.address + DECRYPT_AT);
  } else {
    // RFC 2104: the states after the blocks of K XOR ipad and K XOR opad.
    const compress = oneBlock(functions, name);
    for (const [pad, at] of [[0x36, 0n], [0x5c, OPAD_AT]] as const) {
      scratch.fill(pad, 64, 64 + block);
      key.forEach((byte, i) => scratch[64 + i] = byte ^ pad);
      compress(scratchAt + 64n, keys.address + at);
    }
  }
  const jobs = nativeBytes(stride * count);
  const view = new DataView(jobs.bytes.buffer, jobs.bytes.byteOffset);
  const way = direction === "encrypt" ? ENCRYPT : DECRYPT;
  for (let i = 0; i < count; i++) {
    const at = i * stride;
    const wide = (field: number, value: bigint): void =>
      view.setBigUint64(at + field, value, true);
    wide(Field.ENC_KEYS, keys.address);
    wide(Field.DEC_KEYS, keys.address + DECRYPT_AT);
    wide(Field.KEY_LENGTH, BigInt(key.length));
    wide(Field.SRC, sources[i]!);
    wide(Field.DST, results[i]!);
    wide(Field.CIPHER_LENGTH, BigInt(source.length));
    wide(Field.HASH_LENGTH, BigInt(source.length));
    wide(Field.IV, scratchAt);
    wide(Field.IV_LENGTH, BigInt(iv.length));
    wide(Field.TAG, results[i]!);
    wide(Field.TAG_LENGTH, BigInt(operation.resultLength));
    wide(Field.U, keys.address);
    wide(Field.U + 8, keys.address + OPAD_AT);
    view.setUint32(at + Field.CIPHER, mode ?? NO_CIPHER, true);
    view.setUint32(at + Field.DIRECTION, way, true);
    view.setUint32(at + Field.HASH, hash ?? NO_HASH, true);
    view.setUint32(
      at + Field.ORDER,
      way === ENCRYPT ? CIPHER_THEN_HASH : HASH_THEN_CIPHER,
      true,
    );
  }
  const statuses = Uint32Array.from(
    { length: count },
    (_, i) => (i * stride + Field.STATUS) >> 2,
  );
  const words = new Uint32Array(
    jobs.bytes.buffer,
    jobs.bytes.byteOffset,
    jobs.bytes.length >> 2,
  );
  return {
    name: "multi-buffer library",
    run() {
      for (let i = 0; i < count; i++) words[statuses[i]!] = 0;
      if (mode !== undefined) {
        functions.submitCipherBurstNocheck(
          address,
          jobs.address,
          count,
          mode,
          way,
          key.length,
        );
      } else {
        functions.submitHashBurstNocheck(address, jobs.address, count, hash!);
      }
    },
    result(index) {
      if (words[statuses[index]!] !== COMPLETED) {
        throw new Error(`Cannot run ${name} as a burst`);
      }
      return memory.result(index);
    },
  };
}
