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
    algorithm: "arc4",
    origin: "RFC 6229, 40-bit key, 528 bytes of keystream",
    key: "0102030405",
    source:
      "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
    result:
      "b2396305f03dc027ccc3524a0a1118a86982944f18fc82d589c403a47a0d0919b68f78c28d15d822234c6cb8c5f6c4acb0b996a413feda5428b07886b2a0851256a08525078058d073354a8476ffe77261e4f3710f030b0c1489694bb98928176592a5e22f3e851135dc1e6ab1242b8c27750430e31c135dc83998de2d930f3ecf51670e040b5d98605cfac55b6e7b25fa4519e1b35abf3e5421873bb473ab77733f3164df7589535752aeea321acbdbefea52aa0411ef3d0a198c430e9818de400273a87e0eb4976ad02d5e067223c4a4072f2ca16ec8b93faba96e783f8d2877bc6418befa92caccf96c2f77b5cdc328cb1132c96ce286421dcaadb8b69eae1cfcf62b03eddb641d77dfcf7f8d8c935f49b218ec83ce6ad6b6a70f36c560e623c482fc42c20a18d6869eccb79518820074ccad5e959a450584543ab4a356d5f10046dd7deb6573159f0105044068dbaf4c48a427d47fb14a3f9301b25aed172951088caa169d8439e5c8337ee3bd5b324685e3a79eb75cc002fe3ce2c79921acad4c366bc9f667d709dde7974e62b709cbdcffb73d09f8c79325ac586476f52f7e7cb9ff2f33b3674a3a5826437c50612d3275b575a091baf34e61af43ef699231d8fea4ec1576a22aba328ef33235d3fd37c5cb186977401bc11d922375a303cde24764b7a07e2f936343326adba342b7d0cdd918a8a33dd51781c81f40416459844432a7da923cfb3eb4980661f6",
  },
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
    service: "cipher",
    algorithm: "des-ecb",
    origin: "NIST CAVP TECBMMT1 ENCRYPT 7 (K1=K2=K3)",
    key: "2f2fb5fd49ec9452",
    source:
      "59e3f176cd44dccdc0c49247bbd8852059c2c1c4a862713fd34fa5f5fe26529372229a45faed4e2a8cb6b2052c8480350eca2fe7fb3b748af5df0a831e67af22",
    result:
      "7794c29e14f9f7412e0287d08b4b1a2bf6134c5578ca2652c837f8a8e95972d63e901a02552b79bad1df9fed7e6deaabffe7bedb840264ff23dbd916d41f016a",
  },
  {
    service: "cipher",
    algorithm: "des-cbc",
    origin: "NIST CAVP TCBCMMT1 ENCRYPT 7 (K1=K2=K3)",
    key: "0b16579b38d58fe0",
    iv: "37cb5322ef8b9bf4",
    source:
      "6982a79d7bcc8becdb0afc5b8a46ab656ce635c0a982a8d754f3447a4bac7ed45e4e4b9eb3769a9368d922247b945f6ce7bdd766103ea25e61e329a534b12e89",
    result:
      "82ca17e77ad6769c343f6f6def630afe9fa081fb03735256fd24f1052f4d45b34bb7925a1b3dfc2cc797483d7390e5a33ad4987d787f60f826f3d5e6361c91b5",
  },
  {
    service: "cipher",
    algorithm: "3des-ecb",
    origin: "NIST CAVP TECBMMT1 ENCRYPT 7",
    key: "2f2fb5fd49ec94522f2fb5fd49ec94522f2fb5fd49ec9452",
    source:
      "59e3f176cd44dccdc0c49247bbd8852059c2c1c4a862713fd34fa5f5fe26529372229a45faed4e2a8cb6b2052c8480350eca2fe7fb3b748af5df0a831e67af22",
    result:
      "7794c29e14f9f7412e0287d08b4b1a2bf6134c5578ca2652c837f8a8e95972d63e901a02552b79bad1df9fed7e6deaabffe7bedb840264ff23dbd916d41f016a",
  },
  {
    service: "cipher",
    algorithm: "3des-cbc",
    origin: "NIST CAVP TCBCMMT1 ENCRYPT 7",
    key: "0b16579b38d58fe00b16579b38d58fe00b16579b38d58fe0",
    iv: "37cb5322ef8b9bf4",
    source:
      "6982a79d7bcc8becdb0afc5b8a46ab656ce635c0a982a8d754f3447a4bac7ed45e4e4b9eb3769a9368d922247b945f6ce7bdd766103ea25e61e329a534b12e89",
    result:
      "82ca17e77ad6769c343f6f6def630afe9fa081fb03735256fd24f1052f4d45b34bb7925a1b3dfc2cc797483d7390e5a33ad4987d787f60f826f3d5e6361c91b5",
  },
  {
    service: "cipher",
    algorithm: "3des-ctr",
    origin: "generated, 64-bit big-endian counter",
    key: "99437ad48f161cdbfeff0c95b5301845bfa7d03ea8d15592",
    iv: "0001020304050607",
    source:
      "257339531b145f7bab30a156774e346931ead49fab9267cdf5da552bde66a8b6881ac406bf73144d7daed5672b1bd2b0748df0b52791973c546a5e63e6f8200c",
    result:
      "0f600ee92993f88496fa53ca3c74c41e08967190833d31fc8e9d9b219f1a80d828bc4cfa0869a866eadc590a3e5d4d943a1a2655812d65c13fa2bf918f2d0180",
  },
  {
    service: "cipher",
    algorithm: "kasumi-f8",
    origin: "3GPP TS 35.203 / ipsec-mb",
    key: "2bd6459f82c5b300952c49104881ff48",
    iv: "72a4f20f64000000",
    source:
      "10111231e060253a43fd3f57e37607ab2827b599b6b1bbda37a8abcc5a8c550d1bfb2f494624fb50367fa36ce3bc68f11cf93b1510376b02130f812a9fa169d8",
    result:
      "bf35de337aa3b83260202f164d9aa9d0f17b6f4bfd76adf5083701d0da5d8e169c8305655bedcb56d2e40f2814a7ee7db9c0b29cf13db4b1f3706bb6b381f892",
  },
  {
    service: "cipher",
    algorithm: "snow3g-uea2",
    origin: "3GPP / ipsec-mb snow3g_f8_vectors",
    key: "efa8b2229e720c2a7c36ea55e9605695",
    iv: "e28bcf7bc0000000e28bcf7bc0000000",
    source:
      "10111231e060253a43fd3f57e37607ab2827b599b6b1bbda37a8abcc5a8c550d1bfb2f494624fb50367fa36ce3bc68f11cf93b1510376b02130f812a9fa169",
    result:
      "e0da15ca8e2554f5e56c9468dc6c7c129c568aa5032317e04e0729646cabefa689864c410f24f919e61e3dfdfad77e560db0a9cd36c34ae4181490b29f5fa2",
  },
  {
    service: "cipher",
    algorithm: "aes-f8",
    origin: "RFC 3711 B.2",
    key: "234829008467be186c3de14aae72d62c32f2870d555555555555555555555555",
    iv: "006e5cba50681de55c621599d462564a",
    source:
      "70736575646f72616e646f6d6e65737320697320746865206e6578742062657374207468696e67",
    result:
      "019ce7a26e7854014a6366aa95d4eefd1ad4172a14f9faf455b7f1d4b62bd08f562c0eef7c4802",
  },
  {
    service: "cipher",
    algorithm: "aes-xts",
    origin: "NIST CAVP XTSGenAES256 ENCRYPT 106",
    key:
      "aa70271d299a1a6e524e4b0bde2740f1b00f7759b6595b3959fb7530558fed75b933414b5f32b98e779aaabf64c03c80acbf8783031a065e61c4af6a6900668c",
    iv: "ae92161e7db865f788a070e9caa93c84",
    source:
      "6000f51ef62d75c4a95654d2be920cb4e95c8972ab4ef4b6099c9e5f1003dcb9da1ab121653b9a6f848f349f9d13b77e",
    result:
      "d7db21ccc2949cb67de8647fc5d127db10ce4736ec54b099767b7d69c57a7ae843e6a88f522c849e80f12b2dd85f5a8c",
  },
  {
    service: "cipher",
    algorithm: "zuc-eea3",
    origin: "3GPP TS 35.223 128-EEA3 / ipsec-mb",
    key: "e5bd3ea0eb55ade866c6ac58bd54302a",
    iv: "00056823c400000000056823c4000000",
    source:
      "14a8ef693d678507bbe7270a7f67ff5006c3525b9807e467c4e56000ba338f5d429559036751822246c80d3b38f07f4be2d8ff5805f5132229bde93bbbdcaf382bf1ee972fbf9977bada8945847a2a6c9ad34a667554e04d1f7fa2c33241bd8f01ba220d",
    result:
      "131d43e0dea1be5c5a1bfd971d852cbf712d7b4f57961fea3208afa8bca433f456ad09c7417e58bc69cf8866d1353f74865e80781d202dfb3ecff7fcbc3b190fe82a204ed0e350fc0f6f2613b2f2bca6df5a473a57a4a00d985ebad880d6f23864a07b01",
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
    algorithm: "cmac-3des",
    origin: "NIST SP 800-38B D.4",
    key: "8aa83bf8cbda10620bc1bf19fbb6cd58bc313d4a371ca8b5",
    source: "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
    result: "33e6b1092400eae5",
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
    service: "mac",
    algorithm: "kasumi-f9",
    origin: "3GPP TS 35.203 / ipsec-mb",
    key: "c736c6aab22bfff91e2698d2e22ad57e",
    source:
      "14793e410397e8fdd0a7d463df9fb2b278833fa02e235aa172bd970c1473e12907fb648b6599aaa0b24a038665422b20a499276a50427009c000000000000000",
    result: "dd7dfadd",
  },
  {
    service: "mac",
    algorithm: "snow3g-uia2",
    origin: "3GPP TS 35.217 / ipsec-mb snow_f9_vectors",
    key: "c736c6aab22bfff91e2698d2e22ad57e",
    iv: "14793e410397e8fd94793e41039768fd",
    source:
      "d0a7d463df9fb2b278833fa02e235aa172bd970c1473e12907fb648b6599aaa0b24a038665422b20a499276a50427009",
    result: "38b554c0",
  },
  {
    service: "mac",
    algorithm: "gmac-aes",
    origin: "NIST CAVP gcmEncryptExtIV128",
    key: "99e3e8793e686e571d8285c564f75e2b",
    iv: "c2dd0ab868da6aa8ad9c0d23",
    source:
      "b668e42d4e444ca8b23cfdd95a9fedd5178aa521144890b093733cf5cf22526c5917ee476541809ac6867a8c399309fc",
    result: "3f4fba100eaf1f34b0baadaae9995d85",
  },
  {
    service: "mac",
    algorithm: "gmac-twofish",
    origin: "generated",
    key: "1afd0ac40c22d59055e605bc98c6078b",
    iv: "e750504e67b00c43ada661b5",
    source:
      "d106a052ea868639afba139db6e2fc30c772f9ec89f59900eeb7259e8c8250e9fbd1f6b69a4d9016bce862c368e984364e06610a8632074a34881a89b240e7a8",
    result: "0c666940b8ab756fdd0455ffed510b82",
  },
  {
    service: "mac",
    algorithm: "cbcmac-aes",
    origin: "SP 800-38A key and plaintext, zero IV",
    key: "2b7e151628aed2a6abf7158809cf4f3c",
    source:
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710",
    result: "a7356e1207bb406639e5e5ceb9a9ed93",
  },
  {
    service: "mac",
    algorithm: "cbcmac-kasumi-f9",
    origin: "generated: f9 of random blocks",
    key: "e9c1d3ed77edb72bb2f980df7af2fdb9",
    source:
      "8c20032d8381c87fcd39e89eafd9647d419ab3682fea26e834ae2b00b30e122dd5657615e3f38611078b9461eb6b8223510d216b4499226ffc81757d5223cbb3",
    result: "581de125",
  },
  {
    service: "mac",
    algorithm: "xcbc-aes",
    origin: "RFC 3566 section 4, case 6: published: the first 12 bytes",
    key: "000102030405060708090a0b0c0d0e0f",
    source:
      "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021",
    result: "becbb3bccdb518a30677d5481fb6b4d8",
  },
  {
    service: "mac",
    algorithm: "zuc-eia3",
    origin: "3GPP TS 35.223 128-EIA3 / ipsec-mb",
    key: "c9e6cec4607c72db000aefa88385ab0a",
    iv: "a94059da50000000a94059da50000000",
    source:
      "983b41d47d780c9e1ad11d7eb70391b1de0b35da2dc62f83e7b78d6306ca0ea07e941b7be91348f9fcb170e2217fecd97f9f68adb16e5d7d21e569d280ed775c",
    result: "bbaf2fc3",
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
    algorithm: "aes-ccm",
    origin: "NIST SP 800-38C example 3",
    key: "404142434445464748494a4b4c4d4e4f",
    iv: "101112131415161718191a1b",
    aad: "000102030405060708090a0b0c0d0e0f10111213",
    source: "202122232425262728292a2b2c2d2e2f3031323334353637",
    result: "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951",
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
