/**
 * Good requests of every service, in session mode (the legacy layout) and in
 * non-session mode (v15's), and ways to spoil them.
 *
 * @module
 */

import { createCipheriv, createHash, createHmac } from "node:crypto";
import {
  VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE,
  VIRTIO_CRYPTO_FLAG_SESSION_MODE,
} from "../../device/spec/constants.ts";
import type { ServiceName } from "../../device/spec/services.ts";
import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { handmade, type Parts } from "../support/handmade.ts";

/** What a request does. */
export type Kind =
  | "cipher"
  | "stream"
  | "chain"
  | "hash"
  | "mac"
  | "seal"
  | "open";

/** The kinds. */
export const KINDS: readonly Kind[] = [
  "cipher",
  "stream",
  "chain",
  "hash",
  "mac",
  "seal",
  "open",
];

/**
 * The kinds that a device has which offers some services only. A chain's MAC
 * has to be offered beside its cipher.
 */
export function kindsOf(services: readonly ServiceName[]): readonly Kind[] {
  return KINDS.filter((kind) =>
    NEEDED[kind].every((s) => services.includes(s))
  );
}

const NEEDED: Readonly<Record<Kind, readonly ServiceName[]>> = {
  cipher: ["cipher"],
  stream: ["cipher"],
  chain: ["cipher", "mac"],
  hash: ["hash"],
  mac: ["mac"],
  seal: ["aead"],
  open: ["aead"],
};

/**
 * Whether a session was created before, in the legacy layout or in v15's, or
 * the keys come along.
 */
export type Mode = "session" | "v15 session" | "stateless";

/** The modes of a driver that negotiated none. */
export const MODES: readonly Mode[] = ["session", "stateless"];

/** Bytes at an offset of the writable part. */
export type Write = readonly [offset: number, bytes: Uint8Array];

/** A request, as what the device reads and how much it may write. */
export interface Request {
  /** Header and fixed part, then each variable field. */
  readonly readable: readonly Uint8Array[];
  /** Bytes of each writable buffer, the status last. */
  readonly writable: readonly number[];
}

/** A good request and what it has to give. */
export interface Good extends Request {
  /** The result, without the status. */
  readonly writes: readonly Write[];
}

const random = new Random(20);
const KEY = random.bytes(16);
const AUTH_KEY = random.bytes(20);
const IV = random.bytes(16);
const NONCE = random.bytes(12);
const AAD = random.bytes(20);
const SOURCE = random.bytes(48);
const TAG = 16;
const DIGEST = 32;

/** Start and length of what a chain ciphers, and of what it hashes. */
const CIPHERED = [16, 32] as const;
const HASHED = [8, 40] as const;

const CBC = 3;
const CTR = 4;
const SHA_256 = 4;
const HMAC_SHA_256 = 4;
const GCM = 1;
const ENCRYPT = 1;
const DECRYPT = 2;
const CIPHER_THEN_HASH = 2;
const AUTH = 2;

function cbc(source: Uint8Array): Uint8Array {
  return reference("aes-cbc", KEY, { source, iv: IV });
}

const SEALED = reference("aes-gcm", KEY, {
  source: SOURCE,
  iv: NONCE,
  aad: AAD,
  resultLength: TAG,
});

/** A request of a kind without session id, flag and key: what it says. */
function partsOf(kind: Kind): Parts {
  const flag = 0;
  const chain = {
    order: CIPHER_THEN_HASH,
    hashMode: AUTH,
    hashAlgorithm: HMAC_SHA_256,
    cipher: CIPHERED,
    hash: HASHED,
  };
  const cipher = { flag, op: ENCRYPT, iv: IV, source: SOURCE };
  switch (kind) {
    case "cipher":
      return { ...cipher, opcode: 0x000, algorithm: CBC };
    case "stream":
      return { ...cipher, opcode: 0x000, algorithm: CTR };
    case "chain":
      return {
        ...cipher,
        opcode: 0x000,
        algorithm: CBC,
        aad: AAD,
        result: DIGEST,
        chain,
      };
    case "hash":
      return {
        flag,
        opcode: 0x100,
        algorithm: SHA_256,
        source: SOURCE,
        result: DIGEST,
      };
    case "mac":
      return {
        flag,
        opcode: 0x200,
        algorithm: HMAC_SHA_256,
        source: SOURCE,
        result: DIGEST,
      };
    case "seal":
    case "open": {
      const seals = kind === "seal";
      return {
        flag,
        opcode: seals ? 0x300 : 0x301,
        algorithm: GCM,
        op: seals ? ENCRYPT : DECRYPT,
        iv: NONCE,
        aad: AAD,
        source: seals ? SOURCE : SEALED,
        result: TAG,
      };
    }
  }
}

