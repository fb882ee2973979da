/**
 * The layouts that driver and device can speak, and devices that speak them.
 *
 * @module
 */

import { assertEquals, assertRejects } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import type { DriverOptions } from "../../device/driver/driver_options.ts";
import { CryptoStatusError } from "../../device/driver/errors.ts";
import type {
  ChainOperation,
  ChainResult,
  Operation,
} from "../../device/driver/operation.ts";
import type { DataLayout } from "../../device/driver/requests.ts";
import type {
  ChainSessionOptions,
  SessionOptions,
} from "../../device/driver/session_options.ts";
import {
  InProcessDevice,
  type InProcessOptions,
} from "../../device/in_process.ts";
import type { SpecName } from "../../device/spec/request_layout.ts";

/** VERSION_1, RING_INDIRECT_DESC and RING_EVENT_IDX. */
export const RING = 1n << 32n | 1n << 28n | 1n << 29n;
/** The mode bits of all services: …_SESSION_MODE, or …_STATELESS_MODE. */
export const MODES = 0b11110n;
/** VIRTIO_CRYPTO_F_REVISION_1. */
export const REVISION_1 = 1n;

/** One way to speak to a device. */
export interface LayoutCase {
  readonly name: string;
  /** The document whose features the device offers. */
  readonly spec: SpecName;
  /** What is negotiated. */
  readonly features: bigint;
  /** The layout that follows. */
  readonly layout: DataLayout;
  /** Whether operations bring their keys along. */
  readonly stateless: boolean;
}

/** Every way there is. */
export const LAYOUTS: readonly LayoutCase[] = [
  {
    name: "legacy, of a v15 device",
    spec: "v15",
    features: RING,
    layout: "legacy",
    stateless: false,
  },
  {
    name: "legacy, of a 1.4 device",
    spec: "1.4",
    features: RING,
    layout: "legacy",
    stateless: false,
  },
  {
    name: "v15 session mode",
    spec: "v15",
    features: RING | MODES,
    layout: "v15",
    stateless: false,
  },
  {
    name: "v15 non-session mode",
    spec: "v15",
    features: RING | MODES,
    layout: "v15",
    stateless: true,
  },
  {
    name: "revision 1 session mode",
    spec: "1.4",
    features: RING | REVISION_1,
    layout: "revision1",
    stateless: false,
  },
  {
    name: "revision 1 session mode with the stateless bit",
    spec: "1.4",
    features: RING | REVISION_1 | MODES,
    layout: "revision1-stateless",
    stateless: false,
  },
  {
    name: "revision 1 stateless mode",
    spec: "1.4",
    features: RING | REVISION_1 | MODES,
    layout: "revision1-stateless",
    stateless: true,
  },
];

/** A driver of a device in this process, which serves on this thread. */
export async function attach(
  { spec, features }: Pick<LayoutCase, "spec" | "features">,
  device: InProcessOptions = {},
  options: DriverOptions = {},
): Promise<CryptoDriver> {
  return await CryptoDriver.attach(
    new InProcessDevice({ workers: 0, queues: 1, ...device, spec, features }),
    options,
  );
}

/** Runs one operation, by a session of its own or without any. */
export async function perform(
  driver: CryptoDriver,
  stateless: boolean,
  options: SessionOptions,
  operation: Operation,
): Promise<Uint8Array> {
  if (stateless) return await driver.run({ ...options, ...operation });
  await using session = await driver.createSession(options);
  return await session.run(operation);
}

/** The same for algorithm chaining. */
export async function performChain(
  driver: CryptoDriver,
  stateless: boolean,
  options: ChainSessionOptions,
  operation: ChainOperation,
): Promise<ChainResult> {
  if (stateless) return await driver.run({ ...options, ...operation });
  await using session = await driver.createSession(options);
  return await session.run(operation);
}

/** Checks that the device answers with a status. */
export async function assertStatus(
  answer: () => Promise<unknown>,
  status: string,
  what?: string,
): Promise<void> {
  const error = await assertRejects(answer, CryptoStatusError, "", what);
  assertEquals(error.statusName, status, what);
}
