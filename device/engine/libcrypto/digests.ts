/**
 * Contexts of hashes.
 *
 * @module
 */

import type { Libcrypto } from "../../host/libcrypto.ts";
import { type Job, JobOutcome } from "../engine.ts";
import { LibcryptoContext, type Purpose } from "./context.ts";
import {
  FROM,
  POINTERS,
  setFrom,
  setSize,
  setTo,
  SIZE,
  TO,
} from "./pointers.ts";
import { MissingAlgorithmError } from "./provider.ts";
import { PortableTwin } from "./portable.ts";
import { MOST_UNBROKEN, type Work } from "./work.ts";

// Imported constants are cells to the compiler, a module's own are not.
const pointers = POINTERS;
const AT_FROM = FROM;
const AT_TO = TO;
const AT_SIZE = SIZE;

/**
 * The states of a hash: where every message starts, and the one under way. A
 * hash has no key, so all contexts of an algorithm share them.
 */
export class DigestStates {
  /** The EVP_MD_CTX every job starts from. */
  readonly initial: bigint;
  /** The EVP_MD_CTX of the job that runs. */
  readonly running: bigint;

  /**
   * @param library the library's functions
   * @param digest the EVP_MD
   * @throws {MissingAlgorithmError} The library cannot make them
   */
  constructor(library: Libcrypto, digest: bigint) {
    this.initial = library.EVP_MD_CTX_new();
    this.running = library.EVP_MD_CTX_new();
    if (
      this.initial === 0n || this.running === 0n ||
      library.EVP_DigestInit_ex(this.initial, digest, 0n) !== 1
    ) {
      throw new MissingAlgorithmError("Cannot make an EVP_MD_CTX");
    }
  }
}

/** Hashes the source, range by range. */
function absorb(work: Work, states: DigestStates): boolean {
  const { library, source } = work;
  if (library.EVP_MD_CTX_copy_ex(states.running, states.initial) !== 1) {
    return false;
  }
  for (let i = 0; i < source.count; i++) {
    const start = source.start[i]!;
    const length = source.length[i]!;
    for (let done = 0; done < length;) {
      const part = work.next(length - done);
      if (part === 0) return false;
      setFrom(start + done);
      setSize(part);
      if (
        library.EVP_DigestUpdate(
          states.running,
          pointers[AT_FROM]!,
          pointers[AT_SIZE]!,
        ) !== 1
      ) return false;
      done += part;
    }
  }
  return true;
}

/** A hash with a digest of a fixed size. */
export class DigestContext extends LibcryptoContext {
  readonly #states: DigestStates;

  /**
   * @param purpose what it is for
   * @param states of the hash
   */
  constructor(purpose: Purpose, states: DigestStates) {
    super(purpose);
    this.#states = states;
  }

  override run(job: Job, work: Work): number {
    const { memory } = work;
    if (
      !absorb(work, this.#states) ||
      work.library.EVP_DigestFinal_ex(
          this.#states.running,
          memory.resultPointer,
          0n,
        ) !== 1
    ) return JobOutcome.FAILED;
    work.store(memory.resultAt, 0, job.resultLength);
    return JobOutcome.DONE;
  }

  protected override free(): void {}
}

/** A hash whose output is as long as is asked for (FIPS 202, 6.2). */
export class ExtendableContext extends LibcryptoContext {
  readonly #states: DigestStates;
  /** For output that takes too long in one call. */
  readonly #twin: PortableTwin;

  /**
   * @param purpose what it is for
   * @param states of the hash
   */
  constructor(purpose: Purpose, states: DigestStates) {
    super(purpose);
    this.#states = states;
    this.#twin = new PortableTwin(
      purpose.algorithm,
      purpose.direction,
      new Uint8Array(0),
    );
  }

  override run(job: Job, work: Work): number {
    const { destination, memory } = work;
    const { resultLength } = job;
    if (resultLength > MOST_UNBROKEN) return work.runPortable(job, this.#twin);
    // The source was read when the output begins: they may overlap.
    const isDirect = destination.count === 1;
    const at = isDirect ? destination.start[0]! : memory.reserve(resultLength);
    if (!absorb(work, this.#states)) return JobOutcome.FAILED;
    setTo(at);
    setSize(resultLength);
    if (
      work.library.EVP_DigestFinalXOF(
        this.#states.running,
        pointers[AT_TO]!,
        pointers[AT_SIZE]!,
      ) !== 1
    ) return JobOutcome.FAILED;
    if (!isDirect) work.store(at, 0, resultLength);
    return JobOutcome.DONE;
  }

  protected override free(): void {
    this.#twin.wipe();
  }
}
