/**
 * OpenSSL's algorithms, from a library context of this project's own: what the
 * system's openssl.cnf says does not change what a device serves.
 *
 * @module
 */

import { cString } from "../../host/libc.ts";
import type { Libcrypto } from "../../host/libcrypto.ts";
import { LibraryError } from "../../host/library_error.ts";
import type { DigestStates } from "./digests.ts";

/** An algorithm is not among those of the library and its providers. */
export class MissingAlgorithmError extends Error {
  /** The name of the class. */
  override readonly name = "MissingAlgorithmError";
}

/** What OpenSSL provides. Objects it gives out are kept and never freed. */
export class Provider {
  /** The library's functions. */
  readonly library: Libcrypto;
  /** Whether the provider of DES and RC4 could be loaded. */
  readonly legacy: boolean;
  /** The states of hashes, by name: those who use them make them. */
  readonly digests: Map<string, DigestStates> = new Map();
  readonly #context: bigint;
  readonly #fetched = new Map<string, bigint>();

  /**
   * @param library the library's functions
   * @throws {LibraryError} Its default provider cannot be loaded
   */
  constructor(library: Libcrypto) {
    this.library = library;
    this.#context = library.OSSL_LIB_CTX_new();
    if (this.#context === 0n || !this.#load("default")) {
      throw new LibraryError(
        "Cannot load the default provider of libcrypto.so.3",
      );
    }
    this.legacy = this.#load("legacy");
  }

  /**
   * A cipher.
   *
   * @param name its name: "AES-128-CBC"
   * @returns the EVP_CIPHER
   * @throws {MissingAlgorithmError} It is not provided
   */
  cipher(name: string): bigint {
    return this.#fetch("EVP_CIPHER_fetch", name);
  }

  /**
   * A hash.
   *
   * @param name its name: "SHA2-256"
   * @returns the EVP_MD
   * @throws {MissingAlgorithmError} It is not provided
   */
  digest(name: string): bigint {
    return this.#fetch("EVP_MD_fetch", name);
  }

  /**
   * A MAC.
   *
   * @param name its name: "HMAC"
   * @returns the EVP_MAC
   * @throws {MissingAlgorithmError} It is not provided
   */
  mac(name: string): bigint {
    return this.#fetch("EVP_MAC_fetch", name);
  }

  #load(name: string): boolean {
    const { library } = this;
    const loaded = library.OSSL_PROVIDER_load(this.#context, cString(name));
    library.ERR_clear_error();
    return loaded !== 0n;
  }

  #fetch(
    kind: "EVP_CIPHER_fetch" | "EVP_MD_fetch" | "EVP_MAC_fetch",
    name: string,
  ): bigint {
    const { library } = this;
    const key = `${kind} ${name}`;
    let found = this.#fetched.get(key);
    if (found === undefined) {
      found = library[kind](this.#context, cString(name), 0n);
      library.ERR_clear_error();
      this.#fetched.set(key, found);
    }
    if (found === 0n) {
      throw new MissingAlgorithmError(`Cannot find ${name} in libcrypto.so.3`);
    }
    return found;
  }
}
