/**
 * Ciphers on more bytes than the library takes at a time: piece by piece, in
 * private memory, with the iv carried on.
 *
 * @module
 */

import { GuestMemory } from "../../memory/guest_memory.ts";
import { SegmentCursor, SegmentTable } from "../../memory/segments.ts";
import { Job, type JobMemory, JobOutcome } from "../engine.ts";
import type { IpsecMbContext } from "./context.ts";
import type { Lanes } from "./lanes.ts";
import { IMB_CIPHER_CBC, IMB_CIPHER_CNTR, MOST_BYTES } from "./recipe.ts";

const BLOCK = 16;

/** Bytes between two looks at whether to give a job up. */
const STEP = 65536;

/** Bytes the library gets at a time: whole blocks, and a step of it. */
const PIECE = STEP / 2;

/** Ciphers whose jobs can be cut. */
const CUTTABLE = ["aes-cbc", "aes-ctr", "aes-ecb"];

/** The pieces of one job, in memory of their own. */
class Pieces implements JobMemory {
  readonly memory: GuestMemory;
  readonly segments = new SegmentTable(1);
  readonly bytes: Uint8Array<SharedArrayBuffer>;

  constructor(size: number) {
    const buffer = new SharedArrayBuffer(size);
    this.memory = new GuestMemory([
      { guestAddress: 0, userAddress: 0, size, buffer, offset: 0 },
    ]);
    this.bytes = this.memory.bytes[0]!;
    this.segments.push(0, 0, size);
  }
}

/**
 * Runs a job that is longer than the library's longest. Nothing is written
 * before all of it is done.
 *
 * @param lanes the lanes, in which no job waits
 * @param job the job, of legal lengths
 * @param context its context
 * @param on the memory it works on
 * @param abandoned asked between steps of 64 KiB: true gives the job up
 * @returns how it ended; PENDING where it cannot be cut
 * @throws {RangeError} It leaves its segments, or there is no memory for it
 */
export function runLongJob(
  lanes: Lanes,
  job: Job,
  context: IpsecMbContext,
  on: JobMemory,
  abandoned: () => boolean,
): number {
  const { length } = job.source;
  if (length <= MOST_BYTES || !CUTTABLE.includes(context.algorithm.name)) {
    return JobOutcome.PENDING;
  }
  const outside = new SegmentCursor(on.memory, on.segments);
  const pieces = new Pieces(length);
  const { bytes } = pieces;
  const piece = new Job();
  const next = new Uint8Array(BLOCK);
  piece.context = context;
  piece.iv.set(job.iv);
  piece.ivLength = job.ivLength;
  outside.seekSpan(job.source);
  lanes.bind(pieces, 1);
  try {
    for (let at = 0; at < length; at += PIECE) {
      if (at % STEP === 0) {
        if (at > 0 && abandoned()) return JobOutcome.ABANDONED;
        outside.read(bytes, at, Math.min(length - at, STEP));
      }
      const size = Math.min(length - at, PIECE);
      for (const span of [piece.source, piece.destination]) {
        span.skip = at;
        span.length = size;
      }
      if (context.direction === "decrypt") {
        next.set(bytes.subarray(at + size - BLOCK, at + size));
      }
      if (!lanes.add(piece, context)) return JobOutcome.PENDING;
      lanes.finish();
      if (piece.outcome !== JobOutcome.DONE) return JobOutcome.FAILED;
      if (context.recipe.cipher === IMB_CIPHER_CNTR) {
        addBlocks(piece.iv, PIECE / BLOCK);
      } else if (context.recipe.cipher === IMB_CIPHER_CBC) {
        piece.iv.set(
          context.direction === "decrypt"
            ? next
            : bytes.subarray(at + size - BLOCK, at + size),
        );
      }
    }
    outside.seekSpan(job.destination);
    outside.write(bytes, 0, length);
    return JobOutcome.DONE;
  } finally {
    bytes.fill(0);
    lanes.bind(on, 1);
  }
}

/** Adds to the low 32 bits of a counter; where they wrap, no piece is left. */
function addBlocks(counter: Uint8Array, blocks: number): void {
  const view = new DataView(counter.buffer, counter.byteOffset);
  view.setUint32(12, view.getUint32(12) + blocks);
}
