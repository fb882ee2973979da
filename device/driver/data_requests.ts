/**
 * Builders of data requests in every layout and in both modes (v15, "Data
 * Virtqueue"; virtio 1.4, 5.9.7.4 and after). Which layout a request has, and
 * what comes in which order, is told in the root folder's `spec.ts`.
 *
 * @module
 */

import {
  serviceOf,
  VIRTIO_CRYPTO_AEAD_CCM,
  VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE,
  VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import {
  type FieldName,
  FIXED_PARTS,
  type PartName,
} from "./data_fixed_parts.ts";
import {
  type DataLayout,
  type RequestBytes,
  requestBytes,
} from "./requests.ts";

/** struct virtio_crypto_op_header: le32, le32, le64, le32, padding. */
const HEADER = {
  opcode: 0,
  algo: 4,
  sessionId: 8,
  flag: 16,
  size: 24,
} as const;

/** The one byte of struct virtio_crypto_inhdr. */
const STATUS_SIZE = 1;

/** `flag` of a request that names a session: legacy drivers leave it 0. */
const SESSION_FLAG: Readonly<Record<DataLayout, number>> = {
  legacy: 0,
  v15: VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  revision1: VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  "revision1-stateless": VIRTIO_CRYPTO_FLAG_SESSION_MODE,
};

/** `flag` of a request with its keys inside; undefined where there is none. */
const STATELESS_FLAG: Readonly<Record<DataLayout, number | undefined>> = {
  legacy: undefined,
  v15: VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE,
  revision1: undefined,
  "revision1-stateless": 0,
};

/** The ranges of algorithm chaining, in bytes from the source's start. */
export interface ChainRanges {
  /** Start of the ciphered range. */
  readonly cipherStart: number;
  /** Length of the ciphered range. */
  readonly cipherLength: number;
  /** Start of the hashed range. */
  readonly hashStart: number;
  /** Length of the hashed range. */
  readonly hashLength: number;
}

/** What a data request is about. All lengths are in bytes. */
export interface DataParameters {
  /** VIRTIO_CRYPTO_CIPHER_ENCRYPT and so on; it tells the service. */
  readonly opcode: number;
  /** Number of the session's algorithm. */
  readonly algorithm: number;
  /** The session's id; 0 in a request with its keys inside. */
  readonly sessionId: bigint;
  /**
   * iv, counter or nonce; empty where there is none. That of a MAC is put
   * before the source, and counts as part of it. HASH has none.
   */
  readonly iv: Uint8Array;
  /** What is worked on; for AEAD decryption ciphertext, then tag. */
  readonly source: Uint8Array;
  /** Additional authenticated data of AEAD or of a chain; else empty. */
  readonly aad: Uint8Array;
  /** Room for the result of a cipher, chain or AEAD; 0 for HASH and MAC. */
  readonly destinationLength: number;
  /** Length of the digest, MAC or tag; 0 for a cipher. */
  readonly resultLength: number;
  /**
   * Give the iv field of AEAD a full 16 bytes, as the comment on `iv` in struct
   * virtio_crypto_aead_data_req wants: a CCM nonce starts at iv[1]. What iv_len
   * says stays the same.
   */
  readonly fullIv?: boolean;
  /** The ranges, which make it a request of algorithm chaining. */
  readonly chain?: ChainRanges | undefined;
  /**
   * What a session would be created from, keys and all: it makes a request
   * without a session.
   */
  readonly stateless?: SessionParameters | undefined;
}

/**
 * A data request.
 *
 * @param layout the layout of the fixed part
 * @param parameters what it is about. The request holds keys, iv, source and
 * aad themselves, not copies
 * @returns fixed part, keys, iv, source, aad; then room for result and digest,
 * and a status
 * @throws {RangeError} The opcode is of no service, or the layout has no
 * requests without a session
 */
export function dataRequest(
  layout: DataLayout,
  parameters: DataParameters,
): RequestBytes {
  const { opcode, algorithm, sessionId, stateless } = parameters;
  const flag = (stateless ? STATELESS_FLAG : SESSION_FLAG)[layout];
  if (flag === undefined) {
    throw new RangeError(
      `Cannot build a request without a session in layout ${layout}`,
    );
  }
  const part = partOf(parameters);
  const { size, at } = FIXED_PARTS[layout][part];
  const view = new DataView(new ArrayBuffer(HEADER.size + size));
  view.setUint32(HEADER.opcode, opcode, true);
  view.setUint32(HEADER.algo, algorithm, true);
  view.setBigUint64(HEADER.sessionId, sessionId, true);
  view.setUint32(HEADER.flag, flag, true);
  const values = valuesOf(part, parameters);
  for (const [name, offset] of Object.entries(at)) {
    view.setUint32(HEADER.size + offset, values[name as FieldName] ?? 0, true);
  }
  return requestBytes(
    new Uint8Array(view.buffer),
    [...keysOf(stateless), ...fieldsOf(layout, part, parameters)],
    [...writableOf(part, parameters), STATUS_SIZE],
  );
}

function partOf({ opcode, chain }: DataParameters): PartName {
  switch (serviceOf(opcode)) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      return chain ? "chain" : "cipher";
    case VIRTIO_CRYPTO_SERVICE_HASH:
      return "hash";
    case VIRTIO_CRYPTO_SERVICE_MAC:
      return "mac";
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      return "aead";
    default:
      throw new RangeError(`Cannot build a request of opcode ${opcode}`);
  }
}

