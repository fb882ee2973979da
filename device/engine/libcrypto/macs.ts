/**
 * Contexts of HMAC and CMAC.
 *
 * @module
 */

import type { Libcrypto } from "../../host/libcrypto.ts";
import { type Job, JobOutcome } from "../engine.ts";
import { KeyError } from "./cipher_handle.ts";
import { LibcryptoContext, type Purpose } from "./context.ts";
import { FROM, POINTERS, setFrom, setSize, SIZE } from "./pointers.ts";
import type { PrivateMemory } from "./private_memory.ts";
import type { Work } from "./work.ts";

// Imported constants are cells to the compiler, a module's own are not.
const pointers = POINTERS;
const AT_FROM = FROM;
const AT_SIZE = SIZE;

/** Room for the longest MAC. */
const RESULT_ROOM = 64n;

/** What a MAC is made of. */
export interface MacChoice {
  /** The EVP_MAC. */
  readonly mac: bigint;
  /** The parameter that names what it is made of: "digest" or "cipher". */
  readonly parameter: string;
  /** What it is made of: "SHA2-256". */
  readonly value: string;
}

/** A MAC with its key. */
export class MacContext extends LibcryptoContext {
  readonly #library: Libcrypto;
  /** The EVP_MAC_CTX. */
  #pointer: bigint;

  /**
   * @param purpose what it is for
   * @param library the library's functions
   * @param memory holds the key on its way
   * @param choice the MAC
   * @param key the key
   * @throws {KeyError} The library does not take the choice or the key
   */
  constructor(
    purpose: Purpose,
    library: Libcrypto,
    memory: PrivateMemory,
    choice: MacChoice,
    key: Uint8Array,
  ) {
    super(purpose);
    this.#library = library;
    this.#pointer = library.EVP_MAC_CTX_new(choice.mac);
    if (this.#pointer === 0n) throw new KeyError("Cannot make an EVP_MAC_CTX");
    memory.setParameter(choice.parameter, choice.value);
    memory.setKey(key);
    const taken = library.EVP_MAC_init(
      this.#pointer,
      memory.keyAt,
      BigInt(key.length),
      memory.parametersAt,
    );
    memory.wipeKey();
    if (taken !== 1) {
      this.wipe();
      throw new KeyError("Cannot set the key of an EVP_MAC_CTX");
    }
  }

  override run(job: Job, work: Work): number {
    const { library, memory, source } = work;
    const pointer = this.#pointer;
    // Without a key it starts again with the last one.
    if (library.EVP_MAC_init(pointer, 0n, 0n, 0n) !== 1) {
      return JobOutcome.FAILED;
    }
    for (let i = 0; i < source.count; i++) {
      const start = source.start[i]!;
      const length = source.length[i]!;
      for (let done = 0; done < length;) {
        const part = work.next(length - done);
        if (part === 0) return JobOutcome.FAILED;
        setFrom(start + done);
        setSize(part);
        if (
          library.EVP_MAC_update(
            pointer,
            pointers[AT_FROM]!,
            pointers[AT_SIZE]!,
          ) !== 1
        ) return JobOutcome.FAILED;
        done += part;
      }
    }
    const { resultPointer, writtenAt } = memory;
    if (
      library.EVP_MAC_final(pointer, resultPointer, writtenAt, RESULT_ROOM) !==
        1
    ) return JobOutcome.FAILED;
    work.store(memory.resultAt, 0, job.resultLength);
    return JobOutcome.DONE;
  }

  protected override free(): void {
    this.#library.EVP_MAC_CTX_free(this.#pointer);
    this.#pointer = 0n;
  }
}
