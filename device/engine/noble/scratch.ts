/**
 * The small arrays one job needs besides its data. An engine has one set for
 * all of its jobs; contexts hold nothing but their keys.
 *
 * @module
 */

/** Small arrays; each job writes what it reads. */
export class Scratch {
  /** The iv or counter block, then what a mode carries from step to step. */
  readonly chain: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  /** GHASH under way. */
  readonly hash: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  /** The lengths that an AEAD authenticates last, 16 bytes. */
  readonly lengths: Uint32Array<ArrayBuffer> = new Uint32Array(4);
  /** The same memory as bytes. */
  readonly lengthBytes: Uint8Array<ArrayBuffer> = new Uint8Array(
    this.lengths.buffer,
  );
  /** The digest or tag that was computed: the longest digest has 64 bytes. */
  readonly result: Uint8Array<ArrayBuffer> = new Uint8Array(64);
  /** The same memory as little-endian words. */
  readonly resultWords: Uint32Array<ArrayBuffer> = new Uint32Array(
    this.result.buffer,
  );
  /** The tag that came with a ciphertext. */
  readonly given: Uint8Array<ArrayBuffer> = new Uint8Array(16);
  /** A nonce of 12 bytes. */
  readonly nonce: Uint8Array<ArrayBuffer> = new Uint8Array(12);
  /** The key of a one-time authenticator. */
  readonly oneTimeKey: Uint8Array<ArrayBuffer> = new Uint8Array(32);

  /** Overwrites all of it. */
  wipe(): void {
    this.chain.fill(0);
    this.hash.fill(0);
    this.lengths.fill(0);
    this.result.fill(0);
    this.given.fill(0);
    this.nonce.fill(0);
    this.oneTimeKey.fill(0);
  }
}
