/**
 * Which algorithms the engine may serve, and how it makes their contexts.
 *
 * @module
 */

import type { AlgorithmName, Direction } from "../algorithm.ts";
import { AeadContext, GmacContext } from "./aead.ts";
import { CcmContext } from "./ccm.ts";
import { CipherHandle } from "./cipher_handle.ts";
import { CipherContext, Rc4Context, XtsContext } from "./ciphers.ts";
import type { LibcryptoContext, Purpose } from "./context.ts";
import { DigestContext, DigestStates, ExtendableContext } from "./digests.ts";
import { MacContext } from "./macs.ts";
import type { PrivateMemory } from "./private_memory.ts";
import type { Provider } from "./provider.ts";
import { TdesCtrContext } from "./tdes_ctr.ts";

/** What contexts are made with. */
export interface Workshop {
  /** The library's algorithms. */
  readonly provider: Provider;
  /** Holds keys on their way. */
  readonly memory: PrivateMemory;
}

/**
 * Makes a context.
 *
 * @param shop what it is made with
 * @param purpose algorithm and direction
 * @param key the key, of a legal size; it is copied
 * @returns the context
 * @throws {Error} The library does not have the algorithm or take the key
 */
export type Maker = (
  shop: Workshop,
  purpose: Purpose,
  key: Uint8Array,
) => LibcryptoContext;

function handle(
  { provider, memory }: Workshop,
  name: string,
  direction: Direction,
  keyLength?: number,
): CipherHandle {
  const cipher = provider.cipher(name);
  return new CipherHandle(
    provider.library,
    memory,
    cipher,
    direction,
    keyLength,
  );
}

/** AES-128-CBC and so on. */
function aesName(key: Uint8Array, mode: string): string {
  return `AES-${8 * key.length}-${mode}`;
}

function aes(mode: string): Maker {
  return (shop, purpose, key) =>
    new CipherContext(
      purpose,
      handle(shop, aesName(key, mode), purpose.direction).withKey(key),
    );
}

function des(name: string): Maker {
  return (shop, purpose, key) =>
    new CipherContext(
      purpose,
      handle(shop, name, purpose.direction).withKey(key),
    );
}

function xts(
  shop: Workshop,
  purpose: Purpose,
  key: Uint8Array,
): LibcryptoContext {
  const name = `AES-${4 * key.length}-XTS`;
  const made = handle(shop, name, purpose.direction);
  const taken = made.setKey(key);
  if (!taken) made.free();
  return new XtsContext(purpose, taken ? made : undefined, key);
}

function digestStates({ provider }: Workshop, name: string): DigestStates {
  const { digests } = provider;
  let states = digests.get(name);
  if (states === undefined) {
    states = new DigestStates(provider.library, provider.digest(name));
    digests.set(name, states);
  }
  return states;
}

function digest(name: string): Maker {
  return (shop, purpose) =>
    new DigestContext(purpose, digestStates(shop, name));
}

function extendable(name: string): Maker {
  return (shop, purpose) =>
    new ExtendableContext(purpose, digestStates(shop, name));
}

function mac(
  name: string,
  parameter: string,
  valueOf: (key: Uint8Array) => string,
): Maker {
  return ({ provider, memory }, purpose, key) => {
    const choice = { mac: provider.mac(name), parameter, value: valueOf(key) };
    return new MacContext(purpose, provider.library, memory, choice, key);
  };
}

function hmac(name: string): Maker {
  return mac("HMAC", "digest", () => name);
}

/** The ciphers with an iv whose requests can be one call each. */
export const IN_PLACE: ReadonlySet<AlgorithmName> = new Set<AlgorithmName>([
  "aes-cbc",
  "aes-ctr",
  "aes-xts",
]);

/** How contexts are made, by the name of the algorithm. */
export const MAKERS: { readonly [name in AlgorithmName]?: Maker } = {
  "arc4": (shop, purpose, key) =>
    new Rc4Context(
      purpose,
      handle(shop, "RC4", purpose.direction, key.length),
      key,
    ),
  "aes-ecb": aes("ECB"),
  "aes-cbc": aes("CBC"),
  "aes-ctr": aes("CTR"),
  "des-ecb": des("DES-ECB"),
  "des-cbc": des("DES-CBC"),
  "3des-ecb": des("DES-EDE3-ECB"),
  "3des-cbc": des("DES-EDE3-CBC"),
  "3des-ctr": (shop, purpose, key) =>
    new TdesCtrContext(
      purpose,
      handle(shop, "DES-EDE3-ECB", "encrypt").withKey(key),
    ),
  "aes-xts": xts,
  "md5": digest("MD5"),
  "sha1": digest("SHA1"),
  "sha224": digest("SHA2-224"),
  "sha256": digest("SHA2-256"),
  "sha384": digest("SHA2-384"),
  "sha512": digest("SHA2-512"),
  "sha3-224": digest("SHA3-224"),
  "sha3-256": digest("SHA3-256"),
  "sha3-384": digest("SHA3-384"),
  "sha3-512": digest("SHA3-512"),
  "shake128": extendable("SHAKE-128"),
  "shake256": extendable("SHAKE-256"),
  "hmac-md5": hmac("MD5"),
  "hmac-sha1": hmac("SHA1"),
  "hmac-sha224": hmac("SHA2-224"),
  "hmac-sha256": hmac("SHA2-256"),
  "hmac-sha384": hmac("SHA2-384"),
  "hmac-sha512": hmac("SHA2-512"),
  "cmac-3des": mac("CMAC", "cipher", () => "DES-EDE3-CBC"),
  "cmac-aes": mac("CMAC", "cipher", (key) => aesName(key, "CBC")),
  "gmac-aes": (shop, purpose, key) =>
    new GmacContext(
      purpose,
      handle(shop, aesName(key, "GCM"), "encrypt").withKey(key),
      key,
    ),
  "aes-gcm": (shop, purpose, key) =>
    new AeadContext(
      purpose,
      handle(shop, aesName(key, "GCM"), purpose.direction).withKey(key),
      key,
    ),
  "aes-ccm": (shop, purpose, key) =>
    new CcmContext(
      purpose,
      handle(shop, aesName(key, "CCM"), purpose.direction),
      key,
    ),
  "chacha20-poly1305": (shop, purpose, key) =>
    new AeadContext(
      purpose,
      handle(shop, "ChaCha20-Poly1305", purpose.direction).withKey(key),
      key,
    ),
};
