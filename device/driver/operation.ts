/**
 * One operation as a program asks for it, and the request that it becomes.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_AEAD_DECRYPT,
  VIRTIO_CRYPTO_AEAD_ENCRYPT,
  VIRTIO_CRYPTO_CIPHER_DECRYPT,
  VIRTIO_CRYPTO_CIPHER_ENCRYPT,
  VIRTIO_CRYPTO_HASH,
  VIRTIO_CRYPTO_MAC,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import {
  type ChainRanges,
  type DataParameters,
  dataRequest,
} from "./data_requests.ts";
import { CryptoStatusError } from "./errors.ts";
import type { DataLayout, RequestBytes } from "./requests.ts";

/** One operation. All lengths are in bytes. */
export interface Operation {
  /**
   * What is worked on; for AEAD decryption ciphertext, then tag. It must stay
   * as it is until the operation is done.
   */
  readonly data: Uint8Array;
  /**
   * iv, counter or nonce, of a size that the algorithm has (see {@linkcode
   * ALGORITHMS}); none when left out. The MACs that have one (SNOW 3G
   * UIA2 and ZUC EIA3: 16, GMAC: 12) find it before the data, where it is put:
   * a MAC request has no field for it.
   */
  readonly iv?: Uint8Array;
  /** Additional authenticated data of AEAD; none when left out. */
  readonly aad?: Uint8Array;
  /** The data queue to use; the session's own when left out. */
  readonly queue?: number;
  /** Length of digest, MAC or tag; the session's when left out. */
  readonly resultLength?: number;
  /** Give the iv field of AEAD a full 16 bytes; see DataParameters. */
  readonly fullIv?: boolean;
}

/**
 * One operation of algorithm chaining (v15, "Symmetric algorithms Operation").
 * All lengths are in bytes, and ranges lie in the source.
 */
export interface ChainOperation {
  /** The source. It must stay as it is until the operation is done. */
  readonly data: Uint8Array;
  /** iv or counter of the cipher; none when left out. */
  readonly iv?: Uint8Array;
  /**
   * What is hashed before the hashed range; none when left out. For the MACs
   * that have an iv it is that iv and nothing else: 16 bytes for SNOW 3G UIA2
   * and ZUC EIA3, 12 or 16 for GMAC.
   */
  readonly aad?: Uint8Array;
  /** Start of the ciphered range; 0 when left out. */
  readonly cipherStart?: number;
  /** Length of the ciphered range; the rest of the source when left out. */
  readonly cipherLength?: number;
  /** Start of the hashed range; 0 when left out. */
  readonly hashStart?: number;
  /** Length of the hashed range; the rest of the source when left out. */
  readonly hashLength?: number;
  /** The data queue to use; the session's own when left out. */
  readonly queue?: number;
  /** Length of digest or MAC; the session's when left out. */
  readonly resultLength?: number;
}

/** What comes of an operation of algorithm chaining. */
export interface ChainResult {
  /** The source with the ciphered range replaced. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Digest or MAC. The device does not compare it with anything. */
  readonly digest: Uint8Array<ArrayBuffer>;
}

/** A request, and how its answer is read. */
export interface OperationRequest<T> {
  /** The request. */
  readonly bytes: RequestBytes;
  /**
   * Makes the result.
   *
   * @param answer the writable part; what is kept of it is copied
   * @returns the result
   * @throws {CryptoStatusError} The device refused
   */
  decode(answer: Uint8Array<SharedArrayBuffer>): T;
}

/** What an operation is done by: a session, or what a session would be. */
export interface Operator {
  /** Its parameters; the keys matter only without a session. */
  readonly parameters: SessionParameters;
  /** The session's id; undefined puts parameters and keys in the request. */
  readonly sessionId: bigint | undefined;
}

const NONE = new Uint8Array(0);

/**
 * The request of an operation.
 *
 * @param layout the layout of its fixed part
 * @param operator what does it
 * @param operation what to do
 * @returns the request; its result is ciphertext, plaintext, digest or MAC
 * @throws {RangeError} The layout has no requests without a session
 */
