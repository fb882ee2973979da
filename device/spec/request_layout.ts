/**
 * Which layout requests have: what the device offers for it, and what follows
 * from a negotiation.
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_F_AEAD_SESSION_MODE,
  VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE,
  VIRTIO_CRYPTO_F_HASH_SESSION_MODE,
  VIRTIO_CRYPTO_F_MAC_SESSION_MODE,
  VIRTIO_CRYPTO_F_REVISION_1,
} from "./constants.ts";

/** The document whose features a device offers. */
export type SpecName = "v15" | "1.4";

/** The documents, for whoever lists them. */
export const SPEC_NAMES: readonly SpecName[] = ["v15", "1.4"];

/**
 * What a connection's negotiation says of its requests. It crosses threads, so
 * it is plain data.
 *
 * - "v15": the draft's rules; a driver that negotiated no mode is a legacy one
 * - "legacy": padded fixed parts, session mode only, `flag` says nothing
 * - "revision1": virtio 1.4 with REVISION_1
 */
export interface RequestLayout {
  /** Which rules hold. */
  readonly kind: "v15" | "legacy" | "revision1";
  /** One bit a service the device offers. */
  readonly services: number;
  /**
   * One bit a service whose mode feature was negotiated: SESSION_MODE in v15,
   * STATELESS_MODE in revision 1.
   */
  readonly modeServices: number;
}

/**
 * The mode feature of each service, by service number. The same bit says that
 * session mode is available in v15, and that stateless mode is in virtio 1.4.
 */
const MODE_BITS: readonly number[] = [
  VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE,
  VIRTIO_CRYPTO_F_HASH_SESSION_MODE,
  VIRTIO_CRYPTO_F_MAC_SESSION_MODE,
  VIRTIO_CRYPTO_F_AEAD_SESSION_MODE,
];

/**
 * The features of the device type that a device offers (v15, "Feature bits";
 * virtio 1.4, 5.9.3).
 *
 * @param spec the document whose features it offers
 * @param services one bit a service it offers
 * @returns feature bits
 */
export function offeredFeatures(spec: SpecName, services: number): bigint {
  let bits = spec === "1.4" ? 1n << BigInt(VIRTIO_CRYPTO_F_REVISION_1) : 0n;
  MODE_BITS.forEach((bit, service) => {
    if (services >> service & 1) bits |= 1n << BigInt(bit);
  });
  return bits;
}

/**
 * The layout that follows from a negotiation.
 *
 * @param spec the document whose features were offered
 * @param services one bit a service the device offers
 * @param features the negotiated feature bits
 * @param sessionMessages whether the frontend makes sessions by message: what
 * the guest negotiated is then not known, and it is a legacy driver
 * @returns the layout
 */
export function requestLayout(
  spec: SpecName,
  services: number,
  features: bigint,
  sessionMessages: boolean,
): RequestLayout {
  let modeServices = 0;
  MODE_BITS.forEach((bit, service) => {
    if (features >> BigInt(bit) & 1n) modeServices |= 1 << service;
  });
  if (sessionMessages) return { kind: "legacy", services, modeServices: 0 };
  if (spec === "v15") return { kind: "v15", services, modeServices };
  // virtio 1.4, 5.9.3.1: a stateless mode requires REVISION_1.
  return features >> BigInt(VIRTIO_CRYPTO_F_REVISION_1) & 1n
    ? { kind: "revision1", services, modeServices }
    : { kind: "legacy", services, modeServices: 0 };
}