function keysOf(kind: Kind): Pick<Parts, "key" | "authKey"> {
  switch (kind) {
    case "hash":
      return {};
    case "mac":
      return { key: AUTH_KEY };
    case "chain":
      return { key: KEY, authKey: AUTH_KEY };
    default:
      return { key: KEY };
  }
}

/** The result of a request: at the start, or behind dst_data. */
function writesOf(
  kind: Kind,
  { destination = 0, chain }: Parts,
): Write[] {
  switch (kind) {
    case "cipher":
      return [[0, cbc(SOURCE)]];
    case "stream":
      return [[0, reference("aes-ctr", KEY, { source: SOURCE, iv: IV })]];
    case "hash":
      return [[0, createHash("sha256").update(SOURCE).digest()]];
    case "mac":
      return [[0, createHmac("sha256", AUTH_KEY).update(SOURCE).digest()]];
    case "seal":
      return [[0, SEALED]];
    case "open":
      return [[0, SOURCE]];
    case "chain": {
      const [start, length] = chain!.cipher;
      const result = concat(
        SOURCE.subarray(0, start),
        cbc(SOURCE.subarray(start, start + length)),
        SOURCE.subarray(start + length),
      );
      const [from, count] = chain!.hash;
      const hashed = result.subarray(from, from + count);
      const digest = createHmac("sha256", AUTH_KEY).update(AAD).update(hashed)
        .digest();
      return [[0, result], [destination, digest]];
    }
  }
}

/** Bytes of dst_data that a kind fills. */
export function resultOf(kind: Kind): number {
  switch (kind) {
    case "hash":
    case "mac":
      return 0;
    case "seal":
      return SOURCE.length + TAG;
    default:
      return SOURCE.length;
  }
}

/**
 * A good request.
 *
 * @param kind what it does
 * @param mode whether it has a session
 * @param session id of the session of that kind, in session mode
 * @param changes what it says otherwise
 * @returns the request and its result
 */
export function good(
  kind: Kind,
  mode: Mode,
  session: bigint = 0n,
  changes: Partial<Parts> = {},
): Good {
  const destination = changes.destination ?? resultOf(kind);
  const parts: Parts = {
    ...partsOf(kind),
    session: {
      low: Number(session & 0xffff_ffffn),
      high: Number(session >> 32n),
    },
    ...(mode === "stateless"
      ? { ...keysOf(kind), flag: VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE }
      : { flag: VIRTIO_CRYPTO_FLAG_SESSION_MODE }),
    ...changes,
    destination,
  };
  const request = handmade(mode === "session" ? "legacy" : "v15", parts);
  return { ...request, writes: writesOf(kind, parts) };
}

/**
 * The parameters of the session that {@linkcode good} requests of a kind need.
 *
 * @param kind the kind
 * @returns parameters that any device offers
 */
export function parametersOf(kind: Kind): SessionParameters {
  const { opcode, algorithm = 0, op = 0, result = 0, chain } = partsOf(kind);
  const { key = new Uint8Array(), authKey = new Uint8Array() } = keysOf(kind);
  const service = opcode >> 8;
  return {
    service,
    opType: service > 0 ? 0 : chain === undefined ? 1 : 2,
    algorithm,
    op,
    keyLength: key.length,
    chainOrder: chain?.order ?? 0,
    hashMode: chain?.hashMode ?? 0,
    hashAlgorithm: chain?.hashAlgorithm ?? 0,
    authKeyLength: authKey.length,
    resultLength: result,
    key: concat(key, authKey),
  };
}

/** Offsets of le32 fields in header and fixed part, by their names. */
type Fields = Readonly<Record<string, number>>;

const HEADER: Fields = {
  opcode: 0,
  algo: 4,
  session_id_low: 8,
  session_id_high: 12,
  flag: 16,
};

