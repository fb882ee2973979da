/**
 * How a driver uses its device.
 *
 * @module
 */

import type { DeviceConfig } from "../spec/config.ts";
import {
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
} from "../spec/constants.ts";
import type { BufferStyle } from "./pending_request.ts";
import { type Layout, layoutOf, modeServicesOf } from "./requests.ts";
import type { Transport } from "./transport.ts";

const QUEUE_SIZE = 256;
const CONTROL_QUEUE_SIZE = 64;
const CLOSE_TIMEOUT_MS = 1000;

/** How a driver uses its device. What is left out is chosen. */
export interface DriverOptions {
  /** Data queues to start; all there are. */
  readonly queues?: number;
  /**
   * Descriptors of each data queue, up to 32768; a power of two unless rings
   * are packed; 256.
   */
  readonly queueSize?: number;
  /** Descriptors of the control queue, as those of data queues; 64. */
  readonly controlQueueSize?: number;
  /**
   * The rules that requests follow; what the negotiated features say. To be
   * said only where they do not tell: bits 1 to 4 without bit 0, taken from a
   * device of virtio 1.4, mean nothing, and the layout is "legacy".
   */
  readonly layout?: Layout;
  /** Give buffers by indirect tables; where that was negotiated. */
  readonly indirect?: boolean;
  /** Whether fields share descriptors; "joined". See {@linkcode BufferStyle}. */
  readonly descriptors?: BufferStyle["descriptors"];
  /** How long close waits for sessions to end, in milliseconds; 1000. */
  readonly closeTimeout?: number;
}

/** How a driver's `submitRaw` gives its segments. */
export interface RawOptions {
  /** By an indirect table; the driver's own choice when left out. */
  readonly indirect?: boolean;
}

/** The options with what was chosen. */
export interface UsedOptions {
  /** Data queues to start. */
  readonly queues: number;
  /** Descriptors of each data queue. */
  readonly queueSize: number;
  /** Descriptors of the control queue. */
  readonly controlQueueSize: number;
  /** The rules that requests follow. */
  readonly layout: Layout;
  /** One bit a service whose mode bit was negotiated. */
  readonly modeServices: number;
  /** How buffers are given. */
  readonly style: BufferStyle;
  /** VIRTIO_F_RING_EVENT_IDX was negotiated. */
  readonly eventIndex: boolean;
  /** Milliseconds. */
  readonly closeTimeout: number;
}

/**
 * Fills in what was left out.
 *
 * @param options what was asked for
 * @param transport the device
 * @param config its configuration space
 * @returns the options to use
 * @throws {RangeError} The device has not as many queues, or lacks a feature
 */
export function usedOptions(
  options: DriverOptions,
  transport: Transport,
  config: DeviceConfig | undefined,
): UsedOptions {
  const { features } = transport;
  const has = (bit: number) => (features >> BigInt(bit) & 1n) === 1n;
  const negotiated = has(VIRTIO_F_RING_INDIRECT_DESC);
  if (options.indirect && !negotiated) {
    throw new RangeError(
      "Cannot use indirect tables: VIRTIO_F_RING_INDIRECT_DESC was not negotiated",
    );
  }
  const available = Math.min(
    transport.dataQueues,
    config?.maxDataqueues ?? Infinity,
  );
  const queues = options.queues ?? available;
  if (!(queues >= 1 && queues <= available)) {
    throw new RangeError(`Cannot use ${queues} data queues of ${available}`);
  }
  return {
    queues,
    queueSize: options.queueSize ?? QUEUE_SIZE,
    controlQueueSize: options.controlQueueSize ?? CONTROL_QUEUE_SIZE,
    // Without a control queue of its own the device knows the legacy layout
    // only, whatever was negotiated.
    layout: options.layout ??
      (config === undefined ? "legacy" : layoutOf(features)),
    modeServices: modeServicesOf(features),
    style: {
      indirect: options.indirect ?? negotiated,
      descriptors: options.descriptors ?? "joined",
    },
    eventIndex: has(VIRTIO_F_RING_EVENT_IDX),
    closeTimeout: options.closeTimeout ?? CLOSE_TIMEOUT_MS,
  };
}
