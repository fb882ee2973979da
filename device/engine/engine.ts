/**
 * The interface between the device and what computes: an engine turns an
 * algorithm, a direction and a key into a context, and runs batches of jobs.
 * Nothing here knows of virtio.
 *
 * @module
 */

import type { GuestMemory } from "../memory/guest_memory.ts";
import { type SegmentTable, Span } from "../memory/segments.ts";
import type { Algorithm, Direction } from "./algorithm.ts";

/** Names of the built-in engines. */
export type EngineName = "noble" | "libcrypto" | "ipsec-mb";

/** How a job ended. */
export const JobOutcome = {
  /** Not run yet. */
  PENDING: 0,
  /** Done: the whole result is in its place. */
  DONE: 1,
  /** The tag of an AEAD decryption is wrong; nothing was written. */
  BAD_TAG: 2,
  /** The engine could not do it; nothing was written. */
  FAILED: 3,
  /** Given up because of a stop; nothing was written, and it can run again. */
  ABANDONED: 4,
} as const;

/**
 * A prepared operation: an algorithm, a direction and a key made ready by an
 * engine. It holds key material until it is wiped.
 */
export interface Context {
  /** What runs it. */
  readonly engine: Runner;
  /** The algorithm; a chain's cipher. */
  readonly algorithm: Algorithm;
  /** A chain's hash or MAC; undefined elsewhere. */
  readonly hash?: Algorithm | undefined;
  /** The direction; "encrypt" for hashes and MACs. */
  readonly direction: Direction;
  /**
   * Jobs whose contexts have the same engine and group can run in one batch:
   * the engine numbers its combinations of algorithm, direction and key size
   * from 0 to below {@linkcode Runner.groups}.
   */
  readonly group: number;
  /**
   * Bytes, source and result together, that it works on in about a
   * millisecond; those of a portable engine when left out.
   */
  readonly roundBytes?: number | undefined;
  /** Overwrites key and key schedule. The context cannot be used again. */
  wipe(): void;
}

/**
 * What a job of a chain has besides: a cipher works on one range of the
 * source, a hash or MAC on another, of the source or of the cipher's result.
 * `destination` receives the source with the ciphered range replaced.
 */
export class ChainPart {
  /** Where the digest goes; its length is the digest's. */
  readonly digest: Span = new Span();
  /** First byte of the ciphered range, from the source's start. */
  cipherStart = 0;
  /** Bytes of the ciphered range. */
  cipherLength = 0;
  /** First byte of the hashed range, from the source's start. */
  hashStart = 0;
  /** Bytes of the hashed range. */
  hashLength = 0;
  /** The MAC's iv, in private memory. */
  readonly authIv: Uint8Array<ArrayBuffer> = new Uint8Array(16);
  /** Bytes of `authIv` in use; 0 where the MAC has none. */
  authIvLength = 0;
}

/**
 * One unit of work. Jobs are reused: the caller fills every field again. All
 * lengths were checked against the algorithm and against the segments.
 *
 * - cipher: `destination` receives as many bytes as `source` has
 * - hash, mac: `destination` receives `resultLength` bytes; `aad` means nothing
 * - aead, encrypt: `destination` receives the ciphertext, then the tag of
 *   `resultLength` bytes
 * - aead, decrypt: `source` is the ciphertext, then the tag; `destination`
 *   receives the plaintext, and only when the tag is right
 * - chain: see {@linkcode ChainPart}; `aad`, where the MAC takes no iv from it,
 *   is hashed before the hashed range
 *
 * Source and destination may be the same memory, or overlap in any way; the
 * source may change while the job runs.
 */
export class Job {
  /** The prepared operation. */
  context: Context | undefined = undefined;
  /** Data to work on. */
  readonly source: Span = new Span();
  /** Additional authenticated data. */
  readonly aad: Span = new Span();
  /** Where the result goes; its length is at least the result's. */
  readonly destination: Span = new Span();
  /** The iv, in private memory. */
  readonly iv: Uint8Array<ArrayBuffer> = new Uint8Array(16);
  /** The same memory as little-endian 32-bit words. */
  readonly ivWords: Uint32Array<ArrayBuffer> = new Uint32Array(this.iv.buffer);
  /** Bytes of `iv` in use. */
  ivLength = 0;
  /** Bytes of digest or tag. */
  resultLength = 0;
  /** What only a chain has; see {@linkcode ChainPart}. */
  readonly chain: ChainPart = new ChainPart();
  /** A value of {@linkcode JobOutcome}. */
  outcome = 0;
  /**
   * Name of the engine that ran it, of a chain the cipher's, for whoever looks
   * at requests. Who runs a job sets it.
   */
  ranBy: string | undefined = undefined;
}

/** What a batch of jobs works on. */
export interface JobMemory {
  /** The guest's memory; another one after a change of the memory table. */
  readonly memory: GuestMemory;
  /** The segments the spans of jobs point into. */
  readonly segments: SegmentTable;
}

/** Bytes that the expanded keys for requests in place may take of a thread. */
export const MOST_KEY_BYTES: number = 32 << 20;

