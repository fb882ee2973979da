/**
 * Payloads: decoding what a frontend sent, and encoding the same for the
 * frontend's side.
 *
 * The decoders take payloads that {@linkcode MessageParser} let through, so the
 * sizes are right; what they refuse is values.
 *
 * @module
 */

import {
  CONFIG_HEADER_SIZE,
  MEM_REG_SIZE,
  MEM_REGION_SIZE,
  MEM_TABLE_HEADER_SIZE,
  U64_SIZE,
  VRING_ADDR_SIZE,
  VRING_INDEX_MASK,
  VRING_NOFD_MASK,
  VRING_STATE_SIZE,
} from "./protocol.ts";

// Vring state
/** Which ring (u32). */
const STATE_INDEX = 0;
/** A size, a base or whether it is enabled (u32). */
const STATE_NUM = 4;

// Vring addresses
/** Which ring (u32). */
const ADDR_INDEX = 0;
/** VHOST_VRING_F_LOG and nothing else (u32). */
const ADDR_FLAGS = 4;
/** Descriptor table (u64). */
const ADDR_DESCRIPTOR = 8;
/** Used ring (u64). */
const ADDR_USED = 16;
/** Available ring (u64). */
const ADDR_AVAILABLE = 24;
// At 32: guest address for logging (u64), without a meaning where nothing logs.

// Memory regions
/** Guest physical address (u64). */
const REGION_GUEST_ADDRESS = 0;
/** Number of bytes (u64). */
const REGION_SIZE = 8;
/** Address in the frontend (u64). */
const REGION_USER_ADDRESS = 16;
/** Where in the file the region starts (u64). */
const REGION_MMAP_OFFSET = 24;
/** Single region: where the region starts, after 8 bytes of padding. */
const SINGLE_REGION = 8;

// Configuration access
/** Where in the configuration space (u32). */
const CONFIG_OFFSET = 0;
/** Number of bytes (u32). */
const CONFIG_SIZE = 4;
/** 1 for live migration, else 0 (u32). */
const CONFIG_FLAGS = 8;

/**
 * A message is well formed, but what it says is refused: the sender gets an
 * acknowledgement other than zero where it waits for one.
 */
export class PayloadError extends Error {
  /** The name of the class. */
  override readonly name = "PayloadError";
}

/** A vring state description. */
export interface VringState {
  /** Which ring, as it came. */
  readonly index: number;
  /** A size, a base or whether it is enabled. */
  readonly num: number;
}

/** A vring address description. Addresses are the frontend's. */
export interface VringAddr {
  /** Which ring, as it came. */
  readonly index: number;
  /** VHOST_VRING_F_LOG and nothing else. */
  readonly flags: number;
  /** Address of the descriptor table. */
  readonly descriptor: number;
  /** Address of the used ring. */
  readonly used: number;
  /** Address of the available ring. */
  readonly available: number;
}

/** A memory region description. Addresses and sizes are in bytes. */
export interface MemRegion {
  /** Guest physical address. */
  readonly guestAddress: number;
  /** Number of bytes. */
  readonly size: number;
  /** Address in the frontend's address space, as ring addresses are. */
  readonly userAddress: number;
  /** Where in the file the region starts. */
  readonly mmapOffset: number;
}

/** An access to the configuration space. */
export interface ConfigAccess {
  /** Where it starts, in bytes. */
  readonly offset: number;
  /** 1 for live migration, else 0. */
  readonly flags: number;
  /** The bytes; a view of the payload. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** Which ring an eventfd is for. */
export interface VringFd {
  /** Which ring: 0 to 255. */
  readonly index: number;
  /** The descriptor; undefined for none, which asks for polling. */
  readonly fd: number | undefined;
}

function viewOf(payload: Uint8Array): DataView {
  return new DataView(
    payload.buffer,
    payload.byteOffset,
    payload.byteLength,
  );
}

/** A u64 that is used as a number: one that is not exact there is refused. */
function exact(view: DataView, offset: number, what: string): number {
  const value = view.getBigUint64(offset, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new PayloadError(
      `Cannot use ${what} 0x${value.toString(16)}: it is above 2^53`,
    );
  }
  return Number(value);
}

/**
 * @param payload a u64: features, a status, a session id
 * @returns its value
 */
export function decodeU64(payload: Uint8Array): bigint {
  return viewOf(payload).getBigUint64(0, true);
}

/**
 * @param value a u64; negative numbers wrap
 * @returns its payload
 */
export function encodeU64(value: bigint): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(U64_SIZE));
  view.setBigUint64(0, value, true);
  return new Uint8Array(view.buffer);
}

