/**
 * Requests of the control queue (v15, "Control Virtqueue"), in the unpadded
 * form of the document and in the padded one of Linux, DPDK and QEMU.
 *
 * @module
 */

import {
  serviceOf,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_NOTSUPP,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "./constants.ts";
import type { SessionParameters } from "./session_parameters.ts";

/** Size of the general header in bytes. */
export const CONTROL_HEADER_SIZE = 16;
/** le32: VIRTIO_CRYPTO_CIPHER_CREATE_SESSION and so on. */
const OPCODE = 0;
// le32 algo at 4 and le32 flag at 8: nothing depends on them
/** le32: a data queue. */
const QUEUE_ID = 12;

/** The second byte of the opcodes that create a session. */
const CREATE = 0x02;
/** The second byte of the opcodes that destroy one. */
const DESTROY = 0x03;

const AT = CONTROL_HEADER_SIZE;

/** Size the padded form gives every fixed part. */
export const CONTROL_PADDED_SIZE = 56;
/** Size of the symmetric fixed part: the union of 48, op_type, padding. */
const SYM_SIZE = 56;
/** le32, then le32 padding. */
const SYM_OP_TYPE = AT + 48;
// struct virtio_crypto_cipher_session_para
/** le32. */
const CIPHER_ALGO = AT;
/** le32. */
const CIPHER_KEYLEN = AT + 4;
/** le32, then le32 padding. */
const CIPHER_OP = AT + 8;

// struct virtio_crypto_hash_session_para
const HASH_SIZE = 8;
/** le32. */
const HASH_ALGO = AT;
/** le32. */
const HASH_RESULT_LEN = AT + 4;

// struct virtio_crypto_mac_session_para
const MAC_SIZE = 16;
/** le32. */
const MAC_ALGO = AT;
/** le32. */
const MAC_RESULT_LEN = AT + 4;
/** le32, then le32 padding. */
const MAC_AUTH_KEY_LEN = AT + 8;

// struct virtio_crypto_aead_session_para
const AEAD_SIZE = 24;
/** le32. */
const AEAD_ALGO = AT;
/** le32. */
const AEAD_KEY_LEN = AT + 4;
/** le32, then le32 aad_len. */
const AEAD_TAG_LEN = AT + 8;
/** le32, then le32 padding. */
const AEAD_OP = AT + 16;

// struct virtio_crypto_destroy_session_req
const DESTROY_SIZE = 8;
/** le64. */
const DESTROY_SESSION_ID = AT;

/**
 * The longest control request any layout has, in bytes: fixed part and the
 * longest cipher and authentication keys. What is longer is malformed.
 */
export const CONTROL_REQUEST_MAX = AT + CONTROL_PADDED_SIZE + 256 + 512;

/** What a control request asks for. */
export type ControlRequest =
  | {
    readonly kind: "create";
    /** What the session shall be; its key is a view of the request. */
    readonly parameters: SessionParameters;
    /** The data queue the driver says it will use. */
    readonly queueId: number;
    /** Whether the request is as long as its key lengths say. */
    readonly lengthFits: boolean;
  }
  | {
    readonly kind: "destroy";
    /** VIRTIO_CRYPTO_SERVICE_* number, from the opcode. */
    readonly service: number;
    /** Low half of the id. */
    readonly sessionLow: number;
    /** High half of the id. */
    readonly sessionHigh: number;
  }
  | {
    readonly kind: "refused";
    /** VIRTIO_CRYPTO_ERR or VIRTIO_CRYPTO_NOTSUPP. */
    readonly status: number;
    /**
     * The form of its answer: a creation's, a destruction's, or, where the
     * request does not tell, the one the writable part has room for.
     */
    readonly answer: "create" | "destroy" | "either";
  };

function refused(
  status: number,
  answer: "create" | "destroy" | "either",
): ControlRequest {
  return { kind: "refused", status, answer };
}

/**
 * Decodes a control request. Checked here: the header is complete (else ERR);
 * opcode and service are offered (else NOTSUPP); the fixed part is complete
 * (else ERR). Whether the whole length fits is only noted, since the values of
 * the fixed part are judged first.
 *
 * @param bytes the readable part, in private memory
 * @param services one bit a service the device offers
 * @returns what the request asks for
 */
export function decodeControlRequest(
  bytes: Uint8Array<ArrayBuffer>,
  services: number,
): ControlRequest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes.length;
  if (length < AT) return refused(VIRTIO_CRYPTO_ERR, "either");
  const opcode = view.getUint32(OPCODE, true);
  const service = serviceOf(opcode);
  const operation = opcode & 0xff;
  if (
    service > VIRTIO_CRYPTO_SERVICE_AEAD ||
    (operation !== CREATE && operation !== DESTROY)
  ) return refused(VIRTIO_CRYPTO_NOTSUPP, "either");
  if (!(services >> service & 1)) {
    return refused(
      VIRTIO_CRYPTO_NOTSUPP,
      operation === DESTROY ? "destroy" : "create",
    );
  }
  if (operation === DESTROY) {
    if (
      length !== AT + DESTROY_SIZE && length !== AT + CONTROL_PADDED_SIZE
    ) return refused(VIRTIO_CRYPTO_ERR, "destroy");
    return {
      kind: "destroy",
      service,
      sessionLow: view.getUint32(DESTROY_SESSION_ID, true),
      sessionHigh: view.getUint32(DESTROY_SESSION_ID + 4, true),
    };
  }

  const size = FIXED_SIZE[service]!;
  if (length < AT + size) return refused(VIRTIO_CRYPTO_ERR, "create");
  const queueId = view.getUint32(QUEUE_ID, true);
  let opType = 0;
  let algorithm = 0;
  let op = 0;
  let resultLength = 0;
  let keyLength = 0;
  switch (service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      opType = view.getUint32(SYM_OP_TYPE, true);
      if (opType === VIRTIO_CRYPTO_SYM_OP_CIPHER) {
        algorithm = view.getUint32(CIPHER_ALGO, true);
        keyLength = view.getUint32(CIPHER_KEYLEN, true);
        op = view.getUint32(CIPHER_OP, true);
      }
      break;
    case VIRTIO_CRYPTO_SERVICE_HASH:
      algorithm = view.getUint32(HASH_ALGO, true);
      resultLength = view.getUint32(HASH_RESULT_LEN, true);
      break;
    case VIRTIO_CRYPTO_SERVICE_MAC:
      algorithm = view.getUint32(MAC_ALGO, true);
      resultLength = view.getUint32(MAC_RESULT_LEN, true);
      keyLength = view.getUint32(MAC_AUTH_KEY_LEN, true);
      break;
    default:
      algorithm = view.getUint32(AEAD_ALGO, true);
      keyLength = view.getUint32(AEAD_KEY_LEN, true);
      resultLength = view.getUint32(AEAD_TAG_LEN, true);
      op = view.getUint32(AEAD_OP, true);
  }
  // Two forms: the length tells which came. keyLength is below 2^32 and the
  // sums are numbers, so nothing wraps.
  const unpadded = length === AT + size + keyLength;
  const padded = length === AT + CONTROL_PADDED_SIZE + keyLength;
  const keyAt = unpadded ? AT + size : AT + CONTROL_PADDED_SIZE;
  // Where the length is wrong, the key is what there is of it: its size is
  // judged by keyLength before the length is.
  const key = unpadded || padded
    ? bytes.subarray(keyAt, keyAt + keyLength)
    : undefined;
  return {
    kind: "create",
    parameters: {
      service,
      opType,
      algorithm,
      op,
      resultLength,
      keyLength,
      key: key ?? NO_KEY,
    },
    queueId,
    lengthFits: key !== undefined,
  };
}

