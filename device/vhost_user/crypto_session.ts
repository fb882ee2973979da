/**
 * The payload of CREATE_CRYPTO_SESSION in the two sizes that QEMU has sent.
 *
 * Source: docs/interop/vhost-user.rst, VHOST_USER_CREATE_CRYPTO_SESSION; the
 * document leaves its description to QEMU's structure, whose layout on 64-bit
 * hosts this is.
 *
 * @module
 */

import { VIRTIO_CRYPTO_CIPHER_CREATE_SESSION } from "../spec/constants.ts";
import { PayloadError } from "./payload.ts";
import {
  CRYPTO_SESSION_SIZE_NEW,
  type CRYPTO_SESSION_SIZE_OLD,
} from "./protocol.ts";

/** Old size only: the session's id (i64). */
const OLD_SESSION_ID = 0;
/** New size only: the opcode (u64). */
const NEW_OPCODE = 0;
/** New size only: the session's id (i64). */
const NEW_SESSION_ID = 1064;

// The rest is in the same place in both.
/** Algorithm of the cipher (u32). */
const CIPHER_ALGO = 8;
/** Bytes of its key (u32). */
const KEY_LENGTH = 12;
/** Algorithm of the hash or MAC (u32). */
const HASH_ALGO = 16;
/** Bytes of its result (u32). */
const HASH_RESULT_LENGTH = 20;
/** Bytes of the MAC's key (u32). */
const AUTH_KEY_LENGTH = 24;
/** Bytes of associated data (u32). */
const AAD_LENGTH = 28;
/** Cipher or algorithm chaining (u8). */
const OP_TYPE = 32;
/** Encrypt or decrypt (u8). */
const DIRECTION = 33;
/** Plain, authenticated or nested (u8). */
const HASH_MODE = 34;
/** Which comes first in a chain (u8). */
const CHAIN_ORDER = 35;
// At 40 and 48: two pointers of the frontend's, which mean nothing here.
/** Key of the cipher (64 bytes). */
const CIPHER_KEY = 56;
/** Key of the MAC (512 bytes). */
const AUTH_KEY = 120;

/** The longest cipher key the message has room for, in bytes. */
export const MAX_SESSION_CIPHER_KEY = 64;
/** The longest MAC key the message has room for, in bytes. */
export const MAX_SESSION_AUTH_KEY = 512;

/** The parameters of a symmetric session, as they came. */
export interface CryptoSessionInfo {
  /** Algorithm of the cipher: VIRTIO_CRYPTO_CIPHER_… */
  readonly cipherAlgo: number;
  /** Length of the cipher's key, in bytes. */
  readonly keyLength: number;
  /** Algorithm of the hash or MAC, by the hash mode. */
  readonly hashAlgo: number;
  /** Length of the hash's or MAC's result, in bytes. */
  readonly hashResultLength: number;
  /** Length of the MAC's key, in bytes. */
  readonly authKeyLength: number;
  /** Length of associated data, in bytes. */
  readonly aadLength: number;
  /** VIRTIO_CRYPTO_SYM_OP_… */
  readonly opType: number;
  /** VIRTIO_CRYPTO_OP_ENCRYPT or _DECRYPT. */
  readonly direction: number;
  /** VIRTIO_CRYPTO_SYM_HASH_MODE_… */
  readonly hashMode: number;
  /** VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_… */
  readonly chainOrder: number;
}

/** A decoded CREATE_CRYPTO_SESSION. */
export interface CryptoSessionCreate {
  /** Size of the payload, which the reply has too: 632 or 1072 bytes. */
  readonly size: number;
  /** Where in the payload the reply has the session's id (i64). */
  readonly idOffset: number;
  /** The parameters. */
  readonly info: CryptoSessionInfo;
  /** Key of the cipher: a view of the payload. */
  readonly key: Uint8Array<ArrayBuffer>;
  /** Key of the MAC: a view of the payload. */
  readonly authKey: Uint8Array<ArrayBuffer>;
}

/**
 * Decodes a session message. Checked are: the new size carries the opcode of a
 * cipher session, which chains have too; the key lengths have room in the
 * message. What the parameters mean is not judged.
 *
 * @param payload 632 or 1072 bytes
 * @returns the parameters and views of the keys
 * @throws {PayloadError} A check failed
 */
