/**
 * The bytes of requests, built from the structures of the documents by the
 * names of their fields.
 *
 * @module
 */

import {
  AEAD_SESSION_PARA,
  CHAIN_SESSION_PARA,
  CIPHER_SESSION_PARA,
  CTRL_HEADER,
  DESTROY_SESSION,
  HASH_SESSION_PARA,
  MAC_SESSION_PARA,
} from "../../../device/spec/control_structures.ts";
import {
  AEAD_PARA,
  AEAD_PARA_STATELESS,
  CHAIN_PARA,
  CHAIN_PARA_STATELESS,
  CIPHER_PARA,
  CIPHER_PARA_STATELESS,
  HASH_PARA,
  HASH_PARA_STATELESS,
  MAC_PARA,
  MAC_PARA_STATELESS,
  OP_HEADER,
} from "../../../device/spec/data_structures.ts";
import type { Structure } from "../../../device/spec/structure.ts";
import type {
  Bent,
  CreateOperation,
  DestroyOperation,
  FormName,
  RequestOperation,
} from "./operations.ts";
import { Random } from "../random.ts";

/** Sizes of the fixed part by service, and where op_type is. */
const FORMS: Readonly<
  Record<FormName, { sizes: readonly number[]; opTypeAt: number }>
> = {
  "legacy": { sizes: [48, 48, 48, 48], opTypeAt: 40 },
  "revision1": { sizes: [48, 8, 8, 24], opTypeAt: 40 },
  "v15": { sizes: [80, 16, 16, 32], opTypeAt: 72 },
  "revision1-stateless": { sizes: [76, 16, 16, 32], opTypeAt: 72 },
};

/** A structure by its fields' names. */
export type AnyStructure = Structure<string>;

/**
 * Whether requests of a form bring `sess_para` along.
 *
 * @param form the form
 * @returns true when they do
 */
export function hasPara(form: FormName): boolean {
  return form === "v15" || form === "revision1-stateless";
}

/**
 * The structure of a fixed part.
 *
 * @param form the layout
 * @param service number of the service
 * @param chained whether it is a chain's
 * @returns the structure
 */
export function dataStructure(
  form: FormName,
  service: number,
  chained: boolean,
): AnyStructure {
  const para = hasPara(form);
  switch (service) {
    case 0:
      if (chained) return para ? CHAIN_PARA_STATELESS : CHAIN_PARA;
      return para ? CIPHER_PARA_STATELESS : CIPHER_PARA;
    case 1:
      return para ? HASH_PARA_STATELESS : HASH_PARA;
    case 2:
      return para ? MAC_PARA_STATELESS : MAC_PARA;
    default:
      return para ? AEAD_PARA_STATELESS : AEAD_PARA;
  }
}

/** Bends bytes that are right. */
function bend(
  bytes: Uint8Array<ArrayBuffer>,
  { words = [], extra = 0 }: Bent,
): Uint8Array<ArrayBuffer> {
  const bent = new Uint8Array(Math.max(0, bytes.length + extra));
  bent.set(bytes.subarray(0, bent.length));
  const view = new DataView(bent.buffer);
  for (const [at, value] of words) {
    if (at + 4 <= bent.length) view.setUint32(at, value, true);
  }
  return bent;
}

/** Writes le32 fields by name; names that the structure lacks are left out. */
function writeFields(
  view: DataView,
  at: number,
  structure: AnyStructure,
  fields: Readonly<Record<string, number>>,
): void {
  for (const { name, offset } of structure.fields) {
    const value = fields[name];
    if (value === undefined || at + offset + 4 > view.byteLength) continue;
    view.setUint32(at + offset, value, true);
  }
}

/**
 * The readable part of a data request.
 *
 * @param operation the request
 * @param session id that it names
 * @returns its bytes
 */
export function requestBytes(
  operation: RequestOperation,
  session: bigint,
): Uint8Array<ArrayBuffer> {
  const { form, opcode, chained, fields, variable, data } = operation;
  const service = (opcode >>> 8) & 3;
  const { sizes, opTypeAt } = FORMS[form];
  const fixed = OP_HEADER.size + sizes[service]!;
  const bytes = new Uint8Array(fixed + variable);
  const view = new DataView(bytes.buffer);
  view.setUint32(OP_HEADER.at.opcode, opcode, true);
  view.setBigUint64(OP_HEADER.at.session_id, session, true);
  view.setUint32(OP_HEADER.at.flag, operation.flag, true);
  const structure = dataStructure(form, service, chained);
  writeFields(
    new DataView(bytes.buffer, 0, fixed),
    OP_HEADER.size,
    structure,
    fields,
  );
  if (service === 0) {
    view.setUint32(OP_HEADER.size + opTypeAt, chained ? 2 : 1, true);
  }
  bytes.set(new Random(data).bytes(variable), fixed);
  return bend(bytes, operation);
}

const CONTROL_PADDED = 56;
const SYM_SIZE = 56;
const SYM_OP_TYPE_AT = 48;

/**
 * The readable part of a session's creation.
 *
 * @param operation the creation
 * @returns its bytes
 */
export function createBytes(
  operation: CreateOperation,
): Uint8Array<ArrayBuffer> {
  const { service, algorithm, keyLength, resultLength, chain } = operation;
  const structure: AnyStructure = service === 0
    ? (chain ? CHAIN_SESSION_PARA : CIPHER_SESSION_PARA)
    : [HASH_SESSION_PARA, MAC_SESSION_PARA, AEAD_SESSION_PARA][service - 1]!;
  const size = service === 0 ? SYM_SIZE : structure.size;
  const keys = (service === 1 ? 0 : keyLength) +
    (chain?.mode === 2 ? chain.authKeyLength : 0);
  const at = CTRL_HEADER.size;
  const keyAt = at + (operation.padded ? CONTROL_PADDED : size);
  const bytes = new Uint8Array(keyAt + keys);
  const view = new DataView(bytes.buffer);
  view.setUint32(CTRL_HEADER.at.opcode, service << 8 | 2, true);
  view.setUint32(CTRL_HEADER.at.queue_id, operation.queueId, true);
  writeFields(view, at, structure, {
    "algo": algorithm,
    "keylen": keyLength,
    "key_len": keyLength,
    "op": operation.direction,
    "hash_result_len": resultLength,
    "tag_len": resultLength,
    "auth_key_len": keyLength,
    "cipher_param.algo": algorithm,
    "cipher_param.keylen": keyLength,
    "cipher_param.op": operation.direction,
    "alg_chain_order": chain?.order ?? 0,
    "hash_mode": chain?.mode ?? 0,
    "u.algo": chain?.hash ?? 0,
    "u.hash_result_len": resultLength,
    "u.mac_param.auth_key_len": chain?.authKeyLength ?? 0,
  });
  if (service === 0) view.setUint32(at + SYM_OP_TYPE_AT, chain ? 2 : 1, true);
  bytes.set(new Random(operation.data).bytes(keys), keyAt);
  return bend(bytes, operation);
}

/**
 * The readable part of a session's destruction.
 *
 * @param operation the destruction
 * @param session id that it names
 * @returns its bytes
 */
export function destroyBytes(
  operation: DestroyOperation,
  session: bigint,
): Uint8Array<ArrayBuffer> {
  const at = CTRL_HEADER.size;
  const size = operation.padded ? CONTROL_PADDED : DESTROY_SESSION.size;
  const bytes = new Uint8Array(at + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(CTRL_HEADER.at.opcode, operation.service << 8 | 3, true);
  view.setBigUint64(at, session, true);
  return bend(bytes, operation);
}
