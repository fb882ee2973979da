/**
 * A session of AES-128-CBC, and requests of it.
 *
 * @module
 */

/** What a session message says of AES-128-CBC. */
export const CBC_INFO = {
  cipherAlgo: 3,
  keyLength: 16,
  hashAlgo: 0,
  hashResultLength: 0,
  authKeyLength: 0,
  aadLength: 0,
  opType: 1,
  direction: 1,
  hashMode: 0,
  chainOrder: 0,
} as const;

/** A session and its key. */
export interface GuestSession {
  readonly id: bigint;
  readonly key: Uint8Array;
}

/**
 * The bytes of a request that encrypts by CBC, in the legacy layout, with an iv
 * of zeros.
 *
 * @param session id of the session
 * @param source what to encrypt
 * @returns header, fixed part, iv, source
 */
export function encryption(
  session: bigint,
  source: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24 + 48 + 16 + source.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(8, session, true);
  view.setUint32(24, 16, true); // iv_len
  view.setUint32(28, source.length, true); // src_data_len
  view.setUint32(32, source.length, true); // dst_data_len
  view.setUint32(24 + 40, 1, true); // op_type: CIPHER
  bytes.set(source, 24 + 48 + 16);
  return bytes;
}
