/**
 * A device in this process whose requests are given byte by byte.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { type Reading, readingsFor } from "../../device/explain/reading.ts";
import { CryptoDriver } from "../../device/driver/driver.ts";
import {
  InProcessDevice,
  type InProcessOptions,
} from "../../device/in_process.ts";
import type { OperationParameters } from "../../device/spec/session_parameters.ts";
import { goodCreation, goodData, sessionOf } from "../decode/requests.ts";

export const OK = 0;
export const ERR = 1;
export const BADMSG = 2;
export const NOTSUPP = 3;
export const INVSESS = 4;

/** VERSION_1, INDIRECT_DESC and EVENT_IDX. */
const RING_FEATURES = 1n << 32n | 1n << 28n | 1n << 29n;
/** SESSION_MODE of every service. */
export const ALL_MODES = 0b11110n;

/** Modes of a data request. */
export const MODES = ["session mode", "non-session mode"] as const;
/** One of them. */
export type Mode = (typeof MODES)[number];

const V15: Reading = readingsFor(0b1111, "v15", 0b1111)[0]!;

/** What came of a data request. */
export interface Answer {
  readonly status: number | undefined;
  readonly usedLength: number;
  /** The writable part without its last byte. */
  readonly result: Uint8Array<ArrayBuffer>;
  /** Nothing but the writable part was changed. */
  readonly intact: boolean;
}

/** A device that offers the document's features. */
export class Bench {
  readonly device: InProcessDevice;
  readonly driver: CryptoDriver;

  private constructor(device: InProcessDevice, driver: CryptoDriver) {
    this.device = device;
    this.driver = driver;
  }

  /** @param options the device's; features are those of the device type */
  static async open(options: InProcessOptions = {}): Promise<Bench> {
    const device = new InProcessDevice({
      workers: 0,
      memorySize: 4 << 20,
      ...options,
      features: RING_FEATURES | (options.features ?? ALL_MODES),
    });
    return new Bench(device, await CryptoDriver.attach(device));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.driver.close();
  }

  /** Sends a control request with room for a creation's answer. */
  async control(
    bytes: Uint8Array,
    writable = 16,
  ): Promise<{ status: number; id: bigint; usedLength: number }> {
    const answer = await this.driver.submitRaw("control", [bytes], [writable]);
    assert(answer.intact);
    const view = new DataView(answer.bytes.buffer);
    return writable < 16
      ? {
        status: view.getUint32(0, true),
        id: 0n,
        usedLength: answer.usedLength,
      }
      : {
        status: view.getUint32(8, true),
        id: view.getBigUint64(0, true),
        usedLength: answer.usedLength,
      };
  }

  /** Creates a session of a name, which has to be possible. */
  async create(name: string): Promise<bigint> {
    const { status, id } = await this.control(
      goodCreation(sessionOf(name), false),
    );
    assertEquals(status, OK);
    return id;
  }

  /** Sends a data request. */
  async data(
    bytes: Uint8Array,
    writable: number,
    queue = 0,
  ): Promise<Answer> {
    const answer = await this.driver.submitRaw(queue, [bytes], [writable]);
    return {
      status: answer.usedLength === 0 ? undefined : answer.bytes.at(-1),
      usedLength: answer.usedLength,
      result: answer.bytes.slice(0, -1),
      intact: answer.intact,
    };
  }

  /** A good request of a name in a mode; its session is created. */
  async request(
    name: string,
    mode: Mode,
  ): Promise<{
    session: OperationParameters;
    bytes: Uint8Array<ArrayBuffer>;
    writable: number;
  }> {
    const session = sessionOf(name);
    const sessionMode = mode === "session mode";
    const good = goodData(session, { reading: V15, sessionMode });
    const bytes = sessionMode
      ? withId(good.bytes, await this.create(name))
      : good.bytes;
    return { session, bytes, writable: good.writable };
  }
}

/** Bytes with le32 fields changed, by offset. */
export function patched(
  bytes: Uint8Array<ArrayBuffer>,
  changes: Readonly<Record<number, number>>,
): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (const [at, value] of Object.entries(changes)) {
    view.setUint32(Number(at), value, true);
  }
  return copy;
}

/** A data request of another session. */
export function withId(
  bytes: Uint8Array<ArrayBuffer>,
  id: bigint,
): Uint8Array<ArrayBuffer> {
  return patched(bytes, {
    8: Number(id & 0xffff_ffffn),
    12: Number(id >> 32n),
  });
}

/** A destruction. */
export function destruction(
  service: number,
  id: bigint,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, service << 8 | 3, true);
  view.setBigUint64(16, id, true);
  return bytes;
}

/** Bytes of one value. */
export function filled(length: number, value: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length).fill(value);
}
