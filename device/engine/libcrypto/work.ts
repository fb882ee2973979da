/**
 * What the contexts of the engine share: the library, private memory, and where
 * the data of the job that runs lies.
 *
 * @module
 */

import {
  type GuestAddresses,
  guestAddresses,
} from "../../host/guest_addresses.ts";
import type { Libcrypto } from "../../host/libcrypto.ts";
import type { GuestMemory } from "../../memory/guest_memory.ts";
import type { Job, JobMemory } from "../engine.ts";
import {
  FROM,
  POINTERS,
  setFrom,
  setSize,
  setTo,
  SIZE,
  TO,
} from "./pointers.ts";
import { Portable, type PortableTwin } from "./portable.ts";
import { PrivateMemory } from "./private_memory.ts";
import { Ranges } from "./ranges.ts";

// Imported constants are cells to the compiler, a module's own are not.
const pointers = POINTERS;
const AT_FROM = FROM;
const AT_TO = TO;
const AT_SIZE = SIZE;

/**
 * Most bytes of one update: `EVP_CipherUpdate` counts them in an int. A whole
 * number of blocks.
 */
export const MOST_AT_ONCE = 1 << 30;

/**
 * Most bytes of a call that cannot be cut, and of a job that is run straight
 * to the guest's memory: neither can be given up, and each takes about 0.1 s.
 */
export const MOST_UNBROKEN = 64 << 20;

/** Bytes between two looks at whether to give a job up. */
export const STEP = 65536;

// Indices of the addresses of an update.
/** Where it reads. */
export const READ = 0;
/** Where it writes. */
export const WRITE = 1;

function never(): boolean {
  return false;
}

/** One engine's working place; one job at a time. */
export class Work {
  /** The library's functions. */
  readonly library: Libcrypto;
  /** Memory that no guest sees. */
  readonly memory: PrivateMemory = new PrivateMemory();
  /** Where the next update reads and writes: a number here is no object. */
  readonly io: Float64Array<ArrayBuffer> = new Float64Array(2);
  /** Where the source is. */
  readonly source: Ranges = new Ranges();
  /** Where the AAD is. */
  readonly aad: Ranges = new Ranges();
  /** Where the result goes. */
  readonly destination: Ranges = new Ranges();
  readonly #portable = new Portable();
  #on: JobMemory | undefined;
  #guest: GuestMemory | undefined;
  #addresses: GuestAddresses | undefined;
  #abandoned: () => boolean = never;
  /** Whether the job that runs was given up. */
  givenUp = false;
  /** Bytes worked on since it was asked whether to give the job up. */
  #unasked = 0;

  /** @param library the library's functions */
  constructor(library: Libcrypto) {
    this.library = library;
  }

  /**
   * Turns to the memory of a batch.
   *
   * @param on guest memory and segments
   * @param abandoned asked between steps; left out: never given up
   */
  bind(on: JobMemory, abandoned: (() => boolean) | undefined): void {
    this.#on = on;
    this.givenUp = false;
    this.#unasked = 0;
    this.#abandoned = abandoned ?? never;
    if (on.memory !== this.#guest) {
      this.#guest = on.memory;
      this.#addresses = guestAddresses(on.memory);
    }
  }

  /**
   * Finds the data of a job.
   *
   * @param job the job
   * @param written bytes of its result
   * @param hasAad whether it is one with AAD
   * @returns false when it leaves its segments
   */
  locate(job: Job, written: number, hasAad: boolean): boolean {
    const { segments } = this.#on!;
    const addresses = this.#addresses!;
    const { source, destination, aad } = job;
    return this.source.fill(addresses, segments, source, source.length) &&
      this.destination.fill(addresses, segments, destination, written) &&
      (!hasAad || this.aad.fill(addresses, segments, aad, aad.length));
  }

  /**
   * Whether a result can be computed straight from source to destination: each
   * is one range there, and they are the same or have no byte in common.
   *
   * @param length bytes of the source, as many of the result
   * @returns true when it can
   */
  isDirect(length: number): boolean {
    const { source, destination } = this;
    if (
      source.count !== 1 || destination.count === 0 ||
      destination.length[0]! < length
    ) return false;
    const read = source.start[0]!;
    const write = destination.start[0]!;
    return read === write || read + length <= write || write + length <= read;
  }

  /**
   * The bytes of the next step of a job.
   *
   * @param left bytes that are left of a range
   * @returns how many come next; 0 when the job is given up, and then it has
   * failed
   */
  next(left: number): number {
    if (this.#unasked >= STEP) {
      this.#unasked = 0;
      if (this.#abandoned()) {
        this.givenUp = true;
        return 0;
      }
    }
    const part = left < STEP ? left : STEP;
    this.#unasked += part;
    return part;
  }

