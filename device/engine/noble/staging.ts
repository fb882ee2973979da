/**
 * Private memory that jobs are computed in. A guest may change its memory
 * while a job reads it, and source and destination may overlap: so a source is
 * copied here once, worked on here, and copied out when the job has succeeded.
 *
 * @module
 */

import { SegmentCursor, type Span } from "../../memory/segments.ts";
import type { JobMemory } from "../engine.ts";
import { Scratch } from "./scratch.ts";

/** Bytes between two looks at whether to give a job up. */
export const STEP = 65536;

/** A buffer above this many bytes is given back when its job is over. */
const KEPT = 1 << 20;

/**
 * Bytes past the end of what is reserved: a partial last block is worked on
 * as a whole one, and a tag may follow.
 */
const SLACK = 64;

/**
 * The buffer jobs are computed in, and the way between it and guest memory.
 * One serves all jobs of an engine, one job after the other.
 *
 * What a job left in the buffer stays until {@linkcode Staging.clear}: wiping
 * after each job would touch every byte once more.
 */
export class Staging {
  /** Small arrays for the job that runs. */
  readonly scratch: Scratch = new Scratch();
  /** The buffer; another one after {@linkcode Staging.reserve}. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** The same memory as little-endian 32-bit words. */
  words: Uint32Array<ArrayBuffer> = new Uint32Array(0);
  /** Bytes from the start that a job may have written. */
  #used = 0;
  #view: Uint8Array<ArrayBuffer> = this.bytes;
  #on: JobMemory | undefined = undefined;
  #cursor: SegmentCursor | undefined = undefined;
  #abandoned: (() => boolean) | undefined = undefined;
  #steps = 0;

  /**
   * Turns to the memory of a batch.
   *
   * @param on guest memory and segments
   * @param abandoned asked between steps; left out: never given up
   */
  bind(on: JobMemory, abandoned: (() => boolean) | undefined): void {
    if (this.#cursor === undefined || this.#on?.segments !== on.segments) {
      this.#cursor = new SegmentCursor(on.memory, on.segments);
    } else {
      this.#cursor.memory = on.memory;
    }
    this.#on = on;
    this.#abandoned = abandoned;
  }

  /**
   * Starts a job: makes room, of which the first `size` bytes and a block
   * after them may be worked on. What they hold is not defined.
   *
   * @param size number of bytes
   * @throws {RangeError} There is not that much memory
   */
  reserve(size: number): void {
    this.#steps = 0;
    const needed = size + SLACK;
    if (needed > this.bytes.length) this.#grow(needed);
    if (needed > this.#used) this.#used = needed;
  }

  /**
   * Begins a step of at most {@linkcode STEP} bytes.
   *
   * @returns false when the job is to be given up; never before its first step
   */
  next(): boolean {
    return this.#steps++ === 0 || this.#abandoned === undefined ||
      !this.#abandoned();
  }

  /**
   * Goes to the first byte of a span.
   *
   * @param span the span to read or write next
   */
  seek(span: Span): void {
    this.#cursor!.seekSpan(span);
  }

  /**
   * Copies the next bytes of guest memory into the buffer.
   *
   * @param at offset in the buffer
   * @param length number of bytes
   */
  read(at: number, length: number): void {
    this.#cursor!.read(this.bytes, at, length);
  }

  /**
   * Copies the next bytes of guest memory into a small array.
   *
   * @param target where to, from its first byte
   * @param length number of bytes
   */
  readInto(target: Uint8Array, length: number): void {
    this.#cursor!.read(target, 0, length);
  }

  /**
   * Copies a result to guest memory.
   *
   * @param span where to
   * @param source the result, from its first byte
   * @param length number of bytes
   */
  write(span: Span, source: Uint8Array, length: number): void {
    this.#cursor!.seekSpan(span);
    this.#cursor!.write(source, 0, length);
  }

  /**
   * A part of the buffer as an array of its own. The last one is kept, so jobs
   * of one size share it.
   *
   * @param at offset in the buffer
   * @param length number of bytes
   * @returns the view, valid until the next call of `reserve`
   */
  view(at: number, length: number): Uint8Array<ArrayBuffer> {
    const last = this.#view;
    if (last.byteOffset === at && last.length === length) return last;
    return this.#view = this.bytes.subarray(at, at + length);
  }

  /** Ends a batch: gives a large buffer back. */
  release(): void {
    this.#abandoned = undefined;
    if (this.bytes.length > KEPT + SLACK) this.#drop();
  }

  /** Overwrites what jobs left here. */
  clear(): void {
    this.bytes.fill(0, 0, this.#used);
    this.#used = 0;
    this.scratch.wipe();
  }

  /** Lets go of the guest's memory. */
  forget(): void {
    this.#on = undefined;
    this.#cursor = undefined;
    this.#abandoned = undefined;
  }

  #grow(needed: number): void {
    this.#drop();
    let size = STEP;
    while (size < needed - SLACK && size < KEPT) size *= 2;
    // Beyond what is kept: what this job needs, in whole words.
    if (size < needed - SLACK) size = Math.ceil((needed - SLACK) / 16) * 16;
    this.bytes = new Uint8Array(size + SLACK);
    this.words = new Uint32Array(this.bytes.buffer);
    this.#view = this.bytes;
  }

  #drop(): void {
    this.bytes.fill(0, 0, this.#used);
    this.#used = 0;
    this.bytes = new Uint8Array(0);
    this.words = new Uint32Array(0);
    this.#view = this.bytes;
  }
}
