/**
 * Contexts of what only enciphers: ECB, CBC, CTR, XTS and RC4.
 *
 * @module
 */

import { copyKey } from "../../memory/secrets.ts";
import { type Job, JobOutcome } from "../engine.ts";
import type { CipherHandle } from "./cipher_handle.ts";
import { LibcryptoContext, type Purpose } from "./context.ts";
import { PortableTwin } from "./portable.ts";
import { READ, type Work, WRITE } from "./work.ts";

/** A cipher whose jobs can be one call each. */
export abstract class InPlaceContext extends LibcryptoContext {
  /** The EVP_CIPHER_CTX; 0 where there is none. */
  abstract readonly pointer: bigint;
}

/** A mode that takes data in any pieces. */
export class CipherContext extends InPlaceContext {
  readonly #handle: CipherHandle;

  /**
   * @param purpose what it is for
   * @param handle the cipher with its key; the context owns it
   */
  constructor(purpose: Purpose, handle: CipherHandle) {
    super(purpose);
    this.#handle = handle;
  }

  override get pointer(): bigint {
    return this.#handle.pointer;
  }

  override run(job: Job, work: Work): number {
    const { length } = job.source;
    const handle = this.#handle;
    return length === 0 ||
        handle.start(job.iv, job.ivLength) &&
          work.updateAll(handle.pointer, length, this.unbroken)
      ? JobOutcome.DONE
      : JobOutcome.FAILED;
  }

  protected override free(): void {
    this.#handle.free();
  }
}

/** RC4, whose state restarts with every job: by setting the key again. */
export class Rc4Context extends LibcryptoContext {
  readonly #handle: CipherHandle;
  /** In memory of its own that does not move, so no copy stays. */
  readonly #key: Uint8Array<ArrayBuffer>;

  /**
   * @param purpose what it is for
   * @param handle the cipher, set to the key's size; the context owns it
   * @param key 1 to 256 bytes
   */
  constructor(purpose: Purpose, handle: CipherHandle, key: Uint8Array) {
    super(purpose);
    this.#handle = handle;
    this.#key = new Uint8Array(new ArrayBuffer(key.length));
    copyKey(key, this.#key);
  }

  override run(job: Job, work: Work): number {
    const { length } = job.source;
    const handle = this.#handle;
    return length === 0 ||
        handle.setKey(this.#key) &&
          work.updateAll(handle.pointer, length, this.unbroken)
      ? JobOutcome.DONE
      : JobOutcome.FAILED;
  }

  protected override free(): void {
    this.#handle.free();
    this.#key.fill(0);
  }
}

/** Most bytes of a data unit for OpenSSL: 2^20 blocks (IEEE 1619, 5.1). */
const LONGEST_DATA_UNIT = 16 << 20;

/** XTS, which takes its data unit in one piece. */
export class XtsContext extends InPlaceContext {
  /** Undefined where the library does not take the key. */
  readonly #handle: CipherHandle | undefined;
  readonly #twin: PortableTwin;

  /**
   * @param purpose what it is for
   * @param handle the cipher with its key, which the context owns; undefined
   * for two equal keys, which OpenSSL refuses and IEEE 1619 has vectors of
   * @param key 32 or 64 bytes
   */
  constructor(
    purpose: Purpose,
    handle: CipherHandle | undefined,
    key: Uint8Array,
  ) {
    super(purpose);
    this.#handle = handle;
    this.#twin = new PortableTwin(purpose.algorithm, purpose.direction, key);
  }

  override get pointer(): bigint {
    return this.#handle === undefined ? 0n : this.#handle.pointer;
  }

  override run(job: Job, work: Work): number {
    const { length } = job.source;
    const handle = this.#handle;
    if (handle === undefined || length > LONGEST_DATA_UNIT) {
      return work.runPortable(job, this.#twin);
    }
    if (!handle.start(job.iv, job.ivLength)) return JobOutcome.FAILED;
    if (work.isDirect(length)) {
      return work.updateAll(handle.pointer, length, LONGEST_DATA_UNIT)
        ? JobOutcome.DONE
        : JobOutcome.FAILED;
    }
    const { pointer } = handle;
    const at = work.memory.reserve(length);
    work.load(work.source, 0, at, length);
    work.io[READ] = at;
    work.io[WRITE] = at;
    if (work.update(pointer, length) !== length) {
      return JobOutcome.FAILED;
    }
    work.store(at, 0, length);
    return JobOutcome.DONE;
  }

  protected override free(): void {
    this.#handle?.free();
    this.#twin.wipe();
  }
}