/**
 * @param payload a vring state description
 * @returns its fields; whether there is such a ring is not judged
 */
export function decodeVringState(payload: Uint8Array): VringState {
  const view = viewOf(payload);
  return {
    index: view.getUint32(STATE_INDEX, true),
    num: view.getUint32(STATE_NUM, true),
  };
}

/**
 * @param state a vring state description
 * @returns its payload
 */
export function encodeVringState(state: VringState): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(VRING_STATE_SIZE));
  view.setUint32(STATE_INDEX, state.index, true);
  view.setUint32(STATE_NUM, state.num, true);
  return new Uint8Array(view.buffer);
}

/**
 * Decodes a vring address description. Whether the addresses lie in memory is
 * not judged. The log address has no meaning here and may be anything.
 *
 * @param payload a vring address description
 * @returns its fields
 * @throws {PayloadError} An address is above 2^53
 */
export function decodeVringAddr(payload: Uint8Array): VringAddr {
  const view = viewOf(payload);
  return {
    index: view.getUint32(ADDR_INDEX, true),
    flags: view.getUint32(ADDR_FLAGS, true),
    descriptor: exact(view, ADDR_DESCRIPTOR, "descriptor table address"),
    used: exact(view, ADDR_USED, "used ring address"),
    available: exact(view, ADDR_AVAILABLE, "available ring address"),
  };
}

/**
 * @param addr a vring address description
 * @returns its payload
 */
export function encodeVringAddr(addr: VringAddr): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(VRING_ADDR_SIZE));
  view.setUint32(ADDR_INDEX, addr.index, true);
  view.setUint32(ADDR_FLAGS, addr.flags, true);
  view.setBigUint64(ADDR_DESCRIPTOR, BigInt(addr.descriptor), true);
  view.setBigUint64(ADDR_USED, BigInt(addr.used), true);
  view.setBigUint64(ADDR_AVAILABLE, BigInt(addr.available), true);
  return new Uint8Array(view.buffer);
}

function decodeRegion(view: DataView, at: number): MemRegion {
  const region = {
    guestAddress: exact(view, at + REGION_GUEST_ADDRESS, "guest address"),
    size: exact(view, at + REGION_SIZE, "region size"),
    userAddress: exact(view, at + REGION_USER_ADDRESS, "user address"),
    mmapOffset: exact(view, at + REGION_MMAP_OFFSET, "mmap offset"),
  };
  const { guestAddress, size, userAddress, mmapOffset } = region;
  if (size === 0) {
    throw new PayloadError("Cannot use a memory region of 0 bytes");
  }
  // Both terms are below 2^53, so that a sum which is not exact is seen as such.
  for (const start of [guestAddress, userAddress, mmapOffset]) {
    if (!Number.isSafeInteger(start + size)) {
      throw new PayloadError(
        `Cannot use a memory region of ${size} bytes at 0x${
          start.toString(16)
        }: it ends above 2^53`,
      );
    }
  }
  return region;
}

function encodeRegion(view: DataView, at: number, region: MemRegion): void {
  view.setBigUint64(
    at + REGION_GUEST_ADDRESS,
    BigInt(region.guestAddress),
    true,
  );
  view.setBigUint64(at + REGION_SIZE, BigInt(region.size), true);
  view.setBigUint64(at + REGION_USER_ADDRESS, BigInt(region.userAddress), true);
  view.setBigUint64(at + REGION_MMAP_OFFSET, BigInt(region.mmapOffset), true);
}

/**
 * Decodes a memory table. Checked are: there is a region, and a descriptor for
 * each; no region is empty; no address, size or end is above 2^53. Whether
 * regions overlap is not judged.
 *
 * @param payload a memory regions description
 * @param fdCount number of descriptors that came along
 * @returns the regions, in the order of the descriptors
 * @throws {PayloadError} A check failed
 */
