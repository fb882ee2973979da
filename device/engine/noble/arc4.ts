/**
 * Contexts of ARC4.
 *
 * @module
 */

import { arc4, ARC4_STATE, expandArc4Key } from "../primitives/arc4.ts";
import { CipherContext } from "./cipher_context.ts";
import type { Purpose } from "./context.ts";
import type { Staging } from "./staging.ts";

/** ARC4. Every job starts at the first byte of the keystream. */
export class Arc4Context extends CipherContext {
  readonly #initial: Uint8Array<ArrayBuffer>;
  /** The state of the job that runs, which tells as much as the key does. */
  readonly #running: Uint8Array<ArrayBuffer> = new Uint8Array(ARC4_STATE);

  /**
   * @param purpose what it is for
   * @param key 1 to 256 bytes
   */
  constructor(purpose: Purpose, key: Uint8Array) {
    super(purpose);
    this.#initial = expandArc4Key(key);
  }

  protected override start(): void {
    this.#running.set(this.#initial);
  }

  protected override apply(staging: Staging, at: number, size: number): void {
    arc4(this.#running, staging.bytes, at, at + size);
  }

  protected override wipeKey(): void {
    this.#initial.fill(0);
    this.#running.fill(0);
  }
}
