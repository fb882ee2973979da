/**
 * A second reading of vhost-user messages: what a backend without logging,
 * in-flight descriptors and backend requests has to do with each.
 *
 * @module
 */

import {
  type FdKind,
  MEMORY_SIZE,
  type MessageOperation,
} from "./operations.ts";

/**
 * What becomes of a message.
 *
 * - reply: it has an answer of its own
 * - done: it is done, acknowledged with 0 where that was asked for
 * - refused: acknowledged with another value, or the connection closes
 * - declined: the same, but the connection stays in any case
 * - framing: the connection closes
 * - either: done or refused, by what only the device knows
 */
export type Fate =
  | "reply"
  | "done"
  | "refused"
  | "declined"
  | "framing"
  | "either";

interface Shape {
  readonly sizes: readonly number[];
  readonly fds: number;
}

const shape = (sizes: readonly number[], fds = 0): Shape => ({ sizes, fds });
const from = (least: number, most: number, step: number): number[] =>
  Array.from(
    { length: (most - least) / step + 1 },
    (_, i) => least + i * step,
  );

const SERVED: Readonly<Record<number, Shape>> = {
  1: shape([0]),
  2: shape([8]),
  3: shape([0]),
  4: shape([0]),
  5: shape(from(8, 264, 32), 8),
  8: shape([8]),
  9: shape([40]),
  10: shape([8]),
  11: shape([8]),
  12: shape([8], 1),
  13: shape([8], 1),
  14: shape([8], 1),
  15: shape([0]),
  16: shape([8]),
  17: shape([0]),
  18: shape([8]),
  24: shape(from(12, 268, 1)),
  25: shape(from(12, 268, 1)),
  26: shape([632, 1072]),
  27: shape([8]),
  34: shape([0]),
  36: shape([0]),
  37: shape([40], 1),
  38: shape([40], 1),
  39: shape([8]),
  40: shape([0]),
};

/** Known, and refused: their features are not offered. */
const REFUSED: Readonly<Record<number, Shape>> = {
  6: shape([8, 16], 1),
  7: shape([0, 8], 1),
  19: shape([8]),
  20: shape([8]),
  21: shape([0, 8], 1),
  22: shape([32]),
  23: shape([8]),
  28: shape([0]),
  29: shape([0]),
  30: shape([0]),
  31: shape([20, 24], 1),
  32: shape([20, 24], 1),
  33: shape([0, 8], 1),
  35: shape([8]),
  41: shape([16]),
  42: shape([8], 1),
  43: shape([0]),
  44: shape([0]),
  45: shape([8]),
};

const MAX_EXACT = 2n ** 53n - 1n;
const MAX_REGIONS = 64;
const CONFIG_SIZE = 56;
const PROTOCOL_FEATURES = [0, 3, 7, 9, 13, 15, 16]
  .reduce((bits, bit) => bits | 1n << BigInt(bit), 0n);

interface ModelRegion {
  readonly guest: bigint;
  readonly size: bigint;
  readonly user: bigint;
}

interface ModelVring {
  num: number;
  started: boolean;
  enabled: boolean;
  paused: boolean;
  addressed: boolean;
}

/** What a connection has come to. */
export class ModelConnection {
  protocolFeatures = 0n;
  /** Sessions that were created by message and not closed. */
  readonly sessions = new Set<bigint>();
  #features = 0n;
  #regions: readonly ModelRegion[] = [];
  readonly #vrings: ModelVring[];
  readonly #offered: bigint;
  /** Sessions may have ended without a message. */
  #sessionsUnsure = false;

