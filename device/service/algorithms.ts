/**
 * Which algorithm each number of the virtio document stands for.
 *
 * @module
 */

import { type Algorithm, ALGORITHMS } from "../engine/algorithm.ts";
import * as spec from "../spec/constants.ts";

const CIPHERS: readonly (readonly [number, Algorithm])[] = [
  [spec.VIRTIO_CRYPTO_CIPHER_ARC4, ALGORITHMS["arc4"]],
  [spec.VIRTIO_CRYPTO_CIPHER_AES_ECB, ALGORITHMS["aes-ecb"]],
  [spec.VIRTIO_CRYPTO_CIPHER_AES_CBC, ALGORITHMS["aes-cbc"]],
  [spec.VIRTIO_CRYPTO_CIPHER_AES_CTR, ALGORITHMS["aes-ctr"]],
  [spec.VIRTIO_CRYPTO_CIPHER_DES_ECB, ALGORITHMS["des-ecb"]],
  [spec.VIRTIO_CRYPTO_CIPHER_DES_CBC, ALGORITHMS["des-cbc"]],
  [spec.VIRTIO_CRYPTO_CIPHER_3DES_ECB, ALGORITHMS["3des-ecb"]],
  [spec.VIRTIO_CRYPTO_CIPHER_3DES_CBC, ALGORITHMS["3des-cbc"]],
  [spec.VIRTIO_CRYPTO_CIPHER_3DES_CTR, ALGORITHMS["3des-ctr"]],
  [spec.VIRTIO_CRYPTO_CIPHER_KASUMI_F8, ALGORITHMS["kasumi-f8"]],
  [spec.VIRTIO_CRYPTO_CIPHER_SNOW3G_UEA2, ALGORITHMS["snow3g-uea2"]],
  [spec.VIRTIO_CRYPTO_CIPHER_AES_F8, ALGORITHMS["aes-f8"]],
  [spec.VIRTIO_CRYPTO_CIPHER_AES_XTS, ALGORITHMS["aes-xts"]],
  [spec.VIRTIO_CRYPTO_CIPHER_ZUC_EEA3, ALGORITHMS["zuc-eea3"]],
];

const HASHES: readonly (readonly [number, Algorithm])[] = [
  [spec.VIRTIO_CRYPTO_HASH_MD5, ALGORITHMS["md5"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA1, ALGORITHMS["sha1"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA_224, ALGORITHMS["sha224"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA_256, ALGORITHMS["sha256"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA_384, ALGORITHMS["sha384"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA_512, ALGORITHMS["sha512"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA3_224, ALGORITHMS["sha3-224"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA3_256, ALGORITHMS["sha3-256"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA3_384, ALGORITHMS["sha3-384"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA3_512, ALGORITHMS["sha3-512"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA3_SHAKE128, ALGORITHMS["shake128"]],
  [spec.VIRTIO_CRYPTO_HASH_SHA3_SHAKE256, ALGORITHMS["shake256"]],
];

const MACS: readonly (readonly [number, Algorithm])[] = [
  [spec.VIRTIO_CRYPTO_MAC_HMAC_MD5, ALGORITHMS["hmac-md5"]],
  [spec.VIRTIO_CRYPTO_MAC_HMAC_SHA1, ALGORITHMS["hmac-sha1"]],
  [spec.VIRTIO_CRYPTO_MAC_HMAC_SHA_224, ALGORITHMS["hmac-sha224"]],
  [spec.VIRTIO_CRYPTO_MAC_HMAC_SHA_256, ALGORITHMS["hmac-sha256"]],
  [spec.VIRTIO_CRYPTO_MAC_HMAC_SHA_384, ALGORITHMS["hmac-sha384"]],
  [spec.VIRTIO_CRYPTO_MAC_HMAC_SHA_512, ALGORITHMS["hmac-sha512"]],
  [spec.VIRTIO_CRYPTO_MAC_CMAC_3DES, ALGORITHMS["cmac-3des"]],
  [spec.VIRTIO_CRYPTO_MAC_CMAC_AES, ALGORITHMS["cmac-aes"]],
  [spec.VIRTIO_CRYPTO_MAC_KASUMI_F9, ALGORITHMS["kasumi-f9"]],
  [spec.VIRTIO_CRYPTO_MAC_SNOW3G_UIA2, ALGORITHMS["snow3g-uia2"]],
  [spec.VIRTIO_CRYPTO_MAC_GMAC_AES, ALGORITHMS["gmac-aes"]],
  [spec.VIRTIO_CRYPTO_MAC_GMAC_TWOFISH, ALGORITHMS["gmac-twofish"]],
  [spec.VIRTIO_CRYPTO_MAC_CBCMAC_AES, ALGORITHMS["cbcmac-aes"]],
  [spec.VIRTIO_CRYPTO_MAC_CBCMAC_KASUMI_F9, ALGORITHMS["cbcmac-kasumi-f9"]],
  [spec.VIRTIO_CRYPTO_MAC_XCBC_AES, ALGORITHMS["xcbc-aes"]],
  [spec.VIRTIO_CRYPTO_MAC_ZUC_EIA3, ALGORITHMS["zuc-eia3"]],
];

const AEADS: readonly (readonly [number, Algorithm])[] = [
  [spec.VIRTIO_CRYPTO_AEAD_GCM, ALGORITHMS["aes-gcm"]],
  [spec.VIRTIO_CRYPTO_AEAD_CCM, ALGORITHMS["aes-ccm"]],
  [
    spec.VIRTIO_CRYPTO_AEAD_CHACHA20_POLY1305,
    ALGORITHMS["chacha20-poly1305"],
  ],
];

/** The numbered algorithms of each service, by VIRTIO_CRYPTO_SERVICE_* number. */
export const SERVICE_ALGORITHMS:
  readonly (readonly (readonly [number, Algorithm])[])[] = [
    CIPHERS,
    HASHES,
    MACS,
    AEADS,
  ];

const BY_NUMBER: readonly (readonly (Algorithm | undefined)[])[] =
  SERVICE_ALGORITHMS.map((list) => {
    const table: (Algorithm | undefined)[] = new Array(64).fill(undefined);
    for (const [number, algorithm] of list) table[number] = algorithm;
    return table;
  });

/**
 * The algorithm a number stands for.
 *
 * @param service a VIRTIO_CRYPTO_SERVICE_* number
 * @param number an algorithm's number within that service
 * @returns the algorithm, or undefined where the number stands for none that
 * is known here
 */
export function algorithmOf(
  service: number,
  number: number,
): Algorithm | undefined {
  return BY_NUMBER[service]?.[number];
}
