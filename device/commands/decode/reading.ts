/**
 * The ways a request can be read: what a driver may have negotiated.
 *
 * @module
 */

import {
  offeredFeatures,
  type RequestLayout,
  requestLayout,
  type SpecName,
} from "../../spec/request_layout.ts";
import {
  VIRTIO_CRYPTO_F_REVISION_1,
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
} from "../../spec/constants.ts";
import { UsageError } from "../usage.ts";

/** A layout by the name `--layout` takes. */
export type LayoutName = "legacy" | "v15" | "1.4";

/** The layouts, in the order in which they are tried. */
export const LAYOUT_NAMES: readonly LayoutName[] = ["legacy", "v15", "1.4"];

/** Services by the names `--session-mode` takes. */
const SERVICES: Readonly<Record<string, number>> = {
  cipher: VIRTIO_CRYPTO_SERVICE_CIPHER,
  hash: VIRTIO_CRYPTO_SERVICE_HASH,
  mac: VIRTIO_CRYPTO_SERVICE_MAC,
  aead: VIRTIO_CRYPTO_SERVICE_AEAD,
};

/** One way to read a request. */
export interface Reading {
  /** Its layout. */
  readonly name: LayoutName;
  /** What it means, for people. */
  readonly label: string;
  /** What the decoders are told. */
  readonly layout: RequestLayout;
  /** The document whose features the device offers. */
  readonly spec: SpecName;
  /** The feature bits of the device type that were negotiated. */
  readonly features: bigint;
}

/**
 * Reads a list of services whose mode feature was negotiated.
 *
 * @param option the option's name, for messages
 * @param text services with commas between them, all, or none
 * @returns one bit a service
 * @throws {UsageError} One is not a service
 */
export function servicesOption(option: string, text: string): number {
  if (text === "none") return 0;
  if (text === "all") return 0b1111;
  let services = 0;
  for (const word of text.split(",")) {
    const service = Object.hasOwn(SERVICES, word) ? SERVICES[word] : undefined;
    if (service === undefined) {
      throw new UsageError(
        `Cannot use --${option}=${text}: all, none, or some of ${
          Object.keys(SERVICES).join(",")
        } is needed`,
      );
    }
    services |= 1 << service;
  }
  return services;
}

function modesLabel(services: number): string {
  const names = Object.keys(SERVICES)
    .filter((name) => services >> SERVICES[name]! & 1)
    .map((name) => name.toUpperCase());
  return names.length === 4
    ? "of every service"
    : names.length === 0
    ? "of no service"
    : `of ${names.join(", ")}`;
}

function legacy(services: number): Reading {
  return {
    name: "legacy",
    label: "legacy: as Linux, DPDK and QEMU speak it, padded, session mode",
    layout: requestLayout("1.4", services, 0n, false),
    spec: "1.4",
    features: 0n,
  };
}

function v15(services: number, modes: number): Reading {
  const features = offeredFeatures("v15", services & modes);
  return {
    name: "v15",
    label: `v15: the draft, with SESSION_MODE ${modesLabel(modes)} negotiated`,
    layout: requestLayout("v15", services, features, false),
    spec: "v15",
    features,
  };
}

function revision1(services: number, modes: number): Reading {
  const features = offeredFeatures("1.4", services & modes) |
    1n << BigInt(VIRTIO_CRYPTO_F_REVISION_1);
  return {
    name: "1.4",
    label: `1.4: virtio 1.4 with REVISION_1 and STATELESS_MODE ${
      modesLabel(modes)
    } negotiated`,
    layout: requestLayout("1.4", services, features, false),
    spec: "1.4",
    features,
  };
}

/**
 * The readings to try.
 *
 * @param services one bit a service the device offers
 * @param layout the layout, where it is known
 * @param modes one bit a service whose mode feature was negotiated, where that
 * is known
 * @returns at least one
 */
export function readingsFor(
  services: number,
  layout: LayoutName | undefined,
  modes: number | undefined,
): readonly Reading[] {
  const readings: Reading[] = [];
  if (layout === undefined || layout === "legacy") {
    readings.push(legacy(services));
  }
  if (layout === undefined || layout === "v15") {
    readings.push(v15(services, modes ?? 0b1111));
  }
  if (layout === undefined || layout === "1.4") {
    const each = modes === undefined ? [0, 0b1111] : [modes];
    for (const bits of each) readings.push(revision1(services, bits));
  }
  return readings;
}