export function operationRequest(
  layout: DataLayout,
  operator: Operator,
  operation: Operation,
): OperationRequest<Uint8Array<ArrayBuffer>> {
  const opcode = opcodeOf(operator.parameters);
  const { data, iv = NONE, aad = NONE, fullIv = false } = operation;
  const { resultLength = operator.parameters.resultLength } = operation;
  const destinationLength = destinationLengthOf(opcode, data, resultLength);
  const bytes = dataRequest(layout, {
    ...common(operator, opcode),
    iv,
    source: data,
    aad,
    destinationLength,
    resultLength,
    fullIv,
  });
  const digests = opcode === VIRTIO_CRYPTO_HASH || opcode === VIRTIO_CRYPTO_MAC;
  const length = digests ? resultLength : destinationLength;
  return {
    bytes,
    decode: (answer) => {
      checkStatus(answer);
      return answer.slice(0, length);
    },
  };
}

/**
 * The request of an operation of algorithm chaining.
 *
 * @param layout the layout of its fixed part
 * @param operator what does it
 * @param operation what to do
 * @returns the request
 * @throws {RangeError} The layout has no requests without a session
 */
export function chainRequest(
  layout: DataLayout,
  operator: Operator,
  operation: ChainOperation,
): OperationRequest<ChainResult> {
  const { data, iv = NONE, aad = NONE } = operation;
  const { resultLength = operator.parameters.resultLength } = operation;
  const { length } = data;
  const bytes = dataRequest(layout, {
    ...common(operator, opcodeOf(operator.parameters)),
    iv,
    source: data,
    aad,
    destinationLength: length,
    resultLength,
    chain: rangesOf(operation),
  });
  return {
    bytes,
    decode: (answer) => {
      checkStatus(answer);
      return {
        data: answer.slice(0, length),
        digest: answer.slice(length, length + resultLength),
      };
    },
  };
}

/**
 * Opcode of the data requests of a session.
 *
 * @param parameters the session's parameters
 * @returns VIRTIO_CRYPTO_CIPHER_ENCRYPT and so on
 */
export function opcodeOf({ service, op }: SessionParameters): number {
  const decrypt = op === VIRTIO_CRYPTO_OP_DECRYPT;
  switch (service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      return decrypt
        ? VIRTIO_CRYPTO_CIPHER_DECRYPT
        : VIRTIO_CRYPTO_CIPHER_ENCRYPT;
    case VIRTIO_CRYPTO_SERVICE_HASH:
      return VIRTIO_CRYPTO_HASH;
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      return decrypt ? VIRTIO_CRYPTO_AEAD_DECRYPT : VIRTIO_CRYPTO_AEAD_ENCRYPT;
    default:
      return VIRTIO_CRYPTO_MAC;
  }
}

function common(
  { parameters, sessionId }: Operator,
  opcode: number,
): Pick<
  DataParameters,
  "opcode" | "algorithm" | "sessionId" | "stateless"
> {
  return {
    opcode,
    algorithm: parameters.algorithm,
    sessionId: sessionId ?? 0n,
    stateless: sessionId === undefined ? parameters : undefined,
  };
}

function rangesOf(operation: ChainOperation): ChainRanges {
  const { data, cipherStart = 0, hashStart = 0 } = operation;
  const {
    cipherLength = Math.max(0, data.length - cipherStart),
    hashLength = Math.max(0, data.length - hashStart),
  } = operation;
  return { cipherStart, cipherLength, hashStart, hashLength };
}

function destinationLengthOf(
  opcode: number,
  data: Uint8Array,
  tagLength: number,
): number {
  switch (opcode) {
    case VIRTIO_CRYPTO_CIPHER_ENCRYPT:
    case VIRTIO_CRYPTO_CIPHER_DECRYPT:
      return data.length;
    case VIRTIO_CRYPTO_AEAD_ENCRYPT:
      return data.length + tagLength;
    case VIRTIO_CRYPTO_AEAD_DECRYPT:
      // A source shorter than its tag is for the device to refuse.
      return Math.max(0, data.length - tagLength);
    default:
      return 0;
  }
}

/** The status is the last byte of the writable part, whatever precedes. */
function checkStatus(answer: Uint8Array): void {
  const status = answer[answer.length - 1]!;
  if (status !== VIRTIO_CRYPTO_OK) {
    throw new CryptoStatusError("run the operation", status);
  }
}
