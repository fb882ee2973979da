/**
 * Requests from bytes to values, for programs that look at what a driver sent:
 * tests of drivers, tracers, VMMs. It is the device's own decoding.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_NOTSUPP,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
} from "./constants.ts";
import { decodeControlRequest } from "./control_request.ts";
import { decodeDataRequest } from "./data_decoder.ts";
import {
  DATA_FIXED_MAX,
  DATA_HEADER_SIZE,
  DataRequest,
  parametersOf,
} from "./data_request.ts";
import { nameOf } from "./names.ts";
import {
  type RequestLayout,
  requestLayout,
  type SpecName,
} from "./request_layout.ts";
import type { SessionParameters } from "./session_parameters.ts";

/** What device and driver agreed on, which decides the layout of requests. */
export interface Negotiated {
  /**
   * The document whose features the device offered: "1.4" when left out. It
   * tells what bits 1 to 4 of `features` mean.
   */
  readonly spec?: SpecName | undefined;
  /**
   * The negotiated feature bits; none of the device type when left out, which
   * is a legacy driver such as Linux'.
   */
  readonly features?: bigint | undefined;
  /** The services the device offers, one bit each; all when left out. */
  readonly services?: number | undefined;
}

/** The bytes are no request of the layout; the device would refuse it. */
export class RequestFormatError extends Error {
  /** The name of the class. */
  override readonly name = "RequestFormatError";
  /** The status it gets: VIRTIO_CRYPTO_ERR or VIRTIO_CRYPTO_NOTSUPP. */
  readonly status: number;

  /**
   * Makes the error.
   *
   * @param message what cannot be decoded, and why
   * @param status the status that the device would answer
   */
  constructor(message: string, status: number) {
    super(`${message} (${nameOf("status", status)})`);
    this.status = status;
  }
}

/** What a control request asks for. */
export type ParsedControlRequest =
  | {
    readonly kind: "create";
    /** What the session shall be; its key is a copy. */
    readonly parameters: SessionParameters;
    /** The data queue the driver says it will use. */
    readonly queueId: number;
  }
  | {
    readonly kind: "destroy";
    /** VIRTIO_CRYPTO_SERVICE_* number, from the opcode. */
    readonly service: number;
    /** The session. */
    readonly sessionId: bigint;
  };

/** The fields that only a chain has. Offsets and lengths are in bytes. */
export interface ParsedChain {
  /** cipher_start_src_offset. */
  readonly cipherStart: number;
  /** len_to_cipher. */
  readonly cipherLength: number;
  /** hash_start_src_offset. */
  readonly hashStart: number;
  /** len_to_hash. */
  readonly hashLength: number;
}

/** What a data request asks for. Lengths are in bytes, arrays are copies. */
export interface ParsedDataRequest {
  /** VIRTIO_CRYPTO_CIPHER_ENCRYPT and so on. */
  readonly opcode: number;
  /** VIRTIO_CRYPTO_SERVICE_* number, from the opcode. */
  readonly service: number;
  /** The session; undefined where the request brings its parameters along. */
  readonly sessionId: bigint | undefined;
  /** VIRTIO_CRYPTO_SYM_OP_* of the CIPHER service; 0 in others. */
  readonly opType: number;
  /** Parameters and keys, where there is no session. */
  readonly parameters: SessionParameters | undefined;
  /** Ranges of the source, where it is a chain. */
  readonly chain: ParsedChain | undefined;
  /** iv_len. */
  readonly ivLength: number;
  /** The iv's field: `ivLength` bytes, or 16 in the full form of GCM and CCM. */
  readonly iv: Uint8Array<ArrayBuffer>;
  /** The source. */
  readonly source: Uint8Array<ArrayBuffer>;
  /** Additional authenticated data. */
  readonly aad: Uint8Array<ArrayBuffer>;
  /** dst_data_len. */
  readonly destinationLength: number;
  /** hash_result_len. */
  readonly resultLength: number;
  /** tag_len; undefined where the layout has none and the session's counts. */
  readonly tagLength: number | undefined;
  /** Bytes behind what the lengths name, which the legacy layout ignores. */
  readonly excess: number;
}

/** Bytes of an AEAD iv field in its full form (v15, "AEAD Service Operation"). */
const FULL_IV = 16;

function layoutOf(negotiated: Negotiated): RequestLayout {
  const { spec = "1.4", features = 0n, services = 0b1111 } = negotiated;
  return requestLayout(spec, services, features, false);
}

/**
 * Reads a request of the control queue (v15, "Control Virtqueue"; virtio 1.4,
 * 5.9.7.2), in the unpadded form or in the padded one of Linux, DPDK and QEMU.
 * Values are not judged: that is for the device, or for {@linkcode
 * explainRequest}.
 *
 * @param bytes the device-readable part
 * @param negotiated what was negotiated: with REVISION_1 there is no padded
 * form
 * @returns what it asks for
 * @throws {RequestFormatError} Header or fixed part are not complete, the
 * opcode is none or its service is not offered, or the length is not what the
 * key lengths say
 *
 * @example
 * ```ts
 * import { parseControlRequest } from "../../mod.ts";
 *
 * // Destroy the AES-CBC session 0x100000002, as Linux asks for it.
 * const bytes = new Uint8Array(16 + 56);
 * const view = new DataView(bytes.buffer);
 * view.setUint32(0, 0x003, true); // VIRTIO_CRYPTO_CIPHER_DESTROY_SESSION
 * view.setBigUint64(16, 0x1_0000_0002n, true);
 * console.log(parseControlRequest(bytes));
 * // { kind: "destroy", service: 0, sessionId: 4294967298n }
 * ```
 */