/** Most requests of a batch in place. */
export const MOST_IN_PLACE = 32;

/**
 * A cipher from place to place in guest memory, in one direction and with keys
 * of one size, without jobs and contexts: the shortest way for what is
 * contiguous. Its keys are expanded and kept by number.
 */
export interface InPlaceCipher {
  /** Bytes of the longest request of a batch; one that is alone may be longer. */
  readonly most: number;
  /**
   * The same, and no more, of a batch whose sources are at one offset in a page,
   * and so have the same sets of the processor's first cache.
   */
  readonly mostAlike: number;
  /**
   * Bytes of all sources of a batch, 512 KiB at least: what takes some hundred
   * microseconds.
   */
  readonly batchBytes: number;
  /** Bytes of memory that a key takes, about. */
  readonly keyBytes: number;
  /**
   * Expands a key.
   *
   * @param key the key, of the cipher's size; nothing of it is kept but in the
   * memory of the expanded key
   * @returns its number, or -1 where requests with this key are not run here
   */
  addKey(key: Uint8Array): number;
  /**
   * Overwrites an expanded key.
   *
   * @param number its number, which another key may get
   */
  removeKey(number: number): void;
  /**
   * Reads what requests will read of some keys, of all at once: so they wait
   * for memory together.
   *
   * @param numbers numbers of keys
   * @param count how many, from the first
   * @returns what was read, which means nothing
   */
  touchKeys(numbers: Int32Array, count: number): number;
  /** Starts a batch. */
  begin(): void;
  /**
   * Takes a request in, as the next of the batch. Addresses are of this process
   * and in halves, as signed words.
   *
   * @param key number of its key
   * @param length bytes of source and destination, of a legal length
   * @param sourceLow low half of the source's address
   * @param sourceHigh high half
   * @param destinationLow low half of the destination's address
   * @param destinationHigh high half
   * @param ivLow low half of the iv's address: it is data, too, and may be read
   * at any time until {@linkcode finish} returns
   * @param ivHigh high half
   * @param words guest memory that the iv is in
   * @param iv index of its first word there
   * @returns false for a request that is not run in this way: nothing was
   * taken in
   */
  add(
    key: number,
    length: number,
    sourceLow: number,
    sourceHigh: number,
    destinationLow: number,
    destinationHigh: number,
    ivLow: number,
    ivHigh: number,
    words: Uint32Array,
    iv: number,
  ): boolean;
  /**
   * Runs what was taken in.
   *
   * @returns for each request in its order, 1 where it was done
   */
  finish(): Uint8Array;
}

/**
 * Whether two ranges of bytes may have some in common without being the same.
 *
 * @param a low half of the first one's address
 * @param b low half of the second one's
 * @param length bytes of each, less than 2^31
 * @returns false only where they have none in common or are the same; also true
 * for the few that are apart by nearly a multiple of 4 GiB
 */
export function overlaps(a: number, b: number, length: number): boolean {
  const distance = (b - a) | 0;
  return distance !== 0 && distance < length && -distance < length;
}

/** What runs jobs. */
export interface Runner {
  /**
   * The way to run a cipher in place.
   *
   * @param algorithm a cipher that it serves
   * @param direction the direction
   * @param keyLength bytes of the key, of a legal size
   * @param alone whether it is for requests that are alone in their batch
   * @returns the same object for the same operation, or undefined where such
   * requests are not run in this way
   */
  inPlace?(
    algorithm: Algorithm,
    direction: Direction,
    keyLength: number,
    alone: boolean,
  ): InPlaceCipher | undefined;
  /** Number of groups its contexts fall into. */
  readonly groups: number;
  /**
   * Runs jobs of one group to their end and sets each one's outcome. It never
   * throws on what a guest wrote.
   *
   * @param jobs holds the jobs
   * @param count how many of them, from the first
   * @param on the memory they work on
   * @param abandoned asked between steps of at most 64 KiB when there is one
   * job only: true gives the job up, before anything of it was written
   */
  run(
    jobs: readonly Job[],
    count: number,
    on: JobMemory,
    abandoned: () => boolean,
  ): void;
  /** Overwrites what is kept of data between jobs. */
  wipe(): void;
}

/** Something that computes. Each thread has instances of its own. */
export interface Engine extends Runner {
  /** The engine's name; of a built-in one as `--engine` takes it. */
  readonly name: string;
  /**
   * Whether the engine serves an algorithm.
   *
   * @param algorithm the algorithm
   * @param keyLength key size in bytes; left out: with any key
   * @returns true when it does, in both directions and at every legal length
   */
  serves(algorithm: Algorithm, keyLength?: number): boolean;
  /**
   * Makes a context. The key is copied.
   *
   * @param algorithm an algorithm it serves
   * @param direction the direction; "encrypt" for hashes and MACs
   * @param key the key, of a legal size; empty for a hash
   * @returns the context
   * @throws {RangeError} The engine does not serve this algorithm and key size
   */
  prepare(
    algorithm: Algorithm,
    direction: Direction,
    key: Uint8Array,
  ): Context;
}
