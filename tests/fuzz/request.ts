/**
 * Data requests that are nearly right: built from the structures of a layout
 * with lengths that fit, then broken in a field, in their length, or in the
 * way they are cut into segments.
 *
 * @module
 */

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
} from "../../device/spec/data_structures.ts";
import type { Structure } from "../../device/spec/structure.ts";
import { SERVICE_ALGORITHMS } from "../../device/service/algorithms.ts";
import type { Random } from "./random.ts";

/** Whether fixed parts are padded, have sess_para, and how long they are. */
export interface Family {
  /** Its name, for reports. */
  readonly name: string;
  /** Has sess_para. */
  readonly stateless: boolean;
  /** Size of the fixed part by service. */
  readonly sizes: readonly number[];
  /** Offset of op_type behind the header. */
  readonly opTypeAt: number;
  /** Values of `flag` that it is told by. */
  readonly flags: readonly number[];
}

/** The families of layouts there are. */
export const FAMILIES: readonly Family[] = [
  {
    name: "legacy",
    stateless: false,
    sizes: [48, 48, 48, 48],
    opTypeAt: 40,
    flags: [0, 1],
  },
  {
    name: "revision 1",
    stateless: false,
    sizes: [48, 8, 8, 24],
    opTypeAt: 40,
    flags: [1],
  },
  {
    name: "v15",
    stateless: true,
    sizes: [80, 16, 16, 32],
    opTypeAt: 72,
    flags: [1, 2],
  },
  {
    name: "revision 1 stateless",
    stateless: true,
    sizes: [76, 16, 16, 32],
    opTypeAt: 72,
    flags: [0, 1],
  },
];

/** A session that requests may name. */
export interface FuzzSession {
  /** The session's id. */
  readonly id: bigint;
  /** Opcode of its requests. */
  readonly opcode: number;
}

/** A request to send. */
export interface FuzzRequest {
  /** The readable segments. */
  readonly readable: Uint8Array[];
  /** The sizes of the writable segments. */
  readonly writable: number[];
  /** What it was meant to be, for reports. */
  readonly what: string;
}

const OPCODES = [0x000, 0x001, 0x100, 0x200, 0x300, 0x301];
const LENGTHS = [0, 1, 8, 12, 15, 16, 17, 32, 48, 63, 64, 128, 1000, 1024];
const ODD = [
  0,
  1,
  2,
  3,
  7,
  16,
  0xff,
  0x100,
  0xfff,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_fff0,
  0xffff_ffff,
];
const KEYS = [0, 8, 16, 24, 32, 48, 64];

function structureOf(
  { stateless }: Family,
  service: number,
  chain: boolean,
): Structure<string> {
  switch (service) {
    case 0:
      if (chain) return stateless ? CHAIN_PARA_STATELESS : CHAIN_PARA;
      return stateless ? CIPHER_PARA_STATELESS : CIPHER_PARA;
    case 1:
      return stateless ? HASH_PARA_STATELESS : HASH_PARA;
    case 2:
      return stateless ? MAC_PARA_STATELESS : MAC_PARA;
    default:
      return stateless ? AEAD_PARA_STATELESS : AEAD_PARA;
  }
}

/** A value that may well be right in a field. */
function plausible(field: string, random: Random, service: number): number {
  const name = field.slice(field.lastIndexOf(".") + 1);
  switch (name) {
    case "algo":
      return random.pick(SERVICE_ALGORITHMS[service]!)[0];
    case "keylen":
    case "key_len":
    case "auth_key_len":
      return random.pick(KEYS);
    case "op":
    case "alg_chain_order":
    case "hash_mode":
      return 1 + random.below(2);
    case "iv_len":
      return random.pick([0, 8, 12, 16, 16]);
    case "tag_len":
      return random.pick([4, 8, 12, 16]);
    case "hash_result_len":
      return random.pick([4, 8, 16, 20, 32]);
    case "cipher_start_src_offset":
    case "hash_start_src_offset":
      return random.pick([0, 0, 0, 8, 16]);
    case "aad_len":
      return random.pick([0, 0, 12, 16, 20]);
    case "padding":
    case "reserved":
      return 0;
    default:
      return random.pick(LENGTHS);
  }
}