export function decodeCryptoSessionCreate(
  payload: Uint8Array<ArrayBuffer>,
): CryptoSessionCreate {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const idOffset = cryptoSessionIdOffset(payload.length);
  if (payload.length === CRYPTO_SESSION_SIZE_NEW) {
    const opcode = view.getBigUint64(NEW_OPCODE, true);
    if (opcode !== BigInt(VIRTIO_CRYPTO_CIPHER_CREATE_SESSION)) {
      throw new PayloadError(
        `Cannot create a session by opcode 0x${opcode.toString(16)}`,
      );
    }
  }
  const u32 = (offset: number): number => view.getUint32(offset, true);
  const info: CryptoSessionInfo = {
    cipherAlgo: u32(CIPHER_ALGO),
    keyLength: u32(KEY_LENGTH),
    hashAlgo: u32(HASH_ALGO),
    hashResultLength: u32(HASH_RESULT_LENGTH),
    authKeyLength: u32(AUTH_KEY_LENGTH),
    aadLength: u32(AAD_LENGTH),
    opType: view.getUint8(OP_TYPE),
    direction: view.getUint8(DIRECTION),
    hashMode: view.getUint8(HASH_MODE),
    chainOrder: view.getUint8(CHAIN_ORDER),
  };
  if (info.keyLength > MAX_SESSION_CIPHER_KEY) {
    throw new PayloadError(
      `Cannot create a session with a cipher key of ${info.keyLength} bytes: the message has room for ${MAX_SESSION_CIPHER_KEY}`,
    );
  }
  if (info.authKeyLength > MAX_SESSION_AUTH_KEY) {
    throw new PayloadError(
      `Cannot create a session with an authentication key of ${info.authKeyLength} bytes: the message has room for ${MAX_SESSION_AUTH_KEY}`,
    );
  }
  return {
    size: payload.length,
    idOffset,
    info,
    key: payload.subarray(CIPHER_KEY, CIPHER_KEY + info.keyLength),
    authKey: payload.subarray(AUTH_KEY, AUTH_KEY + info.authKeyLength),
  };
}

/**
 * Where a session message has the session's id.
 *
 * @param size size of the payload: 632 or 1072 bytes
 * @returns offset of the i64, in bytes
 */
export function cryptoSessionIdOffset(size: number): number {
  return size === CRYPTO_SESSION_SIZE_NEW ? NEW_SESSION_ID : OLD_SESSION_ID;
}

/**
 * Turns a session message into its own answer: the id is filled in, the rest
 * stays. A message that {@linkcode decodeCryptoSessionCreate} refused is
 * answered like this too.
 *
 * @param payload the payload as it came; it is changed
 * @param id the session's id, or a negative number for a refusal
 */
export function answerCryptoSession(
  payload: Uint8Array<ArrayBuffer>,
  id: bigint,
): void {
  new DataView(payload.buffer, payload.byteOffset, payload.length)
    .setBigInt64(cryptoSessionIdOffset(payload.length), id, true);
}

/**
 * The session's id in an answer.
 *
 * @param payload the payload of the reply
 * @returns the id; negative for a refusal
 */
export function answeredCryptoSession(payload: Uint8Array): bigint {
  return new DataView(payload.buffer, payload.byteOffset, payload.length)
    .getBigInt64(cryptoSessionIdOffset(payload.length), true);
}

/**
 * Encodes a session message, as a frontend does. The lengths in `info` are
 * written as given; the keys are cut to the room there is for them.
 *
 * @param info the parameters
 * @param key key of the cipher
 * @param authKey key of the MAC
 * @param size 632 as QEMU up to 7, or 1072 as QEMU from 8 on
 * @returns the payload; it holds the keys
 */
export function encodeCryptoSessionCreate(
  info: CryptoSessionInfo,
  key: Uint8Array,
  authKey: Uint8Array,
  size:
    | typeof CRYPTO_SESSION_SIZE_OLD
    | typeof CRYPTO_SESSION_SIZE_NEW,
): Uint8Array<ArrayBuffer> {
  const payload = new Uint8Array(new ArrayBuffer(size));
  const view = new DataView(payload.buffer);
  if (size === CRYPTO_SESSION_SIZE_NEW) {
    const opcode = BigInt(VIRTIO_CRYPTO_CIPHER_CREATE_SESSION);
    view.setBigUint64(NEW_OPCODE, opcode, true);
  }
  view.setUint32(CIPHER_ALGO, info.cipherAlgo, true);
  view.setUint32(KEY_LENGTH, info.keyLength, true);
  view.setUint32(HASH_ALGO, info.hashAlgo, true);
  view.setUint32(HASH_RESULT_LENGTH, info.hashResultLength, true);
  view.setUint32(AUTH_KEY_LENGTH, info.authKeyLength, true);
  view.setUint32(AAD_LENGTH, info.aadLength, true);
  view.setUint8(OP_TYPE, info.opType);
  view.setUint8(DIRECTION, info.direction);
  view.setUint8(HASH_MODE, info.hashMode);
  view.setUint8(CHAIN_ORDER, info.chainOrder);
  payload.set(key.subarray(0, MAX_SESSION_CIPHER_KEY), CIPHER_KEY);
  payload.set(authKey.subarray(0, MAX_SESSION_AUTH_KEY), AUTH_KEY);
  return payload;
}
