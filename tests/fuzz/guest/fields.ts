/**
 * The fields of data requests: such that fit, and such that do not.
 *
 * @module
 */

import type { MachineSetup } from "./device.ts";
import type { ModelAlgorithm } from "./model/algorithms.ts";
import { dataLength, EDGES, type PlannedSession, someKey } from "./plan.ts";
import type { Random } from "../random.ts";

/** Fields that fit, by the names of the documents. */
export function goodFields(
  random: Random,
  plan: PlannedSession,
  para: boolean,
): Record<string, number> {
  const { algorithm, hash, direction, resultLength } = plan;
  const { service } = algorithm;
  const iv = algorithm.ivs.length > 0 ? random.pick(algorithm.ivs) : 0;
  const macIv = service === 2 ? algorithm.ivs[0] ?? 0 : 0;
  const data = dataLength(random, algorithm) + macIv;
  const fields: Record<string, number> = { src_data_len: data };
  const key = someKey(random, algorithm);
  const more = random.pick([0, 0, 0, 1, 16]);
  switch (service) {
    case 0:
      fields["iv_len"] = iv;
      fields["dst_data_len"] = data + more;
      break;
    case 3: {
      const opened = direction === 2;
      fields["iv_len"] = iv;
      fields["aad_len"] = random.pick([0, 0, 8, 13, 16, 20]);
      fields["tag_len"] = resultLength;
      fields["src_data_len"] = opened ? data + resultLength : data;
      fields["dst_data_len"] = (opened ? data : data + resultLength) + more;
      break;
    }
    default:
      fields["hash_result_len"] = resultLength;
  }
  if (hash !== undefined) chainFields(random, plan, hash, fields);
  if (para) {
    const chained = hash !== undefined;
    const prefix = chained ? "sess_para.cipher." : "sess_para.";
    fields[`${prefix}algo`] = algorithm.number;
    fields[service === 3 ? `${prefix}key_len` : `${prefix}keylen`] = key;
    fields[`${prefix}op`] = direction;
    if (service === 2) fields["sess_para.auth_key_len"] = key;
    if (chained) {
      fields["sess_para.alg_chain_order"] = 1 + random.below(2);
      fields["sess_para.hash.hash_mode"] = hash.service;
      fields["sess_para.hash.algo"] = hash.number;
      fields["sess_para.hash.auth_key_len"] = hash.service === 2
        ? someKey(random, hash)
        : random.pick([0, 0, 7]);
    }
  }
  return fields;
}

function chainFields(
  random: Random,
  { algorithm, resultLength }: PlannedSession,
  hash: ModelAlgorithm,
  fields: Record<string, number>,
): void {
  const aad = hash.ivs.length > 0
    ? random.pick(hash.ivs)
    : hash.block > 1
    ? random.pick([0, hash.block])
    : random.pick([0, 0, 5, 16]);
  const length = (of: ModelAlgorithm) =>
    Math.max(of.least, dataLength(random, of) % 128 & -of.block);
  const cipherLength = length(algorithm);
  const hashLength = length(hash);
  const [cipherStart, hashStart] = [0, 0].map(() =>
    random.pick([0, 0, 1, 8, 16, 40])
  );
  const source = Math.max(
    cipherStart! + cipherLength,
    hashStart! + hashLength,
  ) + random.pick([0, 0, 1, 16]);
  Object.assign(fields, {
    src_data_len: source,
    dst_data_len: source + random.pick([0, 0, 3]),
    cipher_start_src_offset: cipherStart,
    len_to_cipher: cipherLength,
    hash_start_src_offset: hashStart,
    len_to_hash: hashLength,
    aad_len: aad,
    hash_result_len: resultLength,
  });
}

const LENGTH_FIELDS = [
  "iv_len",
  "src_data_len",
  "dst_data_len",
  "aad_len",
  "hash_result_len",
  "tag_len",
  "cipher_start_src_offset",
  "len_to_cipher",
  "hash_start_src_offset",
  "len_to_hash",
  "sess_para.keylen",
  "sess_para.key_len",
  "sess_para.auth_key_len",
  "sess_para.cipher.keylen",
  "sess_para.hash.auth_key_len",
];

/** Fields that count bytes of the readable part. */
const READABLE = /(iv|src_data|aad|key)_?len$/;

/** Start and length of a range, and lengths that make up a part. */
const PAIRS = [
  ["cipher_start_src_offset", "len_to_cipher"],
  ["hash_start_src_offset", "len_to_hash"],
  ["dst_data_len", "hash_result_len"],
  ["src_data_len", "aad_len"],
] as const;

/**
 * Makes one or two lengths wrong.
 *
 * @returns bytes that the request is to be shorter by, in 32 bits
 */
export function bendFields(
  random: Random,
  setup: MachineSetup,
  fields: Record<string, number>,
): number {
  const names = LENGTH_FIELDS.filter((name) => name in fields);
  const name = random.pick(names);
  const value = fields[name]!;
  switch (random.below(8)) {
    case 0:
      fields[name] = Math.max(0, value + random.pick([-16, -8, -1, 1, 8, 16]));
      break;
    case 1:
      fields[name] = random.pick(EDGES);
      break;
    case 2:
      fields[name] = random.pick([
        setup.maxSize - 1,
        setup.maxSize,
        setup.maxSize + 1,
        value * 2,
      ]);
      break;
    case 3: {
      // The sum stays what it is in 32 bits.
      const [one, other] = random.oneIn(2)
        ? random.pick(PAIRS)
        : [name, random.pick(names)] as const;
      if (!(one in fields) || !(other in fields)) break;
      const by = random.pick([0x8000_0000, 0xffff_fff0, 16, 1]);
      fields[one] = (fields[one]! + by) >>> 0;
      fields[other] = (fields[other]! - by) >>> 0;
      break;
    }
    case 4: {
      // One below 0: in 32 bits the sum is that of a shorter request.
      const by = value + random.pick([1, 8, 12, 16, 28, 32]);
      fields[name] = (value - by) >>> 0;
      return READABLE.test(name) ? by : 0;
    }
    case 5: {
      // In 32 bits the result is that of a smaller digest.
      const digest = fields["hash_result_len"] ?? 0;
      if (!("dst_data_len" in fields) || digest === 0) break;
      fields["dst_data_len"] = 2 ** 32 - 1 - random.below(digest);
      break;
    }
    case 6: {
      // A range that begins before the source, in 32 bits.
      const start = random.pick([
        "cipher_start_src_offset",
        "hash_start_src_offset",
      ]);
      if (!(start in fields)) break;
      fields[start] = 2 ** 32 - random.pick([1, 8, 16, 32]);
      break;
    }
    default:
      // Two that belong together.
      fields[name] = value + 16;
      fields["dst_data_len"] = (fields["dst_data_len"] ?? 0) + 16;
  }
  return 0;
}

/** Bytes that are behind the fixed part where its fields are true. */
export function variableLength(
  fields: Readonly<Record<string, number>>,
  para: boolean,
  session: boolean,
): number {
  const f = (name: string) => fields[name] ?? 0;
  const keys = para && !session
    ? f("sess_para.keylen") + f("sess_para.key_len") +
      f("sess_para.auth_key_len") + f("sess_para.cipher.keylen") +
      (f("sess_para.hash.hash_mode") === 2
        ? f("sess_para.hash.auth_key_len")
        : 0)
    : 0;
  return keys + f("iv_len") + f("src_data_len") + f("aad_len");
}