  /**
   * Enciphers or deciphers one range, step by step.
   *
   * @param context the EVP_CIPHER_CTX
   * @param read address of the data
   * @param write address of the result
   * @param length number of bytes
   * @returns how many bytes were written, or -1 on failure
   */
  updateInSteps(
    context: bigint,
    read: number,
    write: number,
    length: number,
  ): number {
    const { io } = this;
    let written = 0;
    for (let done = 0; done < length;) {
      const part = this.next(length - done);
      if (part === 0) return -1;
      io[READ] = read + done;
      io[WRITE] = write + written;
      const more = this.update(context, part);
      if (more < 0) return -1;
      done += part;
      written += more;
    }
    return written;
  }

  /**
   * Enciphers or deciphers one range at once, from and to the addresses in
   * {@linkcode Work.io}.
   *
   * @param context the EVP_CIPHER_CTX
   * @param length number of bytes
   * @returns how many bytes were written, or -1 on failure
   */
  update(context: bigint, length: number): number {
    const { io, library, memory } = this;
    const { writtenAt } = memory;
    let written = 0;
    for (let done = 0; done < length;) {
      const left = length - done;
      const part = left > MOST_AT_ONCE ? MOST_AT_ONCE : left;
      setFrom(io[READ]! + done);
      setTo(io[WRITE]! + written);
      const taken = library.EVP_CipherUpdate(
        context,
        pointers[AT_TO]!,
        writtenAt,
        pointers[AT_FROM]!,
        part,
      );
      if (taken !== 1) return -1;
      written += memory.written;
      done += part;
    }
    return written;
  }

  /**
   * Enciphers or deciphers all of the source into private memory.
   *
   * @param context the EVP_CIPHER_CTX
   * @param length bytes of the source
   * @returns the address of the result, or -1 on failure
   */
  updateAside(context: bigint, length: number): number {
    const { source } = this;
    const start = this.memory.reserve(length);
    let written = 0;
    for (let i = 0; i < source.count; i++) {
      // A partial block waits for its rest: results follow one another all the
      // same.
      const more = this.updateInSteps(
        context,
        source.start[i]!,
        start + written,
        source.length[i]!,
      );
      if (more < 0) return -1;
      written += more;
    }
    return written === length ? start : -1;
  }

  /**
   * Enciphers or deciphers the source into the destination, in place where
   * they allow it.
   *
   * @param context the EVP_CIPHER_CTX
   * @param length bytes of the source
   * @param unbroken most bytes to work on straight; more are worked on aside,
   * where the job can be given up with nothing written
   * @returns whether it succeeded
   */
  updateAll(context: bigint, length: number, unbroken: number): boolean {
    if (length <= unbroken && this.isDirect(length)) {
      this.io[READ] = this.source.start[0]!;
      this.io[WRITE] = this.destination.start[0]!;
      return this.update(context, length) === length;
    }
    const result = this.updateAside(context, length);
    if (result < 0) return false;
    this.store(result, 0, length);
    return true;
  }

  /**
   * Copies the source, or its start, to private memory. It is read once.
   *
   * @param ranges where it is
   * @param skip bytes of it to leave out
   * @param write address to copy to
   * @param length number of bytes
   */
  load(ranges: Ranges, skip: number, write: number, length: number): void {
    for (let i = 0; length > 0; i++) {
      let part = ranges.length[i]! - skip;
      if (part <= 0) {
        skip = -part;
        continue;
      }
      if (part > length) part = length;
      setTo(write);
      setFrom(ranges.start[i]! + skip);
      setSize(part);
      this.library.memcpy(
        pointers[AT_TO]!,
        pointers[AT_FROM]!,
        pointers[AT_SIZE]!,
      );
      write += part;
      length -= part;
      skip = 0;
    }
  }

  /**
   * Copies a result from private memory to the destination.
   *
   * @param read address to copy from
   * @param skip bytes of the destination to leave out
   * @param length number of bytes
   */
  store(read: number, skip: number, length: number): void {
    const { destination } = this;
    for (let i = 0; length > 0; i++) {
      let part = destination.length[i]! - skip;
      if (part <= 0) {
        skip = -part;
        continue;
      }
      if (part > length) part = length;
      setTo(destination.start[i]! + skip);
      setFrom(read);
      setSize(part);
      this.library.memcpy(
        pointers[AT_TO]!,
        pointers[AT_FROM]!,
        pointers[AT_SIZE]!,
      );
      read += part;
      length -= part;
      skip = 0;
    }
  }

  /**
   * Runs a job on the portable engine.
   *
   * @param job the job
   * @param twin what has the key
   * @returns how it ended
   */
  runPortable(job: Job, twin: PortableTwin): number {
    return this.#portable.run(
      job,
      twin.context(this.#portable),
      this.#on!,
      this.#abandoned,
    );
  }

  /** Ends a batch. */
  release(): void {
    this.#on = undefined;
    this.#abandoned = never;
    this.memory.release();
  }

  /** Overwrites what is kept of data, and lets go of the guest's memory. */
  wipe(): void {
    this.memory.wipe();
    this.#portable.wipe();
    this.#guest = undefined;
    this.#addresses = undefined;
  }
}