  /**
   * @param queues number of rings
   * @param offered the features that are offered
   */
  constructor(queues: number, offered: bigint) {
    this.#offered = offered;
    this.#vrings = Array.from({ length: queues }, () => ({
      num: 0,
      started: false,
      enabled: false,
      paused: false,
      addressed: false,
    }));
  }

  /** Whether a message that asks for it is acknowledged. */
  get acknowledges(): boolean {
    return (this.protocolFeatures & 1n << 3n) !== 0n;
  }

  get #sessionMessages(): boolean {
    return (this.protocolFeatures & 1n << 7n) !== 0n &&
      (this.protocolFeatures & 1n << 9n) === 0n;
  }

  /** Whether a ring may be served. */
  #mayServe({ num, started, enabled, paused, addressed }: ModelVring): boolean {
    if (!started || !addressed || num === 0) return false;
    const waits = !this.#sessionMessages && (this.#features & 1n << 30n) !== 0n;
    return waits ? enabled : !paused;
  }

  /**
   * Judges a message, and does what it says.
   *
   * @param message the message
   * @param payload its payload
   * @returns what becomes of it
   */
  take(message: MessageOperation, payload: Uint8Array): Fate {
    const { request, fds } = message;
    if (isBadHeader(message, payload.length)) return "framing";
    const view = new DataView(payload.buffer);
    const u32 = (at: number) => view.getUint32(at, true);
    const u64 = (at: number) => view.getBigUint64(at, true);
    if (request === 5 && 8 + 32 * u32(0) !== payload.length) return "framing";
    if (
      (request === 24 || request === 25) && 12 + u32(4) !== payload.length
    ) return "framing";
    if (SERVED[request] === undefined) return "refused";
    switch (request) {
      case 1:
      case 15:
      case 17:
      case 24:
      case 26:
      case 36:
      case 40:
        return "reply";
      case 2:
        return this.#setFeatures(u64(0));
      case 4:
        this.#stopAll();
        return "done";
      case 5:
        return this.#setTable(u64, payload.length, fds);
      case 16:
        return this.#setProtocolFeatures(u64(0));
      case 25:
        return "declined";
      case 27:
        return this.#closeSession(u64(0));
      case 34:
        this.#reset();
        return "done";
      case 37:
        return this.#add(u64, fds);
      case 38:
        return this.#remove(u64);
      case 39:
        if (u64(0) > 0xffn) return "refused";
        if (u64(0) === 0n) this.#reset();
        return "done";
      case 9:
        if ([8, 16, 24].some((at) => u64(at) > MAX_EXACT)) return "refused";
        break;
      case 12:
      case 13:
      case 14:
        return this.#vringFd(request, u64(0), fds);
    }
    return request === 3 ? "done" : this.#vring(request, u32(0), u32(4));
  }

  #setFeatures(features: bigint): Fate {
    if ((features & ~this.#offered) !== 0n) return "refused";
    this.#features = features;
    return "done";
  }

  #setProtocolFeatures(features: bigint): Fate {
    if ((features & ~PROTOCOL_FEATURES) !== 0n) return "refused";
    const before = this.protocolFeatures;
    const owner = this.#sessionMessages;
    this.protocolFeatures = features;
    if (
      owner === this.#sessionMessages ||
      !this.#vrings.some((vring) => vring.started)
    ) return "done";
    // Refused where a ring is served: which one it came to is not seen.
    this.protocolFeatures = before;
    return "either";
  }

  #setTable(
    u64: (at: number) => bigint,
    size: number,
    fds: readonly FdKind[],
  ): Fate {
    const count = (size - 8) / 32;
    if (count === 0 || fds.length !== count) return "refused";
    const regions: ModelRegion[] = [];
    for (let i = 0; i < count; i++) {
      const region = regionOf(u64, 8 + 32 * i, fds[i]!);
      if (region === undefined) return "refused";
      regions.push(region);
    }
    if (overlap(regions)) return "refused";
    this.#regions = regions;
    return "done";
  }

  #add(u64: (at: number) => bigint, fds: readonly FdKind[]): Fate {
    if (fds.length !== 1 || this.#regions.length >= MAX_REGIONS) {
      return "refused";
    }
    const region = regionOf(u64, 8, fds[0]!);
    if (region === undefined) return "refused";
    const regions = [...this.#regions, region];
    if (overlap(regions)) return "refused";
    this.#regions = regions;
    return "done";
  }

  #remove(u64: (at: number) => bigint): Fate {
    const region = regionOf(u64, 8, undefined);
    const at = this.#regions.findIndex((r) =>
      r.guest === region?.guest && r.size === region.size &&
      r.user === region.user
    );
    if (at < 0) return "refused";
    this.#regions = this.#regions.filter((_, i) => i !== at);
    return "done";
  }

  #closeSession(id: bigint): Fate {
    if (this.#sessionsUnsure) return "either";
    return this.sessions.delete(id) ? "done" : "declined";
  }

  #vringFd(request: number, value: bigint, fds: readonly FdKind[]): Fate {
    const none = (value & 0x100n) !== 0n;
    if (value > 0x1ffn || fds.length !== (none ? 0 : 1)) return "refused";
    const vring = this.#vrings[Number(value & 0xffn)];
    if (vring === undefined) return "refused";
    const [fd] = fds;
    if (fd === "memory" || fd === "short" || fd === "socket") return "refused";
    if (request !== 12) return "done";
    if (none) return "refused";
    vring.started = true;
    return "done";
  }

  #vring(request: number, index: number, num: number): Fate {
    const vring = this.#vrings[index];
    if (request === 18 && num > 1) return "refused";
    if (vring === undefined) return "refused";
    const may = this.#mayServe(vring);
    switch (request) {
      case 8:
        if (may) {
          // From here on it is not known which size it has.
          vring.num = num || vring.num;
          return "either";
        }
        vring.num = num;
        return "done";
      case 9:
        vring.addressed = true;
        return "done";
      case 10:
        // A base that shows a reset of the guest ends its sessions.
        this.#sessionsUnsure = true;
        return may ? "either" : "done";
      case 11:
        vring.started = false;
        return "reply";
      default:
        vring.enabled = num === 1;
        vring.paused = num === 0;
        return "done";
    }
  }

  #stopAll(): void {
    for (const vring of this.#vrings) {
      vring.started = vring.enabled = vring.paused = false;
    }
  }

  #reset(): void {
    this.#stopAll();
    for (const vring of this.#vrings) {
      vring.num = 0;
      vring.addressed = false;
    }
    this.sessions.clear();
    this.#sessionsUnsure = false;
  }
}

