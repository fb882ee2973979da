/**
 * Builders of control requests (v15, "Control Virtqueue"; virtio 1.4,
 * 5.9.7.2). The offsets are written out here a second time, apart from those
 * the device decodes by: a mistake in one is seen against the other.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import { CryptoStatusError } from "./errors.ts";
import { type Layout, type RequestBytes, requestBytes } from "./requests.ts";

/** struct virtio_crypto_ctrl_header: four le32. */
const HEADER = { opcode: 0, algo: 4, flag: 8, queueId: 12, size: 16 } as const;

/** What the legacy layout pads every fixed part to; the others do not pad. */
const LEGACY_SIZE = 56;

/**
 * struct virtio_crypto_sym_create_session_req: a union of 48 bytes, which a
 * plain cipher uses 16 of, then op_type and padding. All le32.
 */
const SYM = { algo: 0, keylen: 4, op: 8, opType: 48, size: 56 } as const;

/**
 * struct virtio_crypto_alg_chain_session_para, which takes the whole union:
 * order, hash_mode, a cipher's 16 bytes, 16 of a hash or MAC, aad_len, padding.
 */
const CHAIN = {
  order: 0,
  hashMode: 4,
  cipherAlgo: 8,
  cipherKeylen: 12,
  cipherOp: 16,
  hashAlgo: 24,
  hashResultLen: 28,
  authKeyLen: 32,
  aadLen: 40,
} as const;

/** struct virtio_crypto_hash_session_para: two le32. */
const HASH = { algo: 0, resultLen: 4, size: 8 } as const;

/** struct virtio_crypto_mac_session_para: three le32, padding. */
const MAC = { algo: 0, resultLen: 4, authKeyLen: 8, size: 16 } as const;

/** struct virtio_crypto_aead_session_para: five le32, padding. */
const AEAD = {
  algo: 0,
  keyLen: 4,
  tagLen: 8,
  aadLen: 12,
  op: 16,
  size: 24,
} as const;

/** struct virtio_crypto_destroy_session_req, its readable part: one le64. */
const DESTROY = { sessionId: 0, size: 8 } as const;

/** struct virtio_crypto_session_input: le64, le32, padding. */
const CREATED = { sessionId: 0, status: 8, size: 16 } as const;

/** A destruction's answer: le32 and padding in v15, else one u8. */
const DESTROYED_SIZE: Readonly<Record<Layout, number>> = {
  v15: 8,
  legacy: 1,
  revision1: 1,
};

const CREATE_SESSION = 0x02;
const DESTROY_SESSION = 0x03;

/**
 * A request that creates a session.
 *
 * @param layout the layout of the fixed part
 * @param parameters what the session shall be. The request holds its keys
 * themselves, not copies
 * @param queueId the data queue that will use it; revision 1 reserves the
 * field, and it is 0 there
 * @param aadLength bytes of additional authenticated data, for AEAD and chains
 * @returns fixed part, key and a chain's authentication key; 16 writable bytes
 * @throws {RangeError} There is no such service
 */
export function createSessionRequest(
  layout: Layout,
  parameters: SessionParameters,
  queueId: number,
  aadLength = 0,
): RequestBytes {
  const { service, algorithm, op, opType, resultLength, keyLength, key } =
    parameters;
  const view = fixedPart(layout, service, sizeOf(service), CREATE_SESSION);
  view.setUint32(HEADER.algo, algorithm, true);
  view.setUint32(HEADER.queueId, layout === "revision1" ? 0 : queueId, true);
  const at = HEADER.size;
  switch (service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      view.setUint32(at + SYM.opType, opType, true);
      if (opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING) {
        setChain(view, parameters, aadLength);
        break;
      }
      view.setUint32(at + SYM.algo, algorithm, true);
      view.setUint32(at + SYM.keylen, keyLength, true);
      view.setUint32(at + SYM.op, op, true);
      break;
    case VIRTIO_CRYPTO_SERVICE_HASH:
      view.setUint32(at + HASH.algo, algorithm, true);
      view.setUint32(at + HASH.resultLen, resultLength, true);
      break;
    case VIRTIO_CRYPTO_SERVICE_MAC:
      view.setUint32(at + MAC.algo, algorithm, true);
      view.setUint32(at + MAC.resultLen, resultLength, true);
      view.setUint32(at + MAC.authKeyLen, keyLength, true);
      break;
    default:
      view.setUint32(at + AEAD.algo, algorithm, true);
      view.setUint32(at + AEAD.keyLen, keyLength, true);
      view.setUint32(at + AEAD.tagLen, resultLength, true);
      view.setUint32(at + AEAD.aadLen, aadLength, true);
      view.setUint32(at + AEAD.op, op, true);
  }
  return requestBytes(
    bytesOf(view),
    [key.subarray(0, keyLength), key.subarray(keyLength)],
    [CREATED.size],
  );
}

