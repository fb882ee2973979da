/**
 * A device's core with queues over plain memory, driven by hand.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { dataRequest } from "../../device/driver/data_requests.ts";
import {
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import { ControlQueue } from "../../device/service/control_queue.ts";
import type { QueueStatistics } from "../../device/service/counters.ts";
import { DataQueue } from "../../device/service/data_queue.ts";
import {
  type CoreOptions,
  DeviceCore,
} from "../../device/service/device_core.ts";
import { RoundResult } from "../../device/service/round.ts";
import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import {
  type Answer,
  FILL,
  GuestQueue,
  type GuestRequest,
} from "./guest_queue.ts";
import type { GuestRingOptions } from "./guest_ring.ts";

export const OK = 0;
export const ERR = 1;
export const BADMSG = 2;
export const NOTSUPP = 3;
export const INVSESS = 4;

/** The layouts that requests are built in here. */
export type TestLayout = "legacy" | "v15";

/** Where le32 fields stand, header included, by layout and service. */
export const FIELDS = {
  header: { opcode: 0, algo: 4, sessionLow: 8, sessionHigh: 12, flag: 16 },
  legacy: [
    { iv: 24, src: 28, dst: 32, opType: 64 },
    { src: 24, result: 28 },
    { src: 24, result: 28 },
    { iv: 24, aad: 28, src: 32, dst: 36 },
  ],
  v15: [
    { iv: 36, src: 40, dst: 44, opType: 96 },
    { src: 28, result: 32 },
    { src: 32, result: 36 },
    { iv: 36, tag: 40, aad: 44, src: 48, dst: 52 },
  ],
} as const;

/** The fields of one layout and service, by name. */
export function fieldsOf(
  layout: TestLayout,
  service: number,
): Readonly<Record<string, number>> {
  return { ...FIELDS.header, ...FIELDS[layout][service] };
}

/** A session of a test device. */
export interface TestSession extends SessionParameters {
  readonly low: number;
  readonly high: number;
}

/** What one operation is given. */
export interface Input {
  readonly source?: Uint8Array;
  readonly iv?: Uint8Array;
  readonly aad?: Uint8Array;
  /** hash_result_len or tag_len; the session's when left out. */
  readonly result?: number;
  /** dst_data_len; that of the result when left out. */
  readonly destination?: number;
  /** Another opcode than the session's. */
  readonly opcode?: number;
}

/** How a test device is made. */
export interface TestDeviceOptions {
  readonly device?: CoreOptions;
  /** What requests are built in. */
  readonly layout?: TestLayout;
  /** The negotiated feature bits; those of the layout when left out. */
  readonly features?: bigint;
  readonly ring?: GuestRingOptions;
  readonly memorySize?: number;
  /** Asked while a large request runs. */
  readonly stopping?: () => boolean;
}

const NONE = new Uint8Array(0);

/** A device with one data queue, run by whoever calls it. */
export class TestDevice {
  readonly core: DeviceCore;
  readonly queue: DataQueue;
  readonly guest: GuestQueue;
  readonly layout: TestLayout;
  /** How often sessions ended. */
  retired = 0;

  /** @param options how it is made; legacy when not said */
  constructor(options: TestDeviceOptions = {}) {
    const { layout = "legacy", stopping = () => false } = options;
    this.layout = layout;
    // One engine on every machine, and the one that can give requests up.
    const settings: CoreOptions = { engines: ["noble"], ...options.device };
    this.core = new DeviceCore(settings, () => this.retired++);
    this.guest = new GuestQueue(options.ring, options.memorySize);
    this.queue = new DataQueue(
      this.core.queueOptions(0),
      this.core.capabilities.engines,
      stopping,
    );
    this.queue.setMemory(this.guest.memory.regions);
    const { features = layout === "v15" ? 0b11110n : 0n } = options;
    this.queue.start({
      ring: this.guest.ring.setup(),
      layout: this.core.layout(features, false),
    });
  }

  get statistics(): QueueStatistics {
    return this.queue.counters.read();
  }

  /** Creates a session, which has to be possible. */
  create(options: SessionOptions): TestSession {
    const parameters = sessionParameters(options);
    assertEquals(this.core.sessions.check(parameters), OK);
    const { status, low, high } = this.core.sessions.create(parameters, 0);
    assertEquals(status, OK);
    return { ...parameters, low, high };
  }