/**
 * Whether a header is none that a backend takes.
 *
 * @param message the message
 * @param size bytes of payload that its header names
 * @returns true where the connection closes at the header
 */
export function isBadHeader(
  { request, flags, fds }: MessageOperation,
  size: number,
): boolean {
  const known = SERVED[request] ?? REFUSED[request];
  return (flags & ~8) !== 1 || known === undefined ||
    fds.length > known.fds || !known.sizes.includes(size);
}

/** A region that can be used; undefined for one that cannot. */
function regionOf(
  u64: (at: number) => bigint,
  at: number,
  fd: FdKind | undefined,
): ModelRegion | undefined {
  const [guest, size, user, offset] = [0, 8, 16, 24].map((o) => u64(at + o));
  for (const start of [guest!, user!, offset!]) {
    if (start > MAX_EXACT || start + size! > MAX_EXACT) return undefined;
  }
  if (size === 0n) return undefined;
  if (fd !== undefined) {
    const length = fd === "memory"
      ? BigInt(MEMORY_SIZE)
      : fd === "short"
      ? 4096n
      : -1n;
    if (offset! + size! > length) return undefined;
  }
  return { guest: guest!, size: size!, user: user! };
}

function overlap(regions: readonly ModelRegion[]): boolean {
  const sorted = regions.toSorted((a, b) => a.guest < b.guest ? -1 : 1);
  return sorted.some((region, i) => {
    const before = sorted[i - 1];
    return before !== undefined && region.guest < before.guest + before.size;
  });
}

/**
 * Bytes of the configuration space that GET_CONFIG gives.
 *
 * @param payload the payload of the request
 * @returns size of the payload of its reply
 */
export function configReplySize(payload: Uint8Array): number {
  const view = new DataView(payload.buffer);
  const [offset, size] = [view.getUint32(0, true), view.getUint32(4, true)];
  return offset + size > CONFIG_SIZE ? 0 : payload.length;
}
