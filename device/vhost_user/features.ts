/**
 * What the backend offers, and which of its two lives a negotiation leads to.
 *
 * @module
 */

import {
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
} from "../spec/constants.ts";
import type { SpecName } from "../spec/request_layout.ts";
import type { Notification, RingFormat } from "../virtqueue/ring.ts";
import {
  VHOST_USER_F_PROTOCOL_FEATURES,
  VHOST_USER_PROTOCOL_F_CONFIG,
  VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS,
  VHOST_USER_PROTOCOL_F_CRYPTO_SESSION,
  VHOST_USER_PROTOCOL_F_MQ,
  VHOST_USER_PROTOCOL_F_REPLY_ACK,
  VHOST_USER_PROTOCOL_F_RESET_DEVICE,
  VHOST_USER_PROTOCOL_F_STATUS,
} from "./protocol.ts";

function bit(number: number): bigint {
  return 1n << BigInt(number);
}

/** Protocol features that are offered. */
export const PROTOCOL_FEATURES: bigint = bit(VHOST_USER_PROTOCOL_F_MQ) |
  bit(VHOST_USER_PROTOCOL_F_REPLY_ACK) |
  bit(VHOST_USER_PROTOCOL_F_CRYPTO_SESSION) |
  bit(VHOST_USER_PROTOCOL_F_CONFIG) |
  bit(VHOST_USER_PROTOCOL_F_RESET_DEVICE) |
  bit(VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS) |
  bit(VHOST_USER_PROTOCOL_F_STATUS);

/** Names of the feature bits that mean the same in every document. */
const COMMON_NAMES: Readonly<Record<number, string>> = {
  [VIRTIO_F_RING_INDIRECT_DESC]: "VIRTIO_F_RING_INDIRECT_DESC",
  [VIRTIO_F_RING_EVENT_IDX]: "VIRTIO_F_RING_EVENT_IDX",
  [VHOST_USER_F_PROTOCOL_FEATURES]: "VHOST_USER_F_PROTOCOL_FEATURES",
  [VIRTIO_F_VERSION_1]: "VIRTIO_F_VERSION_1",
  [VIRTIO_F_RING_PACKED]: "VIRTIO_F_RING_PACKED",
  [VIRTIO_F_IN_ORDER]: "VIRTIO_F_IN_ORDER",
};

/** Names of the device type's bits, by the document that was offered. */
const TYPE_NAMES: Readonly<Record<SpecName, readonly (string | undefined)[]>> =
  {
    "v15": [
      undefined,
      "VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE",
      "VIRTIO_CRYPTO_F_HASH_SESSION_MODE",
      "VIRTIO_CRYPTO_F_MAC_SESSION_MODE",
      "VIRTIO_CRYPTO_F_AEAD_SESSION_MODE",
    ],
    "1.4": [
      "VIRTIO_CRYPTO_F_REVISION_1",
      "VIRTIO_CRYPTO_F_CIPHER_STATELESS_MODE",
      "VIRTIO_CRYPTO_F_HASH_STATELESS_MODE",
      "VIRTIO_CRYPTO_F_MAC_STATELESS_MODE",
      "VIRTIO_CRYPTO_F_AEAD_STATELESS_MODE",
    ],
  };

/**
 * The names of feature bits.
 *
 * @param features the bits
 * @param spec the document whose features were offered
 * @returns a name for each, lowest bit first
 */
export function featureNames(features: bigint, spec: SpecName): string[] {
  const names: string[] = [];
  for (let number = 0; features >> BigInt(number) !== 0n; number++) {
    if ((features & bit(number)) === 0n) continue;
    names.push(
      COMMON_NAMES[number] ?? TYPE_NAMES[spec][number] ?? `bit ${number}`,
    );
  }
  return names;
}

/** What a frontend has negotiated so far. */
export class Negotiation {
  /** Acknowledged virtio features. */
  features = 0n;
  /** Acknowledged protocol features. */
  protocolFeatures = 0n;

  /**
   * Whether a protocol feature was acknowledged.
   *
   * @param feature its bit number
   * @returns true when it was
   */
  has(feature: number): boolean {
    return (this.protocolFeatures & bit(feature)) !== 0n;
  }

  /**
   * Whether the frontend owns control queue and configuration space, and makes
   * sessions by message, as QEMU's cryptodev-vhost-user does. Then every queue
   * is a data queue, and what the guest negotiated is not known here.
   */
  get sessionMessages(): boolean {
    return this.has(VHOST_USER_PROTOCOL_F_CRYPTO_SESSION) &&
      !this.has(VHOST_USER_PROTOCOL_F_CONFIG);
  }

  /**
   * Whether rings wait for SET_VRING_ENABLE (vhost-user, "Ring states"). Not
   * with session messages: QEMU never sends it there.
   */
  get ringsWaitForEnable(): boolean {
    return !this.sessionMessages &&
      (this.features & bit(VHOST_USER_F_PROTOCOL_FEATURES)) !== 0n;
  }

  /** How rings lie in memory. */
  get format(): RingFormat {
    return (this.features & bit(VIRTIO_F_RING_PACKED)) !== 0n
      ? "packed"
      : "split";
  }

  /**
   * How rings notify. A feature that was set is one that the guest negotiated;
   * one that was not says nothing with session messages, as QEMU sets none
   * there, whatever the guest negotiated.
   */
  get notification(): Notification {
    if ((this.features & bit(VIRTIO_F_RING_EVENT_IDX)) !== 0n) {
      return "event-index";
    }
    return this.sessionMessages && this.format === "split"
      ? "unknown"
      : "flags";
  }

  /** Whether buffers are used in the order in which they were available. */
  get inOrder(): boolean {
    return (this.features & bit(VIRTIO_F_IN_ORDER)) !== 0n;
  }

  /** Whether rings may use indirect tables. */
  get indirect(): boolean {
    return this.sessionMessages ||
      (this.features & bit(VIRTIO_F_RING_INDIRECT_DESC)) !== 0n;
  }
}