  /** A well-formed request of a session. */
  request(session: TestSession, input: Input = {}): GuestRequest {
    const { source = NONE, iv = NONE, aad = NONE } = input;
    const { result = session.resultLength } = input;
    const decrypts = session.op === 2;
    const { opcode = session.service << 8 | (decrypts ? 1 : 0) } = input;
    const tag = opcode === 0x300 ? result : opcode === 0x301 ? -result : 0;
    const { readable, writable } = dataRequest(this.layout, {
      opcode,
      algorithm: session.algorithm,
      sessionId: BigInt(session.high) << 32n | BigInt(session.low),
      iv,
      source,
      aad,
      destinationLength: input.destination ??
        Math.max(0, source.length + tag),
      resultLength: result,
    });
    return { readable, writable };
  }

  /** Runs requests; nothing but used ring and writable parts may change. */
  send(...requests: readonly GuestRequest[]): Answer[] {
    for (const request of requests) this.guest.offer(request);
    this.guest.watch();
    this.runAll();
    const answers = this.guest.answers();
    assertEquals(answers.length, requests.length);
    return answers;
  }

  /** Runs rounds while there is work; returns their results. */
  runAll(): number[] {
    const results: number[] = [];
    for (;;) {
      const result = this.queue.run();
      if (result === RoundResult.IDLE) return results;
      results.push(result);
      if (result === RoundResult.BROKEN) return results;
      assert(results.length < 10_000, "The rounds never end");
    }
  }

  /** Runs a request that has to succeed; returns all but the status. */
  succeed(request: GuestRequest): Uint8Array {
    const [answer] = this.send(request);
    assertEquals([answer!.status, answer!.usedLength], [
      OK,
      sum(request.writable),
    ]);
    return answer!.result;
  }

  /**
   * Runs a request that has to fail with nothing but its status written.
   *
   * @param request the request
   * @param status the status it has to get
   * @param what said when it does not
   */
  fail(request: GuestRequest, status: number, what?: string): void {
    const [answer] = this.send(request);
    assertEquals(answer!.status, status, what);
    assertEquals(answer!.usedLength, sum(request.writable), what);
    assertEquals(answer!.result.every((b) => b === FILL), true, what);
  }
}

/**
 * A request with le32 fields of its fixed part changed.
 *
 * @param request the request
 * @param changes values by offset
 * @returns the new request
 */
export function patched(
  request: GuestRequest,
  changes: Readonly<Record<number, number>>,
): GuestRequest {
  const fixed = request.readable[0]!.slice();
  const view = new DataView(fixed.buffer);
  for (const [at, value] of Object.entries(changes)) {
    view.setUint32(Number(at), value, true);
  }
  return { ...request, readable: [fixed, ...request.readable.slice(1)] };
}

/** Adds numbers. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

/** A control queue over plain memory. */
export class TestControl {
  readonly core: DeviceCore;
  readonly queue: ControlQueue;
  readonly guest: GuestQueue;
  /** How often sessions ended. */
  retired = 0;

  /**
   * @param device the device's options
   * @param ring how the ring is made
   * @param features the negotiated feature bits
   */
  constructor(
    device: CoreOptions = {},
    ring: GuestRingOptions = {},
    features = 0n,
  ) {
    this.core = new DeviceCore(device, () => this.retired++);
    this.guest = new GuestQueue(ring);
    this.queue = new ControlQueue(this.core.sessions);
    this.queue.setMemory(this.guest.memory.regions);
    this.queue.start(
      this.guest.ring.setup(),
      this.core.layout(features, false),
    );
  }

  /**
   * Runs one request.
   *
   * @param readable what the device reads, in any pieces
   * @param writable bytes the device may write, in any pieces
   * @returns used length, and the whole writable part
   */
  send(
    readable: readonly Uint8Array[],
    writable: readonly number[],
  ): { used: number; bytes: Uint8Array } {
    this.guest.offer({ readable, writable });
    this.guest.watch();
    this.queue.run();
    const [answer] = this.guest.answers();
    const { usedLength, result, status } = answer!;
    const bytes = status === undefined
      ? result
      : Uint8Array.of(...result, status);
    return { used: usedLength, bytes };
  }
}