const NO_KEY = new Uint8Array(0);

/** Size of each service's fixed part, by service number. */
const FIXED_SIZE: readonly number[] = [
  SYM_SIZE,
  HASH_SIZE,
  MAC_SIZE,
  AEAD_SIZE,
];

/** Size of a creation's answer, struct virtio_crypto_session_input. */
export const CREATE_ANSWER_SIZE = 16;
/** Size of a destruction's answer: le32 status, le32 padding. */
export const DESTROY_ANSWER_SIZE = 8;

/**
 * Writes a creation's answer.
 *
 * @param target receives le64 session_id, le32 status, le32 padding
 * @param low low half of the id; 0 on failure
 * @param high high half of the id; 0 on failure
 * @param status VIRTIO_CRYPTO_*
 * @returns its length in bytes
 */
export function encodeCreateAnswer(
  target: DataView,
  low: number,
  high: number,
  status: number,
): number {
  const ok = status === VIRTIO_CRYPTO_OK;
  target.setUint32(0, ok ? low : 0, true);
  target.setUint32(4, ok ? high : 0, true);
  target.setUint32(8, status, true);
  target.setUint32(12, 0, true);
  return CREATE_ANSWER_SIZE;
}

/**
 * Writes a destruction's answer: struct of 8 bytes where there is room for it,
 * else the single byte that Linux and QEMU use.
 *
 * @param target receives the answer
 * @param writable bytes the driver gave for it, at least 1
 * @param status VIRTIO_CRYPTO_*
 * @returns its length in bytes
 */
export function encodeDestroyAnswer(
  target: DataView,
  writable: number,
  status: number,
): number {
  if (writable < DESTROY_ANSWER_SIZE) {
    target.setUint8(0, status);
    return 1;
  }
  target.setUint32(0, status, true);
  target.setUint32(4, 0, true);
  return DESTROY_ANSWER_SIZE;
}