const SESSION_FIELDS: Readonly<Record<string, Fields>> = {
  cipher: { iv_len: 24, src_data_len: 28, dst_data_len: 32, op_type: 64 },
  chain: {
    iv_len: 24,
    src_data_len: 28,
    dst_data_len: 32,
    cipher_start_src_offset: 36,
    len_to_cipher: 40,
    hash_start_src_offset: 44,
    len_to_hash: 48,
    aad_len: 52,
    hash_result_len: 56,
    op_type: 64,
  },
  digest: { src_data_len: 24, hash_result_len: 28 },
  aead: { iv_len: 24, aad_len: 28, src_data_len: 32, dst_data_len: 36 },
};

const STATELESS_FIELDS: Readonly<Record<string, Fields>> = {
  cipher: {
    algo: 24,
    keylen: 28,
    op: 32,
    iv_len: 36,
    src_data_len: 40,
    dst_data_len: 44,
    op_type: 96,
  },
  chain: {
    alg_chain_order: 24,
    algo: 32,
    keylen: 36,
    op: 40,
    hash_algo: 44,
    auth_key_len: 48,
    hash_mode: 52,
    iv_len: 56,
    src_data_len: 60,
    dst_data_len: 64,
    cipher_start_src_offset: 68,
    len_to_cipher: 72,
    hash_start_src_offset: 76,
    len_to_hash: 80,
    aad_len: 84,
    hash_result_len: 88,
    op_type: 96,
  },
  hash: { algo: 24, src_data_len: 28, hash_result_len: 32 },
  mac: { algo: 24, auth_key_len: 28, src_data_len: 32, hash_result_len: 36 },
  aead: {
    algo: 24,
    keylen: 28,
    op: 32,
    iv_len: 36,
    tag_len: 40,
    aad_len: 44,
    src_data_len: 48,
    dst_data_len: 52,
  },
};

/**
 * Where the le32 fields of a kind's requests stand.
 *
 * @param kind the kind
 * @param mode the mode
 * @returns offsets by name, header included
 */
export function fieldsOf(kind: Kind, mode: Mode): Fields {
  const stateless = mode !== "session";
  const tables = stateless ? STATELESS_FIELDS : SESSION_FIELDS;
  const digest = stateless ? kind : "digest";
  const name = {
    cipher: "cipher",
    stream: "cipher",
    chain: "chain",
    hash: digest,
    mac: digest,
    seal: "aead",
    open: "aead",
  }[kind];
  return { ...HEADER, ...tables[name] };
}

/** The fields that name a length of the request's content. */
export function lengthFieldsOf(kind: Kind, mode: Mode): readonly string[] {
  return Object.keys(fieldsOf(kind, mode)).filter((name) =>
    /^(iv_len|src_data_len|dst_data_len|aad_len|hash_result_len|keylen|auth_key_len)$/
      .test(name)
  );
}

/**
 * The value of a field.
 *
 * @param request the request
 * @param at the field's offset
 */
export function fieldAt({ readable }: Request, at: number): number {
  const [fixed] = readable;
  return new DataView(fixed!.buffer, fixed!.byteOffset).getUint32(at, true);
}

/**
 * A request with fields changed.
 *
 * @param request the request, which stays
 * @param changes values by offset; taken modulo 2^32
 */
export function altered<R extends Request>(
  request: R,
  changes: Readonly<Record<number, number>>,
): R {
  const fixed = Uint8Array.from(request.readable[0]!);
  const view = new DataView(fixed.buffer);
  for (const [at, value] of Object.entries(changes)) {
    view.setUint32(Number(at), value, true);
  }
  return { ...request, readable: [fixed, ...request.readable.slice(1)] };
}

/** A request whose readable part ends early. */
export function cut<R extends Request>(request: R, length: number): R {
  return {
    ...request,
    readable: [concat(...request.readable).slice(0, length)],
  };
}

/** Number of bytes a request has to be read of. */
export function readableLength({ readable }: Request): number {
  return readable.reduce((sum, { length }) => sum + length, 0);
}

/** Number of bytes a request may be written of. */
export function writableLength({ writable }: Request): number {
  return writable.reduce((sum, length) => sum + length, 0);
}

/** What AES-CTR of a session makes of bytes that are to be any given ones. */
export function sourceFor(wanted: Uint8Array): Uint8Array {
  // Encryption and decryption are one operation.
  return createCipheriv("aes-128-ctr", KEY, IV).update(wanted);
}
