/**
 * One published vector an algorithm, for the demonstration to check results
 * against.
 *
 * @module
 */

import type { AlgorithmName } from "../engine/algorithm.ts";
import type { ServiceName } from "../driver/session_options.ts";

/** A published vector. Bytes are in hexadecimal. */
export interface DemoVector {
  /** The service. */
  readonly service: ServiceName;
  /** The algorithm. */
  readonly algorithm: AlgorithmName;
  /** Where the vector is found. */
  readonly origin: string;
  /** The key; none for a hash. */
  readonly key?: string;
  /** The iv, where there is one. */
  readonly iv?: string;
  /** Additional authenticated data, where there is any. */
  readonly aad?: string;
  /** Plaintext, or what is hashed or authenticated. */
  readonly source: string;
  /** Ciphertext, digest or MAC; for AEAD ciphertext, then tag. */
  readonly result: string;
}

/** The vectors, by service. */
export const DEMO_VECTORS: readonly DemoVector[] = [
  {
    service: "cipher",
    algorithm: "aes-ecb",
    origin: "NIST SP 800-38A F.1 (AES-128, ECB)",
    key: "2b7e151628aed2a6abf7158809cf4f3c",
    source:
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    result:
      "3ad77bb40d7a3660a89ecaf32466ef97f5d3d58503b9699de785895a96fdbaaf43b1cd7f598ece23881b00e3ed0306887b0c785e27e8ad3f8223207104725dd4",
  },
  {
    service: "cipher",
    algorithm: "aes-cbc",
    origin: "NIST SP 800-38A F.2 (AES-128, CBC)",
    key: "2b7e151628aed2a6abf7158809cf4f3c",
    iv: "000102030405060708090a0b0c0d0e0f",
    source:
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    result:
      "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7",
  },
  {
    service: "cipher",
    algorithm: "aes-ctr",
    origin: "NIST SP 800-38A F.5 (AES-128, CTR)",
    key: "2b7e151628aed2a6abf7158809cf4f3c",
    iv: "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
    source:
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    result:
      "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee",
  },
  {
    service: "hash",
    algorithm: "md5",
    origin: "RFC 1321 A.5",
    source:
      "4142434445464748494a4b4c4d4e4f505152535455565758595a6162636465666768696a6b6c6d6e6f707172737475767778797a30313233343536373839",
    result: "d174ab98d277d9f5a5611c2c9f419d9f",
  },
  {
    service: "hash",
    algorithm: "sha1",
    origin: "NIST CAVP SHA1ShortMsg.rsp",
    source:
      "411c13c75073c1e2d4b1ecf13139ba9656cd35c14201f1c7c6f0eeb58d2dbfe35bfdeccc92c3961cfabb590bc1eb77eac15732fb0275798680e0c7292e50",
    result: "d98d512a35572f8bd20de62e9510cc21145c5bf4",
  },
  {
    service: "hash",
    algorithm: "sha224",
    origin: "NIST CAVP SHA224ShortMsg.rsp",
    source:
      "ef797a0d43c30b4fe1014bdb9420879c2ff845d27e73d55a7df22930c8ece73253d8bb265b4ef2ff9c69455cc56ff25229b4126bb7bb26ee2c9ff36187b1",
    result: "f5b9ffb102affac352a4a535a00f89b06c268cf4881d712668906025",
  },
  {
    service: "hash",
    algorithm: "sha256",
    origin: "NIST CAVP SHA256ShortMsg.rsp",
    source:
      "4cace422e4a015a75492b3b3bbfbdf3758eaff4fe504b46a26c90dacc119fa9050f603d2b58b398cad6d6d9fa922a154d9e0bc4389968274b0",
    result: "4d54b2d284a6794581224e08f675541c8feab6eefa3ac1cfe5da4e03e62f72e4",
  },
  {
    service: "hash",
    algorithm: "sha384",
    origin: "NIST CAVP SHA384ShortMsg.rsp",
    source:
      "2fa90c2210e3096caed122b74eb9559977120e5d9a97eeb3f99bcba6c19cf8cf791ac6c8a0a94ae49246611dace7f24eb05673a36b3e",
    result:
      "6c2ced3fae94dbd92f4170b63f1ff6fcd8194f60937b22b4f3c95fc9e104b77148f9bc6c16a890de86d9ef1554c96fa0",
  },
  {
    service: "hash",
    algorithm: "sha512",
    origin: "NIST CAVP SHA512ShortMsg.rsp",
    source:
      "0a78b16b4026f7ec063db4e7b77c42a298e524e268093c5038853e217dcd65f66428650165fca06a1b4c9cf1537fb5d463630ff3bd71cf32c3538b1fdda3fed5c9f601203319b7e1869a",
    result:
      "6095c3df5b9db7ce524d76123f77421ce888b86a477ae8c6db1d0be8d326d22c852915ab03c0c81a5b7ac71e2c14e74bda17a78d2b10585fa214f6546eb710a0",
  },
  {
    service: "hash",
    algorithm: "sha3-224",
    origin: "NIST CAVP SHA3_224ShortMsg.rsp",
    source:
      "86fc66f2618c98fe9efa1e3ac04e340385dc2b746cbc0f7c757b88342810fe70d81200952928e7aad0c0b6b19a044537b009",
    result: "20a21eb1d3130a4519ce6abd5ab6817081ae1bef3603056476a00e41",
  },
  {
    service: "hash",
    algorithm: "sha3-256",
    origin: "NIST CAVP SHA3_256ShortMsg.rsp",
    source:
      "93cbb7e47c8859bef939155bea488090283ecf5023d99767c960d86baa333af05aa696fc170fb8bbac1e6473956d96b964580ee6640f0cc57be9598e55fc86",
    result: "d3212abca1100eb7658c0f916daf2692c57a47b772ee031c4ec6ad28a4a46de9",
  },
  {
    service: "hash",
    algorithm: "sha3-384",
    origin: "NIST CAVP SHA3_384ShortMsg.rsp",
    source:
      "91b7a1fd0e20072d9c5be7196e5eaf8df36fdf145895b30d4e4c02010d7c663499ac9d7a44732f4c7430511ba6fb0ae4b3dc9405523a054fdf962f5c5b79c423",
    result:
      "07c2e0aeae30da83b5a6b320aa1cf727b10c2034583d7acda55648fa3daa017aa15588b6e2149101c56e3d7df7c76df1",
  },
  {
    service: "hash",
    algorithm: "sha3-512",
    origin: "NIST CAVP SHA3_512ShortMsg.rsp",
    source:
      "56ac4f6845a451dac3e8886f97f7024b64b1b1e9c5181c059b5755b9a6042be653a2a0d5d56a9e1e774be5c9312f48b4798019345beae2ffcc63554a3c69862e",
    result:
      "5fde5c57a31febb98061f27e4506fa5c245506336ee90d595c91d791a5975c712b3ab9b3b5868f941db0aeb4c6d2837c4447442f8402e0e150a9dc0ef178dca8",
  },
  {
    service: "hash",
    algorithm: "shake128",
    origin: "NIST CAVP SHAKE128ShortMsg",
    source:
      "7117a23fa001bf90eaa783654d1f79a854d924613a2e43e5533c5249a8f2541de167d05769701a8ecc71d3696473b3563477867f140a75fa0f1a873f",
    result: "485fd3fa3352fcef48a6b158429049fe",
  },
  {
    service: "hash",
    algorithm: "shake256",
    origin: "NIST CAVP SHAKE256ShortMsg",
    source:
      "bad35d2ea10451fd7312e54d9f763810615475184eb9027f2e21fa46093cde3c85f187216fa45f0c97b4d10ae148fe08994cb2f307b6961d430ea7e34b2de68d53",
    result: "4f69084fd2a053ae48d6d4f3f72246d809037125adaa8b7b4a5e1a2cddb8d1d5",
  },
  {
    service: "mac",
    algorithm: "hmac-md5",
    origin: "RFC 2202",
    key:
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    source:
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b657920616e64204c6172676572205468616e204f6e6520426c6f636b2d53697a652044617461",
    result: "6f630fad67cda0ee1fb1f562db3aa53e",
  },
  {
    service: "mac",
    algorithm: "hmac-sha1",
    origin: "RFC 2202",
    key:
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    source:
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b657920616e64204c6172676572205468616e204f6e6520426c6f636b2d53697a652044617461",
    result: "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
  },
  {
    service: "mac",
    algorithm: "hmac-sha224",
    origin: "RFC 4231",
    key:
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    source:
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
    result: "95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e",
  },
  {
    service: "mac",
    algorithm: "hmac-sha256",
    origin: "RFC 4231",
    key:
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    source:
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
    result: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
  },
  {
    service: "mac",
    algorithm: "hmac-sha384",
    origin: "RFC 4231",
    key:
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    source:
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
    result:
      "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
  },
  {
    service: "mac",
    algorithm: "hmac-sha512",
    origin: "RFC 4231",
    key:
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    source:
      "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
    result:
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
  },
  {
    service: "mac",
    algorithm: "cmac-aes",
    origin: "NIST SP 800-38B D.1",
    key: "2b7e151628aed2a6abf7158809cf4f3c",
    source:
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    result: "51f0bebf7e3b9d92fc49741779363cfe",
  },
  {
    service: "aead",
    algorithm: "aes-gcm",
    origin: "McGrew/Viega test case 3",
    key: "feffe9928665731c6d6a8f9467308308",
    iv: "cafebabefacedbaddecaf888",
    source:
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
    result:
      "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f59854d5c2af327cd64a62cf35abd2ba6fab4",
  },
  {
    service: "aead",
    algorithm: "chacha20-poly1305",
    origin: "RFC 8439 section 2.8.2",
    key: "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
    iv: "070000004041424344454647",
    aad: "50515253c0c1c2c3c4c5c6c7",
    source:
      "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069742e",
    result:
      "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
  },
];
