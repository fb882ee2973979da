/**
 * Bindings of OpenSSL's libcrypto, version 3: `libcrypto.so.3`.
 *
 * Pointers and `size_t` are declared `usize` and take a BigInt: a number there
 * costs about 200 ns a call, and `buffer` about 25. NULL is `0n`.
 *
 * @module
 */

import { LibraryError } from "./library_error.ts";

/** Symbols of libcrypto.so.3, each with its C signature. */
export const LIBCRYPTO_SYMBOLS = {
  // int OPENSSL_init_crypto(uint64_t opts, const OPENSSL_INIT_SETTINGS *)
  OPENSSL_init_crypto: { parameters: ["u64", "usize"], result: "i32" },
  // OSSL_LIB_CTX *OSSL_LIB_CTX_new(void)
  OSSL_LIB_CTX_new: { parameters: [], result: "usize" },
  // OSSL_PROVIDER *OSSL_PROVIDER_load(OSSL_LIB_CTX *libctx, const char *name)
  OSSL_PROVIDER_load: { parameters: ["usize", "buffer"], result: "usize" },
  // void ERR_clear_error(void)
  ERR_clear_error: { parameters: [], result: "void" },

  // EVP_CIPHER *EVP_CIPHER_fetch(OSSL_LIB_CTX *ctx, const char *algorithm,
  //                              const char *properties)
  EVP_CIPHER_fetch: {
    parameters: ["usize", "buffer", "usize"],
    result: "usize",
  },
  // EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void)
  EVP_CIPHER_CTX_new: { parameters: [], result: "usize" },
  // void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx)
  EVP_CIPHER_CTX_free: { parameters: ["usize"], result: "void" },
  // int EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *ctx, int padding)
  EVP_CIPHER_CTX_set_padding: { parameters: ["usize", "i32"], result: "i32" },
  // int EVP_CIPHER_get_block_size(const EVP_CIPHER *e)
  EVP_CIPHER_get_block_size: { parameters: ["usize"], result: "i32" },
  // int EVP_CIPHER_CTX_set_key_length(EVP_CIPHER_CTX *ctx, int keylen)
  EVP_CIPHER_CTX_set_key_length: {
    parameters: ["usize", "i32"],
    result: "i32",
  },
  // int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int cmd, int p1, void *p2)
  EVP_CIPHER_CTX_ctrl: {
    parameters: ["usize", "i32", "i32", "usize"],
    result: "i32",
  },
  // int EVP_CipherInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *type,
  //                       ENGINE *impl, const unsigned char *key,
  //                       const unsigned char *iv, int enc)
  EVP_CipherInit_ex: {
    parameters: ["usize", "usize", "usize", "usize", "usize", "i32"],
    result: "i32",
  },
  // int EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *outl,
  //                      const unsigned char *in, int inl)
  EVP_CipherUpdate: {
    parameters: ["usize", "usize", "usize", "usize", "i32"],
    result: "i32",
  },
  // int EVP_Cipher(EVP_CIPHER_CTX *c, unsigned char *out,
  //                const unsigned char *in, unsigned int inl)
  EVP_Cipher: { parameters: ["usize", "usize", "usize", "u32"], result: "i32" },
  // int EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *outm, int *outl)
  EVP_CipherFinal_ex: {
    parameters: ["usize", "usize", "usize"],
    result: "i32",
  },

  // EVP_MD *EVP_MD_fetch(OSSL_LIB_CTX *ctx, const char *algorithm,
  //                      const char *properties)
  EVP_MD_fetch: { parameters: ["usize", "buffer", "usize"], result: "usize" },
  // EVP_MD_CTX *EVP_MD_CTX_new(void)
  EVP_MD_CTX_new: { parameters: [], result: "usize" },
  // void EVP_MD_CTX_free(EVP_MD_CTX *ctx)
  EVP_MD_CTX_free: { parameters: ["usize"], result: "void" },
  // int EVP_MD_CTX_copy_ex(EVP_MD_CTX *out, const EVP_MD_CTX *in)
  EVP_MD_CTX_copy_ex: { parameters: ["usize", "usize"], result: "i32" },
  // int EVP_DigestInit_ex(EVP_MD_CTX *ctx, const EVP_MD *type, ENGINE *impl)
  EVP_DigestInit_ex: {
    parameters: ["usize", "usize", "usize"],
    result: "i32",
  },
  // int EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *d, size_t cnt)
  EVP_DigestUpdate: { parameters: ["usize", "usize", "usize"], result: "i32" },
  // int EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *md, unsigned int *s)
  EVP_DigestFinal_ex: {
    parameters: ["usize", "usize", "usize"],
    result: "i32",
  },
  // int EVP_DigestFinalXOF(EVP_MD_CTX *ctx, unsigned char *md, size_t len)
  EVP_DigestFinalXOF: {
    parameters: ["usize", "usize", "usize"],
    result: "i32",
  },

  // EVP_MAC *EVP_MAC_fetch(OSSL_LIB_CTX *libctx, const char *algorithm,
  //                        const char *properties)
  EVP_MAC_fetch: { parameters: ["usize", "buffer", "usize"], result: "usize" },
  // EVP_MAC_CTX *EVP_MAC_CTX_new(EVP_MAC *mac)
  EVP_MAC_CTX_new: { parameters: ["usize"], result: "usize" },
  // void EVP_MAC_CTX_free(EVP_MAC_CTX *ctx)
  EVP_MAC_CTX_free: { parameters: ["usize"], result: "void" },
  // int EVP_MAC_init(EVP_MAC_CTX *ctx, const unsigned char *key,
  //                  size_t keylen, const OSSL_PARAM params[])
  EVP_MAC_init: {
    parameters: ["usize", "usize", "usize", "usize"],
    result: "i32",
  },
  // int EVP_MAC_update(EVP_MAC_CTX *ctx, const unsigned char *data,
  //                    size_t datalen)
  EVP_MAC_update: { parameters: ["usize", "usize", "usize"], result: "i32" },
  // int EVP_MAC_final(EVP_MAC_CTX *ctx, unsigned char *out, size_t *outl,
  //                   size_t outsize)
  EVP_MAC_final: {
    parameters: ["usize", "usize", "usize", "usize"],
    result: "i32",
  },

  // void *memcpy(void *dest, const void *src, size_t n), which dlsym finds in
  // the C library that libcrypto depends on
  memcpy: { parameters: ["usize", "usize", "usize"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of {@linkcode LIBCRYPTO_SYMBOLS}, ready to be called. */
export type Libcrypto = Deno.DynamicLibrary<
  typeof LIBCRYPTO_SYMBOLS
>["symbols"];

const LIBRARY = "libcrypto.so.3";

const OPENSSL_INIT_NO_ATEXIT = 0x0008_0000n;

let symbols: Libcrypto | undefined;

/**
 * OpenSSL's libcrypto, opened the first time it is asked for. Each thread opens
 * its own, and it stays open for as long as the thread lives.
 *
 * @returns its functions
 * @throws {LibraryError} The library cannot be opened, or FFI is not permitted;
 * the reason is in `cause`
 */
export function libcrypto(): Libcrypto {
  if (symbols !== undefined) return symbols;
  try {
    symbols = Deno.dlopen(LIBRARY, LIBCRYPTO_SYMBOLS).symbols;
    // OPENSSL_init_crypto(3), "OPENSSL_INIT_NO_ATEXIT": the process may end
    // while workers are inside the library, and what it would free then is what
    // they use. Only the first call of a process decides it.
    symbols.OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, 0n);
  } catch (cause) {
    throw new LibraryError(
      `Cannot open ${LIBRARY}: it needs OpenSSL 3 (Debian package libssl3) and --allow-ffi`,
      { cause },
    );
  }
  return symbols;
}
