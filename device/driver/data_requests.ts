/**
 * Builders of data requests in session mode (v15, "Data Virtqueue"). The
 * offsets are written out here a second time, apart from those the device
 * decodes by: a mistake in one is seen against the other.
 *
 * @module
 */

import {
  serviceOf,
  VIRTIO_CRYPTO_AEAD_CCM,
  VIRTIO_CRYPTO_FLAG_SESSION_MODE,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../spec/constants.ts";
import { type Layout, type RequestBytes, requestBytes } from "./requests.ts";

/** struct virtio_crypto_op_header: le32, le32, le64, le32, padding. */
const HEADER = {
  opcode: 0,
  algo: 4,
  sessionId: 8,
  flag: 16,
  size: 24,
} as const;

/** The one byte of struct virtio_crypto_inhdr. */
const STATUS_SIZE = 1;

/** Where the le32 fields of a symmetric request stand, behind the header. */
interface SymOffsets {
  readonly ivLen: number;
  readonly srcDataLen: number;
  readonly dstDataLen: number;
  readonly opType: number;
  readonly size: number;
}

/** Where the le32 fields of a HASH or MAC request stand, behind the header. */
interface DigestOffsets {
  readonly srcDataLen: number;
  readonly resultLen: number;
  readonly size: number;
}

/** Where the le32 fields of an AEAD request stand, behind the header. */
interface AeadOffsets {
  readonly ivLen: number;
  readonly tagLen?: number;
  readonly aadLen: number;
  readonly srcDataLen: number;
  readonly dstDataLen: number;
  readonly size: number;
}

/** The fixed parts of a layout. */
interface Offsets {
  readonly sym: SymOffsets;
  readonly hash: DigestOffsets;
  readonly mac: DigestOffsets;
  readonly aead: AeadOffsets;
}

/** Every fixed part is padded to 48 bytes. */
const LEGACY_SIZE = 48;
const LEGACY_DIGEST: DigestOffsets = {
  srcDataLen: 0,
  resultLen: 4,
  size: LEGACY_SIZE,
};

const OFFSETS: Readonly<Record<Layout, Offsets>> = {
  legacy: {
    sym: {
      ivLen: 0,
      srcDataLen: 4,
      dstDataLen: 8,
      opType: 40,
      size: LEGACY_SIZE,
    },
    hash: LEGACY_DIGEST,
    mac: LEGACY_DIGEST,
    aead: {
      ivLen: 0,
      aadLen: 4,
      srcDataLen: 8,
      dstDataLen: 12,
      size: LEGACY_SIZE,
    },
  },
  // Each begins with sess_para, which session mode leaves 0: algo, keylen, op;
  // algo; algo, auth_key_len; algo, key_len, op.
  v15: {
    sym: { ivLen: 12, srcDataLen: 16, dstDataLen: 20, opType: 72, size: 80 },
    hash: { srcDataLen: 4, resultLen: 8, size: 16 },
    mac: { srcDataLen: 8, resultLen: 12, size: 16 },
    aead: {
      ivLen: 12,
      tagLen: 16,
      aadLen: 20,
      srcDataLen: 24,
      dstDataLen: 28,
      size: 32,
    },
  },
};

/** `flag` of the header: legacy drivers leave it 0. */
const FLAG: Readonly<Record<Layout, number>> = {
  legacy: 0,
  v15: VIRTIO_CRYPTO_FLAG_SESSION_MODE,
};

/** What a data request is about. All lengths are in bytes. */
export interface DataParameters {
  /** VIRTIO_CRYPTO_CIPHER_ENCRYPT and so on; it tells the service. */
  readonly opcode: number;
  /** Number of the session's algorithm. */
  readonly algorithm: number;
  /** The session's id. */
  readonly sessionId: bigint;
  /** iv, counter or nonce; empty where there is none. */
  readonly iv: Uint8Array;
  /** What is worked on; for AEAD decryption ciphertext, then tag. */
  readonly source: Uint8Array;
  /** Additional authenticated data of AEAD; else empty. */
  readonly aad: Uint8Array;
  /** Room for the result of a cipher or AEAD; 0 for HASH and MAC. */
  readonly destinationLength: number;
  /** Length of the digest, MAC or tag; 0 for a cipher. */
  readonly resultLength: number;
  /**
   * Give the iv field of AEAD a full 16 bytes, as the comment on `iv` in struct
   * virtio_crypto_aead_data_req wants: a CCM nonce starts at iv[1]. What iv_len
   * says stays the same.
   */
  readonly fullIv?: boolean;
}

/**
 * A data request in session mode.
 *
 * @param layout the layout of the fixed part
 * @param parameters what it is about. The request holds iv, source and aad
 * themselves, not copies
 * @returns fixed part, iv, source, aad; then room for the result, and a status
 * @throws {RangeError} The opcode is of no service
 */
export function dataRequest(
  layout: Layout,
  parameters: DataParameters,
): RequestBytes {
  const { opcode, algorithm, sessionId, iv, source, aad } = parameters;
  const { destinationLength, resultLength, fullIv = false } = parameters;
  const offsets = OFFSETS[layout];
  const at = HEADER.size;
  let view: DataView<ArrayBuffer>;
  let fields: readonly Uint8Array[];
  let writable: number;
  switch (serviceOf(opcode)) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER: {
      const sym = offsets.sym;
      view = fixedPart(sym.size);
      view.setUint32(at + sym.ivLen, iv.length, true);
      view.setUint32(at + sym.srcDataLen, source.length, true);
      view.setUint32(at + sym.dstDataLen, destinationLength, true);
      view.setUint32(at + sym.opType, VIRTIO_CRYPTO_SYM_OP_CIPHER, true);
      fields = [iv, source];
      writable = destinationLength;
      break;
    }
    case VIRTIO_CRYPTO_SERVICE_HASH:
    case VIRTIO_CRYPTO_SERVICE_MAC: {
      const digest = serviceOf(opcode) === VIRTIO_CRYPTO_SERVICE_HASH
        ? offsets.hash
        : offsets.mac;
      view = fixedPart(digest.size);
      view.setUint32(at + digest.srcDataLen, source.length, true);
      view.setUint32(at + digest.resultLen, resultLength, true);
      fields = [source];
      writable = resultLength;
      break;
    }
    case VIRTIO_CRYPTO_SERVICE_AEAD: {
      const aead = offsets.aead;
      view = fixedPart(aead.size);
      view.setUint32(at + aead.ivLen, iv.length, true);
      view.setUint32(at + aead.aadLen, aad.length, true);
      view.setUint32(at + aead.srcDataLen, source.length, true);
      view.setUint32(at + aead.dstDataLen, destinationLength, true);
      if (aead.tagLen !== undefined) {
        view.setUint32(at + aead.tagLen, resultLength, true);
      }
      fields = [fullIv ? padIv(iv, algorithm) : iv, source, aad];
      writable = destinationLength;
      break;
    }
    default:
      throw new RangeError(`Cannot build a request of opcode ${opcode}`);
  }
  view.setUint32(HEADER.opcode, opcode, true);
  view.setUint32(HEADER.algo, algorithm, true);
  view.setBigUint64(HEADER.sessionId, sessionId, true);
  view.setUint32(HEADER.flag, FLAG[layout], true);
  return requestBytes(new Uint8Array(view.buffer), fields, [
    writable,
    STATUS_SIZE,
  ]);
}

/** An iv in its 16-byte form. */
function padIv(iv: Uint8Array, algorithm: number): Uint8Array {
  const full = new Uint8Array(16);
  full.set(iv, algorithm === VIRTIO_CRYPTO_AEAD_CCM ? 1 : 0);
  return full;
}

function fixedPart(size: number): DataView<ArrayBuffer> {
  return new DataView(new ArrayBuffer(HEADER.size + size));
}
