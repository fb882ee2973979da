/**
 * A data request, decoded for people.
 *
 * @module
 */

import type { Algorithm } from "../engine/algorithm.ts";
import {
  VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE,
  VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import { DATA_HEADER_SIZE, type DataRequest } from "../spec/data_request.ts";
import * as tables from "../spec/data_structures.ts";
import { SERVICE_NAMES } from "../spec/names.ts";
import type { Structure } from "../spec/structure.ts";
import {
  dataProblems,
  decodeHead,
  type Head,
  operationOf,
} from "./data_problems.ts";
import type {
  Decoded,
  DecodedStructure,
  Part,
  Surroundings,
} from "./decoded.ts";
import { fieldsOf, type PlacedStructure } from "./fields.ts";
import { ivField, namedLength } from "./job_problems.ts";
import type { Reading } from "./reading.ts";

/** Bytes of iv and source that are shown. */
const SHOWN = 16;

/** Bytes of the fixed part that only the padded layout has. */
const PADDED = 48;
/** Fields of the AEAD structure that the padded layout has: tag_len is none. */
const PADDED_AEAD = 16;

/** The structures of the fixed part, which its size tells. */
function fixedPart(request: DataRequest): readonly PlacedStructure[] {
  const at = DATA_HEADER_SIZE;
  const size = request.variableAt - at;
  const padded = size === PADDED;
  if (request.service === VIRTIO_CRYPTO_SERVICE_CIPHER) {
    const [cipher, chain, tail]: Structure<string>[] = size === PADDED
      ? [tables.CIPHER_PARA, tables.CHAIN_PARA, tables.SYM_TAIL]
      : [
        tables.CIPHER_PARA_STATELESS,
        tables.CHAIN_PARA_STATELESS,
        size === tables.CHAIN_PARA_STATELESS.size + tables.SYM_TAIL.size
          ? tables.SYM_TAIL
          : tables.SYM_TAIL_UNPADDED,
      ];
    const union = request.opType === VIRTIO_CRYPTO_SYM_OP_CIPHER
      ? cipher!
      : chain!;
    const placed = [
      { structure: union, at, size: union.size },
      { structure: tail!, at: at + union.size, size: tail!.size },
    ];
    // Of another op_type nothing says what the union holds.
    return request.opType === VIRTIO_CRYPTO_SYM_OP_CIPHER ||
        request.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING
      ? placed
      : placed.slice(1);
  }
  if (request.service === VIRTIO_CRYPTO_SERVICE_AEAD) {
    return size === tables.AEAD_PARA_STATELESS.size
      ? [{ structure: tables.AEAD_PARA_STATELESS, at, size }]
      : padded
      ? [
        { structure: tables.AEAD_PARA, at, size: PADDED_AEAD },
        { structure: REST, at: at + PADDED_AEAD, size: PADDED - PADDED_AEAD },
      ]
      : [{ structure: tables.AEAD_PARA, at, size }];
  }
  const mac = request.service === VIRTIO_CRYPTO_SERVICE_MAC;
  const stateless = mac
    ? tables.MAC_PARA_STATELESS
    : tables.HASH_PARA_STATELESS;
  const plain = mac ? tables.MAC_PARA : tables.HASH_PARA;
  return [{
    structure: size === stateless.size ? stateless : plain,
    at,
    size,
  }];
}

/** What pads the padded layout's AEAD structure. */
const REST: Structure<string> = {
  name: tables.AEAD_PARA.name,
  clause: tables.AEAD_PARA.clause,
  size: 0,
  at: {},
  fields: [],
};

const HEADER: PlacedStructure = {
  structure: tables.OP_HEADER,
  at: 0,
  size: DATA_HEADER_SIZE,
};

/**
 * Where the structures of a request lie.
 *
 * @param request the request; undefined where its header is not legal
 * @returns the header, then the fixed part where that is known
 */
export function placedStructures(
  request: DataRequest | undefined,
): readonly PlacedStructure[] {
  return request === undefined ? [HEADER] : [HEADER, ...fixedPart(request)];
}

/**
 * The structures of a request.
 *
 * @param bytes header and fixed part, as far as they are there
 * @param request the request; undefined where its header is not legal
 * @returns the header, then the fixed part where that is known
 */
export function structuresOf(
  bytes: Uint8Array<ArrayBuffer>,
  request: DataRequest | undefined,
): readonly DecodedStructure[] {
  return placedStructures(request).map((placed) => ({
    name: placed.structure.name,
    clause: placed.structure.clause,
    fields: fieldsOf(bytes, placed, request?.service ?? 0, {
      opcode: "dataOpcode",
      flag: placed === HEADER ? "flag" : undefined,
    }),
  }));
}

/** The variable parts of the readable part, in their order. */
function readableParts(
  bytes: Uint8Array<ArrayBuffer>,
  readable: number,
  request: DataRequest,
  algorithm: Algorithm | undefined,
  shows: boolean,
): readonly Part[] {
  const parts: Part[] = [];
  let at = request.variableAt;
  const push = (name: string, length: number, show: boolean): void => {
    if (length === 0) return;
    parts.push({
      name,
      offset: at,
      length,
      start: show && shows
        ? bytes.subarray(at, at + Math.min(length, SHOWN))
        : undefined,
    });
    // Sums of fields below 2^32: exact.
    at += length;
  };
  const keys = request.service === VIRTIO_CRYPTO_SERVICE_MAC
    ? "auth_key"
    : request.service === VIRTIO_CRYPTO_SERVICE_AEAD
    ? "key"
    : "cipher_key";
  push(keys, request.keyLength, false);
  push("auth_key", request.authKeyLength, false);
  push("iv", ivField(request, algorithm, readable), true);
  if (request.aadFirst) push("aad", request.aadLength, false);
  push("src_data", request.sourceLength, true);
  if (!request.aadFirst) push("aad", request.aadLength, false);
  if (at < readable) push("(not named)", readable - at, false);
  return parts;
}

function writableParts(
  request: DataRequest,
  length: number,
): readonly Part[] {
  const parts: Part[] = [];
  const push = (name: string, offset: number, size: number): void => {
    if (size > 0) {
      parts.push({ name, offset, length: size, start: undefined });
    }
  };
  push("dst_data", 0, request.destinationLength);
  push("hash_result", request.destinationLength, request.resultLength);
  if (length > 0) push("inhdr.status", length - 1, 1);
  return parts;
}

/**
 * Decodes a data request.
 *
 * @param bytes its readable part
 * @param reading how to read it
 * @param around what is known beside it
 * @returns the request for people
 */
export function decodeData(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  around: Surroundings,
): Decoded {
  const head = decodeHead(bytes, reading);
  const { request } = head;
  const readable = around.readable ?? bytes.length;
  const known = head.status === VIRTIO_CRYPTO_OK &&
    readable >= DATA_HEADER_SIZE;
  const complete = known && readable >= request.variableAt;
  const result = request.destinationLength + request.resultLength;
  const needed = known ? Math.min(result, around.maxSize) + 1 : 1;
  const writableLength = around.writable ?? needed;
  const algorithm = complete
    ? operationOf(request, around)?.algorithm
    : undefined;
  const exact = complete &&
    readable === namedLength(request) - request.ivLength +
        ivField(request, algorithm, readable);
  const problems = [
    ...dataProblems(bytes, reading, head, around),
  ];
  const { service } = request;
  return {
    reading,
    queue: "data",
    title: known
      ? `Data request of ${readable} bytes in ${
        request.sessionMode ? "session mode" : "non-session mode"
      }`
      : `Data request of ${readable} bytes`,
    structures: structuresOf(bytes, known ? request : undefined),
    readable: complete
      ? readableParts(
        bytes,
        readable,
        request,
        algorithm,
        exact && bytes.length === readable && mayShow(bytes, head, reading),
      )
      : [],
    writable: known ? writableParts(request, writableLength) : [],
    writableLength,
    exact,
    problems,
    notes: known ? notesOf(bytes, readable, request, reading, exact) : [],
    condition: complete && request.sessionMode && around.session === undefined
      ? `its session is live and of the ${
        SERVICE_NAMES[service]
      } service, and algorithm, direction and lengths are the session's (--session tells them)`
      : undefined,
    session: complete && request.sessionMode ? around.session : undefined,
  };
}

/** A padded request that says it brings keys along has them where none are. */
function mayShow(
  bytes: Uint8Array<ArrayBuffer>,
  { request }: Head,
  reading: Reading,
): boolean {
  return !request.sessionMode || reading.name !== "legacy" ||
    flagOf(bytes) <= VIRTIO_CRYPTO_FLAG_SESSION_MODE;
}

function flagOf(bytes: Uint8Array<ArrayBuffer>): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    .getUint32(tables.OP_HEADER.at.flag, true);
}

