/**
 * The fields of a request by the documents' tables: where each stands, what it
 * holds and what that is called.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH,
} from "../spec/constants.ts";
import { type NamedKind, nameOf } from "../spec/names.ts";
import type { Field, Structure } from "../spec/structure.ts";

/** A structure at its place in a request. */
export interface PlacedStructure {
  /** The structure. */
  readonly structure: Structure<string>;
  /** Bytes from the request's start. */
  readonly at: number;
  /** Bytes it takes there, which may be more or less than its fields. */
  readonly size: number;
}

/** A field as it is in a request. */
export interface FieldValue {
  /** Its name in the document. */
  readonly name: string;
  /** Bytes from the request's start. */
  readonly offset: number;
  /** Bytes. */
  readonly width: number;
  /** What it holds; undefined where the request ends before it. */
  readonly value: bigint | undefined;
  /** What the documents call that value. */
  readonly constant: string | undefined;
  /** It means nothing, and what it holds is not shown: see valueText. */
  readonly padding: boolean;
}

/** Kinds of algorithm numbers by service. */
export const ALGORITHM_KINDS: readonly NamedKind[] = [
  "cipher",
  "hash",
  "mac",
  "aead",
];

const WIDTH = { le32: 4, le64: 8 } as const;

/** What the numbers of a field are called by. */
function kindOf(
  name: string,
  service: number,
  hashMode: number,
): NamedKind | undefined {
  switch (name) {
    case "algo":
    case "sess_para.algo":
      return ALGORITHM_KINDS[service];
    case "cipher_param.algo":
    case "sess_para.cipher.algo":
      return "cipher";
    case "u.algo":
    case "sess_para.hash.algo":
      return hashMode === VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH ? "mac" : "hash";
    case "op":
    case "cipher_param.op":
    case "sess_para.op":
    case "sess_para.cipher.op":
      return service === VIRTIO_CRYPTO_SERVICE_CIPHER ||
          service === VIRTIO_CRYPTO_SERVICE_AEAD
        ? "op"
        : undefined;
    case "op_type":
      return "opType";
    case "hash_mode":
    case "sess_para.hash.hash_mode":
      return "hashMode";
    case "alg_chain_order":
    case "sess_para.alg_chain_order":
      return "chainOrder";
    default:
      return undefined;
  }
}

/**
 * Whether a field means nothing.
 *
 * @param name its name
 * @returns true for padding and reserved ones
 */
export function isPadding(name: string): boolean {
  return /(^|\.)(padding|reserved)$/.test(name);
}

function read(
  view: DataView,
  at: number,
  type: Field["type"],
): bigint | undefined {
  if (at + WIDTH[type] > view.byteLength) return undefined;
  return type === "le64"
    ? view.getBigUint64(at, true)
    : BigInt(view.getUint32(at, true));
}

/**
 * The fields of a structure in a request.
 *
 * @param bytes the request
 * @param placed the structure
 * @param service VIRTIO_CRYPTO_SERVICE_* number
 * @param kinds names of numbers that the structure alone does not tell
 * @returns its fields in order
 */
export function fieldsOf(
  bytes: Uint8Array<ArrayBuffer>,
  placed: PlacedStructure,
  service: number,
  kinds: Readonly<Record<string, NamedKind | undefined>> = {},
): readonly FieldValue[] {
  const { structure, at, size } = placed;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const modeAt = structure.at["hash_mode"] ??
    structure.at["sess_para.hash.hash_mode"];
  const hashMode = modeAt === undefined
    ? 0
    : Number(read(view, at + modeAt, "le32") ?? 0n);
  const fields: FieldValue[] = [];
  let end = 0;
  for (const { name, type, offset } of structure.fields) {
    if (offset >= size) break;
    const value = read(view, at + offset, type);
    const kind = kinds[name] ?? kindOf(name, service, hashMode);
    const constant = value === undefined || kind === undefined
      ? undefined
      : nameOf(kind, Number(value)) ??
        (value === 0n ? undefined : "(reserved)");
    fields.push({
      name,
      offset: at + offset,
      width: WIDTH[type],
      value,
      constant,
      padding: isPadding(name),
    });
    end = offset + WIDTH[type];
  }
  if (end < size) fields.push(paddingOf(bytes, at + end, size - end));
  return fields;
}

/** The bytes of a structure behind its fields. */
function paddingOf(
  bytes: Uint8Array,
  offset: number,
  width: number,
): FieldValue {
  const rest = bytes.subarray(offset, offset + width);
  return {
    name: "(padding)",
    offset,
    width,
    value: rest.length < width
      ? undefined
      : BigInt(rest.some((byte) => byte !== 0) ? 1 : 0),
    constant: undefined,
    padding: true,
  };
}

/**
 * What a field holds, for people. Of padding it only says whether it is 0: a
 * request that was laid out wrongly may have its key there.
 *
 * @param field the field
 * @returns decimal and hexadecimal, and the name where there is one
 */
export function valueText(field: FieldValue): string {
  const { value, constant, padding } = field;
  if (value === undefined) return "(the request ends before it)";
  if (padding) return value === 0n ? "0" : "(not 0)";
  const number = `${value} (0x${value.toString(16)})`;
  return constant === undefined ? number : `${number} ${constant}`;
}