export function parseControlRequest(
  bytes: Uint8Array,
  negotiated: Negotiated = {},
): ParsedControlRequest {
  const request = decodeControlRequest(
    Uint8Array.from(bytes),
    layoutOf(negotiated),
  );
  const what = `a control request of ${bytes.length} bytes`;
  switch (request.kind) {
    case "destroy": {
      const { kind, service, sessionLow, sessionHigh } = request;
      return { kind, service, sessionId: idOf(sessionLow, sessionHigh) };
    }
    case "create": {
      const { kind, parameters, queueId, lengthFits } = request;
      if (lengthFits) return { kind, parameters, queueId };
      throw new RequestFormatError(
        `Cannot decode ${what}: its keys have ${
          parameters.keyLength + parameters.authKeyLength
        } bytes`,
        VIRTIO_CRYPTO_ERR,
      );
    }
    case "refused":
      throw new RequestFormatError(
        `Cannot decode ${what}: ${
          request.status === VIRTIO_CRYPTO_NOTSUPP
            ? "its opcode is none of an offered service"
            : "it has not the length of its header and fixed part"
        }`,
        request.status,
      );
  }
}

/**
 * Reads a request of a data queue (v15, "Data Virtqueue"; virtio 1.4, 5.9.7.6),
 * in the layout that follows from the negotiation and from `flag`. Values are
 * not judged: that is for the device, or for {@linkcode explainRequest}.
 *
 * @param bytes the device-readable part
 * @param negotiated what was negotiated
 * @returns what it asks for
 * @throws {RequestFormatError} The opcode is none or its service is not
 * offered, `flag` is not one that the negotiation allows, the request ends
 * before what its lengths name, or it goes on behind that in a layout that has
 * exact lengths
 *
 * @example
 * ```ts
 * import { parseDataRequest } from "../../mod.ts";
 *
 * // The digest of "abc" in session 1, as Linux asks for it.
 * const bytes = new Uint8Array(24 + 48 + 3);
 * const view = new DataView(bytes.buffer);
 * view.setUint32(0, 0x100, true); // VIRTIO_CRYPTO_HASH
 * view.setBigUint64(8, 1n, true); // session_id
 * view.setUint32(24, 3, true); // src_data_len
 * view.setUint32(28, 32, true); // hash_result_len
 * bytes.set([97, 98, 99], 72);
 * const { sessionId, source, resultLength } = parseDataRequest(bytes);
 * console.log(sessionId, source, resultLength); // 1n [97, 98, 99] 32
 * ```
 */
export function parseDataRequest(
  bytes: Uint8Array,
  negotiated: Negotiated = {},
): ParsedDataRequest {
  const head = new Uint8Array(DATA_FIXED_MAX);
  const length = Math.min(bytes.length, DATA_FIXED_MAX);
  head.set(bytes.subarray(0, length));
  const request = new DataRequest();
  const status = decodeDataRequest(
    new Uint32Array(head.buffer),
    0,
    length,
    layoutOf(negotiated),
    request,
  );
  const what = `a data request of ${bytes.length} bytes`;
  if (status !== VIRTIO_CRYPTO_OK) {
    throw new RequestFormatError(
      `Cannot decode ${what}: ${
        bytes.length < DATA_HEADER_SIZE
          ? `its header has ${DATA_HEADER_SIZE}`
          : status === VIRTIO_CRYPTO_NOTSUPP
          ? "opcode, service or mode are not offered"
          : "its flag is not one of the layout, or its fixed part is not complete"
      }`,
      status,
    );
  }
  return cut(bytes, request, what);
}

/** Cuts the fields of variable length out of a request. */
function cut(
  bytes: Uint8Array,
  request: DataRequest,
  what: string,
): ParsedDataRequest {
  const keys = request.sessionMode
    ? 0
    : request.keyLength + request.authKeyLength;
  // Sums of numbers below 2^32: exact.
  const named = request.variableAt + keys + request.ivLength +
    request.sourceLength + request.aadLength;
  const full = request.service === VIRTIO_CRYPTO_SERVICE_AEAD &&
    bytes.length === named - request.ivLength + FULL_IV;
  const excess = full ? 0 : bytes.length - named;
  if (excess < 0 || (excess > 0 && request.exact)) {
    throw new RequestFormatError(
      `Cannot decode ${what}: its lengths name ${named}`,
      VIRTIO_CRYPTO_ERR,
    );
  }
  let at = request.variableAt;
  const take = (length: number): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(bytes.subarray(at, at += length));
  const key = take(keys);
  const iv = take(full ? FULL_IV : request.ivLength);
  const first = request.aadFirst ? take(request.aadLength) : undefined;
  const source = take(request.sourceLength);
  const aad = first ?? take(request.aadLength);
  const { opcode, service, opType, ivLength, tagLength } = request;
  return {
    opcode,
    service,
    sessionId: request.sessionMode
      ? idOf(request.sessionLow, request.sessionHigh)
      : undefined,
    opType,
    parameters: request.sessionMode
      ? undefined
      : { ...parametersOf(request), key },
    chain: service === VIRTIO_CRYPTO_SERVICE_CIPHER &&
        opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING
      ? {
        cipherStart: request.cipherStart,
        cipherLength: request.cipherLength,
        hashStart: request.hashStart,
        hashLength: request.hashLength,
      }
      : undefined,
    ivLength,
    iv,
    source,
    aad,
    destinationLength: request.destinationLength,
    resultLength: request.resultLength,
    tagLength: tagLength < 0 ? undefined : tagLength,
    excess,
  };
}

function idOf(low: number, high: number): bigint {
  return BigInt(high) << 32n | BigInt(low);
}