function notesOf(
  bytes: Uint8Array<ArrayBuffer>,
  readable: number,
  request: DataRequest,
  reading: Reading,
  exact: boolean,
): readonly string[] {
  const notes: string[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const algo = view.getUint32(tables.OP_HEADER.at.algo, true);
  if (algo !== 0) notes.push("algo of the header is ignored");
  const flag = flagOf(bytes);
  if (reading.layout.kind === "legacy" && flag > 0) {
    notes.push(
      flag === VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE
        ? "flag is NONE_SESSION_MODE (2): the legacy layout has no such mode, and a device that offers v15 reads this request as one of v15"
        : `flag is ${flag}, which says nothing in the legacy layout`,
    );
  }
  if (readable < request.variableAt) return notes;
  const size = request.variableAt - DATA_HEADER_SIZE;
  if (
    request.sessionMode && reading.name !== "legacy" && hasSessPara(size) &&
    bytes.subarray(DATA_HEADER_SIZE, DATA_HEADER_SIZE + 4).some((b) => b !== 0)
  ) notes.push("sess_para is ignored in session mode");
  if (!request.exact && !exact && readable > namedLength(request)) {
    notes.push(
      `${
        readable - namedLength(request)
      } bytes behind what the lengths name are ignored`,
    );
  }
  return notes;
}

function hasSessPara(size: number): boolean {
  return size !== PADDED && size !== tables.HASH_PARA.size &&
    size !== tables.AEAD_PARA.size;
}
