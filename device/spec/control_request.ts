/**
 * Requests of the control queue (v15, "Control Virtqueue"; virtio 1.4,
 * 5.9.7.2), in the unpadded form of the documents and in the padded one of
 * Linux, DPDK and QEMU.
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
  VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "./constants.ts";
import {
  AEAD_SESSION_PARA,
  CHAIN_SESSION_PARA,
  CIPHER_SESSION_PARA,
  CTRL_HEADER,
  DESTROY_ANSWER,
  DESTROY_SESSION,
  HASH_SESSION_PARA,
  MAC_SESSION_PARA,
  SESSION_INPUT,
  SYM_SESSION_TAIL,
} from "./control_structures.ts";
import type { RequestLayout } from "./request_layout.ts";
import type {
  OperationParameters,
  SessionParameters,
} from "./session_parameters.ts";

/** The second byte of the opcodes that create a session. */
const CREATE = 0x02;
/** The second byte of the opcodes that destroy one. */
const DESTROY = 0x03;

const AT = CTRL_HEADER.size;

/** Size the padded form gives every fixed part. */
export const CONTROL_PADDED_SIZE = 56;

/** Size of each service's fixed part, by service number. */
const FIXED_SIZE: readonly number[] = [
  CIPHER_SESSION_PARA.size + SYM_SESSION_TAIL.size,
  HASH_SESSION_PARA.size,
  MAC_SESSION_PARA.size,
  AEAD_SESSION_PARA.size,
];

/**
 * The longest control request any layout has, in bytes: fixed part and the
 * longest cipher and authentication keys. What is longer is malformed.
 */
export const CONTROL_REQUEST_MAX: number = AT + CONTROL_PADDED_SIZE + 256 + 512;