/** The values of a fixed part's fields. `sess_para` is 0 in session mode. */
function valuesOf(
  part: PartName,
  parameters: DataParameters,
): Partial<Record<FieldName, number>> {
  const { iv, source, aad, resultLength, chain, stateless } = parameters;
  return {
    ivLen: iv.length,
    srcDataLen: part === "mac" ? iv.length + source.length : source.length,
    dstDataLen: parameters.destinationLength,
    aadLen: aad.length,
    resultLen: resultLength,
    tagLen: resultLength,
    opType: part === "chain"
      ? VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING
      : VIRTIO_CRYPTO_SYM_OP_CIPHER,
    ...chain && {
      cipherStart: chain.cipherStart,
      lenToCipher: chain.cipherLength,
      hashStart: chain.hashStart,
      lenToHash: chain.hashLength,
    },
    ...stateless && {
      chainOrder: stateless.chainOrder,
      sessionAadLen: aad.length,
      algo: stateless.algorithm,
      keyLen: stateless.keyLength,
      op: stateless.op,
      hashAlgo: stateless.hashAlgorithm,
      authKeyLen: stateless.authKeyLength,
      hashMode: stateless.hashMode,
    },
  };
}

/** The key, and a chain's authentication key. */
function keysOf(stateless: SessionParameters | undefined): Uint8Array[] {
  if (stateless === undefined) return [];
  const { key, keyLength } = stateless;
  return [key.subarray(0, keyLength), key.subarray(keyLength)];
}

/** The variable fields behind the keys. */
function fieldsOf(
  layout: DataLayout,
  part: PartName,
  { iv, source, aad, algorithm, fullIv }: DataParameters,
): Uint8Array[] {
  switch (part) {
    case "cipher":
    case "mac":
      return [iv, source];
    case "chain":
      return layout === "revision1-stateless"
        ? [iv, aad, source]
        : [iv, source, aad];
    case "hash":
      return [source];
    case "aead":
      return [fullIv ? padIv(iv, algorithm) : iv, source, aad];
  }
}

/** Lengths of the writable fields before the status. */
function writableOf(
  part: PartName,
  { destinationLength, resultLength }: DataParameters,
): number[] {
  switch (part) {
    case "cipher":
    case "aead":
      return [destinationLength];
    case "chain":
      return [destinationLength, resultLength];
    case "hash":
    case "mac":
      return [resultLength];
  }
}

/** An iv in its 16-byte form. */
function padIv(iv: Uint8Array, algorithm: number): Uint8Array {
  const full = new Uint8Array(16);
  full.set(iv, algorithm === VIRTIO_CRYPTO_AEAD_CCM ? 1 : 0);
  return full;
}
