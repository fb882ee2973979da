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
} from "../spec/request_layout.ts";
import { VIRTIO_CRYPTO_F_REVISION_1 } from "../spec/constants.ts";
import { SERVICE_NAMES } from "../spec/names.ts";

/** A layout by the name `--layout` takes. */
export type LayoutName = "legacy" | "v15" | "1.4";

/** The layouts, in the order in which they are tried. */
export const LAYOUT_NAMES: readonly LayoutName[] = ["legacy", "v15", "1.4"];

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

function modesLabel(services: number): string {
  const names = SERVICE_NAMES.filter((_, service) => services >> service & 1);
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
 * The reading of a layout that is known.
 *
 * @param layout the layout
 * @returns how it reads requests
 */
export function readingOf(layout: RequestLayout): Reading {
  const { kind, services, modeServices } = layout;
  switch (kind) {
    case "legacy":
      return legacy(services);
    case "v15":
      return v15(services, modeServices);
    case "revision1":
      return revision1(services, modeServices);
  }
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