function setChain(
  view: DataView<ArrayBuffer>,
  parameters: SessionParameters,
  aadLength: number,
): void {
  const set = (offset: number, value: number) =>
    view.setUint32(HEADER.size + offset, value, true);
  set(CHAIN.order, parameters.chainOrder);
  set(CHAIN.hashMode, parameters.hashMode);
  set(CHAIN.cipherAlgo, parameters.algorithm);
  set(CHAIN.cipherKeylen, parameters.keyLength);
  set(CHAIN.cipherOp, parameters.op);
  set(CHAIN.hashAlgo, parameters.hashAlgorithm);
  set(CHAIN.hashResultLen, parameters.resultLength);
  // Padding of the union where the mode has no key: 0 then.
  set(CHAIN.authKeyLen, parameters.authKeyLength);
  set(CHAIN.aadLen, aadLength);
}

/**
 * Reads what the device answered to a creation.
 *
 * @param answer the 16 writable bytes
 * @returns the session's id
 * @throws {CryptoStatusError} The device refused
 */
export function readCreated(answer: Uint8Array): bigint {
  const view = new DataView(
    answer.buffer,
    answer.byteOffset,
    answer.byteLength,
  );
  const status = view.getUint32(CREATED.status, true);
  if (status !== VIRTIO_CRYPTO_OK) {
    throw new CryptoStatusError("create a session", status);
  }
  return view.getBigUint64(CREATED.sessionId, true);
}

/**
 * A request that destroys a session.
 *
 * @param layout the layout of the fixed part and of the answer
 * @param service VIRTIO_CRYPTO_SERVICE_* number of the session
 * @param sessionId the session's id
 * @returns fixed part; 8 writable bytes in v15, else 1
 * @throws {RangeError} There is no such service
 */
export function destroySessionRequest(
  layout: Layout,
  service: number,
  sessionId: bigint,
): RequestBytes {
  sizeOf(service);
  const view = fixedPart(layout, service, DESTROY.size, DESTROY_SESSION);
  view.setBigUint64(HEADER.size + DESTROY.sessionId, sessionId, true);
  return requestBytes(bytesOf(view), [], [DESTROYED_SIZE[layout]]);
}

/**
 * Reads what the device answered to a destruction.
 *
 * @param answer the writable bytes, 8 or 1
 * @throws {CryptoStatusError} The device refused
 */
export function readDestroyed(answer: Uint8Array): void {
  const status = answer.length < DESTROYED_SIZE.v15
    ? answer[0]!
    : new DataView(answer.buffer, answer.byteOffset).getUint32(0, true);
  if (status !== VIRTIO_CRYPTO_OK) {
    throw new CryptoStatusError("destroy a session", status);
  }
}

function sizeOf(service: number): number {
  switch (service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      return SYM.size;
    case VIRTIO_CRYPTO_SERVICE_HASH:
      return HASH.size;
    case VIRTIO_CRYPTO_SERVICE_MAC:
      return MAC.size;
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      return AEAD.size;
    default:
      throw new RangeError(`Cannot ask for service ${service}`);
  }
}

function fixedPart(
  layout: Layout,
  service: number,
  size: number,
  operation: number,
): DataView<ArrayBuffer> {
  const padded = layout === "legacy" ? LEGACY_SIZE : size;
  const view = new DataView(new ArrayBuffer(HEADER.size + padded));
  view.setUint32(HEADER.opcode, service << 8 | operation, true);
  return view;
}

function bytesOf(view: DataView<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer);
}