/** Cuts bytes into segments. */
function cut(bytes: Uint8Array, random: Random): Uint8Array[] {
  if (random.oneIn(3)) return [bytes];
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length && parts.length < 40;) {
    const length = 1 + random.below(random.oneIn(4) ? 4 : bytes.length);
    parts.push(bytes.subarray(at, at + length));
    at += length;
  }
  const used = parts.reduce((sum, part) => sum + part.length, 0);
  if (used < bytes.length) parts.push(bytes.subarray(used));
  if (random.oneIn(5)) parts.splice(random.below(parts.length + 1), 0, NOTHING);
  return parts;
}

const NOTHING = new Uint8Array(0);

/**
 * Makes a request.
 *
 * @param family the layout to build it in
 * @param sessions sessions it may name
 * @param random where everything comes from
 * @returns the request
 */
export function makeRequest(
  family: Family,
  sessions: readonly FuzzSession[],
  random: Random,
): FuzzRequest {
  const session = random.pick(sessions);
  const opcode = random.oneIn(8) ? random.pick(OPCODES) : session.opcode;
  const service = opcode >> 8;
  const chain = service === 0 && random.oneIn(3);
  const structure = structureOf(family, service, chain);
  const size = family.sizes[service]!;

  const head = new DataView(new ArrayBuffer(OP_HEADER.size + size));
  head.setUint32(OP_HEADER.at.opcode, opcode, true);
  head.setBigUint64(OP_HEADER.at.session_id, session.id, true);
  head.setUint32(OP_HEADER.at.flag, random.pick(family.flags), true);
  const values = new Map<string, number>();
  for (const { name, offset } of structure.fields) {
    if (offset >= size) continue;
    const value = plausible(name, random, service);
    values.set(name, value);
    head.setUint32(OP_HEADER.size + offset, value, true);
  }
  const value = (name: string) => values.get(name) ?? 0;
  const source = value("src_data_len");
  // Room for the result, whatever it is.
  const result = source + random.pick([0, 0, 16]);
  const destination = structure.at["dst_data_len"];
  if (destination !== undefined) {
    values.set("dst_data_len", result);
    head.setUint32(OP_HEADER.size + destination, result, true);
  }
  if (service === 0) {
    head.setUint32(OP_HEADER.size + family.opTypeAt, chain ? 2 : 1, true);
  }
  const keys = value("sess_para.keylen") + value("sess_para.key_len") +
    value("sess_para.auth_key_len") + value("sess_para.cipher.keylen") +
    value("sess_para.hash.auth_key_len");
  const withKeys = head.getUint32(OP_HEADER.at.flag, true) !== 1;
  const variable = (withKeys ? keys : 0) + value("iv_len") + source +
    value("aad_len");
  let writable = value("dst_data_len") + value("hash_result_len") + 1;

  let length = head.byteLength + variable;
  for (let breaks = random.below(3); breaks > 0; breaks--) {
    switch (random.below(4)) {
      case 0:
        length = random.below(length + 40);
        break;
      case 1:
        writable = random.below(writable + 20);
        break;
      default:
        head.setUint32(
          4 * random.below(head.byteLength >> 2),
          random.pick(ODD),
          true,
        );
    }
  }
  // A chain has a buffer at least.
  if (length === 0) writable ||= 1;
  const bytes = random.bytes(length);
  bytes.set(new Uint8Array(head.buffer).subarray(0, length));
  return {
    readable: cut(bytes, random),
    writable: cut(new Uint8Array(writable), random).map((p) => p.length),
    what: `${family.name}, opcode 0x${
      opcode.toString(16)
    }, ${length} readable and ${writable} writable bytes`,
  };
}