/** What a control request asks for. */
export type ControlRequest =
  | {
    readonly kind: "create";
    /** What the session shall be; its keys are a view of the request. */
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
 * @param layout what was negotiated: with REVISION_1 there is no padded form
 * @returns what the request asks for
 */
export function decodeControlRequest(
  bytes: Uint8Array<ArrayBuffer>,
  layout: RequestLayout,
): ControlRequest {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = bytes.length;
  if (length < AT) return refused(VIRTIO_CRYPTO_ERR, "either");
  const opcode = view.getUint32(CTRL_HEADER.at.opcode, true);
  const service = serviceOf(opcode);
  const operation = opcode & 0xff;
  if (
    service > VIRTIO_CRYPTO_SERVICE_AEAD ||
    (operation !== CREATE && operation !== DESTROY)
  ) return refused(VIRTIO_CRYPTO_NOTSUPP, "either");
  if (!(layout.services >> service & 1)) {
    return refused(
      VIRTIO_CRYPTO_NOTSUPP,
      operation === DESTROY ? "destroy" : "create",
    );
  }
  return operation === DESTROY
    ? decodeDestroy(view, layout, service)
    : decodeCreate(bytes, view, layout, service);
}

/** Whether a length is one of a form's: a fixed part, then `variable` bytes. */
function forms(
  layout: RequestLayout,
  length: number,
  fixed: number,
  variable: number,
): { unpadded: boolean; padded: boolean } {
  // Lengths are below 2^32 and the sums are numbers, so nothing wraps.
  return {
    unpadded: length === AT + fixed + variable,
    padded: layout.kind !== "revision1" &&
      length === AT + CONTROL_PADDED_SIZE + variable,
  };
}

function decodeDestroy(
  view: DataView,
  layout: RequestLayout,
  service: number,
): ControlRequest {
  const form = forms(layout, view.byteLength, DESTROY_SESSION.size, 0);
  if (!form.unpadded && !form.padded) {
    return refused(VIRTIO_CRYPTO_ERR, "destroy");
  }
  const at = AT + DESTROY_SESSION.at.session_id;
  return {
    kind: "destroy",
    service,
    sessionLow: view.getUint32(at, true),
    sessionHigh: view.getUint32(at + 4, true),
  };
}

const NO_KEY = new Uint8Array(0);

function decodeCreate(
  bytes: Uint8Array<ArrayBuffer>,
  view: DataView,
  layout: RequestLayout,
  service: number,
): ControlRequest {
  const size = FIXED_SIZE[service]!;
  if (bytes.length < AT + size) return refused(VIRTIO_CRYPTO_ERR, "create");
  const operation = { ...NO_OPERATION, ...decodeFixed(view, service), service };
  const keys = operation.keyLength + operation.authKeyLength;
  const form = forms(layout, bytes.length, size, keys);
  const lengthFits = form.unpadded || form.padded;
  const keyAt = AT + (form.unpadded ? size : CONTROL_PADDED_SIZE);
  return {
    kind: "create",
    parameters: {
      ...operation,
      key: lengthFits ? bytes.subarray(keyAt, keyAt + keys) : NO_KEY,
    },
    queueId: view.getUint32(CTRL_HEADER.at.queue_id, true),
    lengthFits,
  };
}

const NO_OPERATION: OperationParameters = {
  service: 0,
  opType: 0,
  algorithm: 0,
  op: 0,
  keyLength: 0,
  chainOrder: 0,
  hashMode: 0,
  hashAlgorithm: 0,
  authKeyLength: 0,
  resultLength: 0,
};

/** Reads the fields that a service's fixed part has. */
function decodeFixed(
  view: DataView,
  service: number,
): Partial<OperationParameters> {
  const le32 = (offset: number): number => view.getUint32(AT + offset, true);
  switch (service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      return decodeSymmetric(le32);
    case VIRTIO_CRYPTO_SERVICE_HASH: {
      const { at } = HASH_SESSION_PARA;
      return {
        algorithm: le32(at.algo),
        resultLength: le32(at.hash_result_len),
      };
    }
    case VIRTIO_CRYPTO_SERVICE_MAC: {
      const { at } = MAC_SESSION_PARA;
      return {
        algorithm: le32(at.algo),
        resultLength: le32(at.hash_result_len),
        keyLength: le32(at.auth_key_len),
      };
    }
    default: {
      const { at } = AEAD_SESSION_PARA;
      return {
        algorithm: le32(at.algo),
        keyLength: le32(at.key_len),
        resultLength: le32(at.tag_len),
        op: le32(at.op),
      };
    }
  }
}

function decodeSymmetric(
  le32: (offset: number) => number,
): Partial<OperationParameters> {
  const opType = le32(CIPHER_SESSION_PARA.size + SYM_SESSION_TAIL.at.op_type);
  switch (opType) {
    case VIRTIO_CRYPTO_SYM_OP_CIPHER: {
      const { at } = CIPHER_SESSION_PARA;
      return {
        opType,
        algorithm: le32(at.algo),
        keyLength: le32(at.keylen),
        op: le32(at.op),
      };
    }
    case VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING: {
      const { at } = CHAIN_SESSION_PARA;
      const hashMode = le32(at.hash_mode);
      return {
        opType,
        algorithm: le32(at["cipher_param.algo"]),
        keyLength: le32(at["cipher_param.keylen"]),
        op: le32(at["cipher_param.op"]),
        chainOrder: le32(at.alg_chain_order),
        hashMode,
        hashAlgorithm: le32(at["u.algo"]),
        resultLength: le32(at["u.hash_result_len"]),
        // In the other modes the union holds no MAC.
        authKeyLength: hashMode === VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH
          ? le32(at["u.mac_param.auth_key_len"])
          : 0,
      };
    }
    default:
      return { opType };
  }
}

/** Size of a creation's answer. */
export const CREATE_ANSWER_SIZE: number = SESSION_INPUT.size;
/** Size of a destruction's answer, where there is room for it. */
export const DESTROY_ANSWER_SIZE: number = DESTROY_ANSWER.size;

/**
 * Writes a creation's answer.
 *
 * @param target receives struct virtio_crypto_session_input
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
  const { at, size } = SESSION_INPUT;
  const ok = status === VIRTIO_CRYPTO_OK;
  target.setUint32(at.session_id, ok ? low : 0, true);
  target.setUint32(at.session_id + 4, ok ? high : 0, true);
  target.setUint32(at.status, status, true);
  target.setUint32(at.padding, 0, true);
  return size;
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
  const { at, size } = DESTROY_ANSWER;
  if (writable < size) {
    target.setUint8(0, status);
    return 1;
  }
  target.setUint32(at.status, status, true);
  target.setUint32(at.padding, 0, true);
  return size;
}
