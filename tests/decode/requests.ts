/**
 * Well-formed requests of every layout and service, to decode and to break.
 *
 * @module
 */

import type { Algorithm } from "../../device/engine/algorithm.ts";
import { sessionOption } from "../../device/commands/decode/session_option.ts";
import type { Reading } from "../../device/explain/reading.ts";
import { algorithmOf } from "../../device/service/algorithms.ts";
import type { OperationParameters } from "../../device/spec/session_parameters.ts";
import type { Structure } from "../../device/spec/structure.ts";
import * as control from "../../device/spec/control_structures.ts";
import * as data from "../../device/spec/data_structures.ts";

/** Sessions of every kind of rule. */
export const SESSIONS: readonly string[] = [
  "aes-cbc",
  "aes-ecb,decrypt",
  "aes-ctr",
  "aes-xts",
  "arc4,decrypt",
  "aes-cbc+hmac-sha256",
  "sha1+aes-ctr,decrypt",
  "aes-xts+cmac-aes",
  "cbcmac-aes+3des-cbc",
  "aes-ctr+kasumi-f9",
  "sha256",
  "shake128",
  "hmac-sha1",
  "cbcmac-aes",
  "kasumi-f9",
  "gmac-aes",
  "aes-cbc+gmac-aes",
  "zuc-eia3",
  "aes-gcm",
  "aes-gcm,decrypt",
  "aes-ccm,tag=8",
  "aes-ccm,decrypt",
  "chacha20-poly1305",
];

/** How a data request is given. */
export interface DataForm {
  readonly reading: Reading;
  readonly sessionMode: boolean;
}

type Values = Readonly<Record<string, number>>;

const CHAIN = 2;

/**
 * The keys of all requests: not weak, and no byte twice.
 *
 * @param length bytes
 * @returns the key
 */
export function key(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => 0x40 + i);
}

function bytesOf(
  ...placed: readonly { structure: Structure<string>; values: Values }[]
): Uint8Array<ArrayBuffer> {
  const size = placed.reduce((n, { structure }) => n + structure.size, 0);
  const view = new DataView(new ArrayBuffer(size));
  let at = 0;
  for (const { structure, values } of placed) {
    for (const [name, value] of Object.entries(values)) {
      const offset = structure.at[name];
      if (offset !== undefined) view.setUint32(at + offset, value, true);
    }
    at += structure.size;
  }
  return new Uint8Array(view.buffer);
}