export function decodeMemTable(
  payload: Uint8Array,
  fdCount: number,
): MemRegion[] {
  const view = viewOf(payload);
  const count = (payload.length - MEM_TABLE_HEADER_SIZE) / MEM_REGION_SIZE;
  if (count === 0) {
    throw new PayloadError("Cannot use a memory table of 0 regions");
  }
  if (fdCount !== count) {
    throw new PayloadError(
      `Cannot map ${count} memory regions from ${fdCount} file descriptors`,
    );
  }
  return Array.from(
    { length: count },
    (_, i) => decodeRegion(view, MEM_TABLE_HEADER_SIZE + i * MEM_REGION_SIZE),
  );
}

/**
 * @param regions 0 to 8 regions
 * @returns the payload of a memory regions description
 */
export function encodeMemTable(
  regions: readonly MemRegion[],
): Uint8Array<ArrayBuffer> {
  const view = new DataView(
    new ArrayBuffer(MEM_TABLE_HEADER_SIZE + regions.length * MEM_REGION_SIZE),
  );
  view.setUint32(0, regions.length, true);
  regions.forEach((region, i) =>
    encodeRegion(view, MEM_TABLE_HEADER_SIZE + i * MEM_REGION_SIZE, region)
  );
  return new Uint8Array(view.buffer);
}

/**
 * Decodes a single memory region. How many descriptors came along is not judged:
 * adding needs one, removing needs none.
 *
 * @param payload a single memory region description
 * @returns the region
 * @throws {PayloadError} It is empty, or an address, size or end is above 2^53
 */
export function decodeMemReg(payload: Uint8Array): MemRegion {
  return decodeRegion(viewOf(payload), SINGLE_REGION);
}

/**
 * @param region a memory region
 * @returns the payload of a single memory region description
 */
export function encodeMemReg(region: MemRegion): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(MEM_REG_SIZE));
  encodeRegion(view, SINGLE_REGION, region);
  return new Uint8Array(view.buffer);
}

/**
 * @param payload an access to the configuration space
 * @returns its fields; whether it lies inside the space is not judged
 */
export function decodeConfig(
  payload: Uint8Array<ArrayBuffer>,
): ConfigAccess {
  const view = viewOf(payload);
  return {
    offset: view.getUint32(CONFIG_OFFSET, true),
    flags: view.getUint32(CONFIG_FLAGS, true),
    data: payload.subarray(CONFIG_HEADER_SIZE),
  };
}

/**
 * @param access an access to the configuration space
 * @returns its payload
 */
export function encodeConfig(
  access: Omit<ConfigAccess, "data"> & {
    /** The bytes. */
    readonly data: Uint8Array;
  },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(
    new ArrayBuffer(CONFIG_HEADER_SIZE + access.data.length),
  );
  const view = viewOf(bytes);
  view.setUint32(CONFIG_OFFSET, access.offset, true);
  view.setUint32(CONFIG_SIZE, access.data.length, true);
  view.setUint32(CONFIG_FLAGS, access.flags, true);
  bytes.set(access.data, CONFIG_HEADER_SIZE);
  return bytes;
}

/**
 * Decodes SET_VRING_KICK, _CALL or _ERR. Checked are: no bit above 8 is set, and
 * a descriptor came exactly where bit 8 is clear.
 *
 * @param payload the u64
 * @param fds the descriptors that came along
 * @returns the ring and its descriptor; whether there is such a ring is not judged
 * @throws {PayloadError} A check failed
 */
export function decodeVringFd(
  payload: Uint8Array,
  fds: readonly number[],
): VringFd {
  const value = decodeU64(payload);
  if ((value & ~BigInt(VRING_INDEX_MASK | VRING_NOFD_MASK)) !== 0n) {
    throw new PayloadError(
      `Cannot use 0x${value.toString(16)} as a ring and its flag`,
    );
  }
  // At most 9 bits: exact in a number.
  const index = Number(value) & VRING_INDEX_MASK;
  const expected = (Number(value) & VRING_NOFD_MASK) === 0 ? 1 : 0;
  if (fds.length !== expected) {
    throw new PayloadError(
      `Cannot use ${fds.length} file descriptors for ring ${index}: ${expected} must come`,
    );
  }
  return { index, fd: fds[0] };
}

/**
 * @param index which ring: 0 to 255
 * @param withFd whether a descriptor comes along
 * @returns the payload of SET_VRING_KICK, _CALL or _ERR
 */
export function encodeVringFd(
  index: number,
  withFd: boolean,
): Uint8Array<ArrayBuffer> {
  return encodeU64(
    BigInt((index & VRING_INDEX_MASK) | (withFd ? 0 : VRING_NOFD_MASK)),
  );
}