function joined(
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function padded(bytes: Uint8Array, size: number): Uint8Array {
  return joined(bytes, new Uint8Array(Math.max(0, size - bytes.length)));
}

/** A session's parameters, with a whole digest where one was not told. */
export function sessionOf(name: string): OperationParameters {
  return sessionOption(name);
}

function algorithmsOf(session: OperationParameters): {
  algorithm: Algorithm;
  hash: Algorithm | undefined;
} {
  const { service, opType, hashMode } = session;
  return {
    algorithm: algorithmOf(service, session.algorithm)!,
    hash: opType === CHAIN
      ? algorithmOf(hashMode === 2 ? 2 : 1, session.hashAlgorithm)
      : undefined,
  };
}

/**
 * A data request that the device serves.
 *
 * @param session what it asks for
 * @param form its layout and mode
 * @returns readable part, and bytes of the writable part
 */
export function goodData(
  session: OperationParameters,
  { reading, sessionMode }: DataForm,
): { bytes: Uint8Array<ArrayBuffer>; writable: number } {
  const { service, op, opType } = session;
  const { algorithm, hash } = algorithmsOf(session);
  const tag = service === 3 ? session.resultLength : 0;
  const decrypts = op === 2;
  const source = service === 3 && decrypts ? 48 + tag : 48;
  const iv = algorithm.kind === "mac" ? 0 : algorithm.iv.min;
  const aad = service === 3 ? 20 : hash?.kind === "mac" ? hash.iv.min : 0;
  const destination = service === 0
    ? source
    : service === 3
    ? decrypts ? 48 : 48 + tag
    : 0;
  const result = service === 3 || (service === 0 && hash === undefined)
    ? 0
    : session.resultLength;
  const sessPara: Values = {
    "sess_para.algo": session.algorithm,
    "sess_para.keylen": session.keyLength,
    "sess_para.key_len": session.keyLength,
    "sess_para.auth_key_len": session.keyLength,
    "sess_para.op": op,
    "sess_para.alg_chain_order": session.chainOrder,
    "sess_para.cipher.algo": session.algorithm,
    "sess_para.cipher.keylen": session.keyLength,
    "sess_para.cipher.op": op,
    "sess_para.hash.algo": session.hashAlgorithm,
    "sess_para.hash.auth_key_len": session.authKeyLength,
    "sess_para.hash.hash_mode": session.hashMode,
  };
  const values: Values = {
    ...(sessionMode ? {} : sessPara),
    iv_len: iv,
    src_data_len: source,
    dst_data_len: destination,
    cipher_start_src_offset: 0,
    len_to_cipher: 48,
    hash_start_src_offset: 16,
    len_to_hash: 32,
    aad_len: aad,
    hash_result_len: result,
    tag_len: tag,
    op_type: opType,
  };
  const { kind, modeServices } = reading.layout;
  const stateless = kind === "v15" || (modeServices >> service & 1) === 1;
  const chained = hash !== undefined;
  const structures: readonly Structure<string>[] = service === 0
    ? stateless
      ? [
        chained ? data.CHAIN_PARA_STATELESS : data.CIPHER_PARA_STATELESS,
        kind === "v15" ? data.SYM_TAIL : data.SYM_TAIL_UNPADDED,
      ]
      : [chained ? data.CHAIN_PARA : data.CIPHER_PARA, data.SYM_TAIL]
    : [
      (stateless
        ? [
          data.HASH_PARA_STATELESS,
          data.MAC_PARA_STATELESS,
          data.AEAD_PARA_STATELESS,
        ]
        : [data.HASH_PARA, data.MAC_PARA, data.AEAD_PARA])[service - 1]!,
    ];
  let fixed: Uint8Array = bytesOf(
    ...structures.map((structure) => ({ structure, values })),
  );
  if (kind === "legacy") {
    // tag_len is behind what the padded layout has.
    if (service === 3) fixed = fixed.slice(0, 16);
    fixed = padded(fixed, 48);
  }
  const header = bytesOf({
    structure: data.OP_HEADER,
    values: {
      opcode: service << 8 | (decrypts ? 1 : 0),
      flag: kind === "legacy" ? 0 : sessionMode ? 1 : kind === "v15" ? 2 : 0,
    },
  });
  const keys = sessionMode ? 0 : session.keyLength + session.authKeyLength;
  return {
    bytes: joined(
      header,
      fixed,
      key(keys),
      new Uint8Array(iv).fill(1),
      new Uint8Array(source).fill(2),
      new Uint8Array(aad).fill(3),
    ),
    writable: destination + result + 1,
  };
}

/**
 * A creation that the device serves.
 *
 * @param session what is to be created
 * @param isPadded whether its fixed part is padded
 * @returns its readable part
 */
export function goodCreation(
  session: OperationParameters,
  isPadded: boolean,
): Uint8Array<ArrayBuffer> {
  const { service, opType, keyLength, authKeyLength } = session;
  const values: Values = {
    algo: session.algorithm,
    keylen: keyLength,
    key_len: keyLength,
    auth_key_len: keyLength,
    op: session.op,
    hash_result_len: session.resultLength,
    tag_len: session.resultLength,
    op_type: opType,
    alg_chain_order: session.chainOrder,
    hash_mode: session.hashMode,
    "cipher_param.algo": session.algorithm,
    "cipher_param.keylen": keyLength,
    "cipher_param.op": session.op,
    "u.algo": session.hashAlgorithm,
    "u.hash_result_len": session.resultLength,
    "u.mac_param.auth_key_len": authKeyLength,
  };
  const structures: readonly Structure<string>[] = service === 0
    ? [
      opType === CHAIN
        ? control.CHAIN_SESSION_PARA
        : control.CIPHER_SESSION_PARA,
      control.SYM_SESSION_TAIL,
    ]
    : [
      [
        control.HASH_SESSION_PARA,
        control.MAC_SESSION_PARA,
        control.AEAD_SESSION_PARA,
      ][service - 1]!,
    ];
  const fixed = bytesOf(
    ...structures.map((structure) => ({ structure, values })),
  );
  return joined(
    bytesOf({
      structure: control.CTRL_HEADER,
      values: { opcode: service << 8 | 2 },
    }),
    isPadded ? padded(fixed, 56) : fixed,
    key(keyLength + authKeyLength),
  );
}

/**
 * A destruction.
 *
 * @param service the service of its opcode
 * @param isPadded whether its fixed part is padded
 * @returns its readable part, with an id of 0
 */
export function goodDestruction(
  service: number,
  isPadded: boolean,
): Uint8Array<ArrayBuffer> {
  return joined(
    bytesOf({
      structure: control.CTRL_HEADER,
      values: { opcode: service << 8 | 3 },
    }),
    new Uint8Array(isPadded ? 56 : 8),
  );
}
