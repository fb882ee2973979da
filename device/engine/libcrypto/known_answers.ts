/**
 * The answers of the self-test, by the name of the algorithm: the last 16 bytes
 * of its result. They are the portable engine's, which passes the standards'
 * vectors; a test compares them.
 *
 * @module
 */

/** Hexadecimal; the whole result where it is shorter. */
export const KNOWN_ANSWERS: { readonly [name: string]: string | undefined } = {
  "arc4": "e66806e3ecb33936770227c66c613dcf",
  "aes-ecb": "42ba2e766d5395bc2b6f107c6061d2e8",
  "aes-cbc": "20bc957651271bb93ec93d33db44420c",
  "aes-ctr": "5102793e76ab6a68a71500955cae9e5e",
  "des-ecb": "533b85c7809425b0de6d6dba1c348534",
  "des-cbc": "651f6f2d370f2b6b4c5415085ca09b52",
  "3des-ecb": "a62329d9af58ad57ea6edd440efa6aa0",
  "3des-cbc": "da5878e4235793278558da1118e7e332",
  "3des-ctr": "6ea2c1e33aa2c5ca0f9efcf3ab593831",
  "aes-xts": "ef7bce9c1168fbfe6907ccf18a11f9d9",
  "md5": "52112cfc6d87ffca357a898124ec4020",
  "sha1": "1591a7f6fc7ce04c33246bd188d4b736",
  "sha224": "845bac220dc8e6f52ecf513137e5f0b9",
  "sha256": "14d6da962bf8f8f3c796e3ebee9bf5ca",
  "sha384": "a8e70b563ba2660b9142b9f3f6fab672",
  "sha512": "9359ab21ba55fb4bcd0be4419e286e94",
  "sha3-224": "2070902f77e40cf2739ad9f46088b989",
  "sha3-256": "49c0725c0e1c06fcde4d8134becb2915",
  "sha3-384": "41fa172f112dfbbe18baf8b9d6d66cd9",
  "sha3-512": "ddf11f7e1286311ba6d5b4d5198d84ed",
  "shake128": "a7ea8d4118dca6ccebbe18a3c3218f46",
  "shake256": "19b6d362dfccfb8fe08ae49ea923fcfc",
  "hmac-md5": "f0f9bf3588ad3498d68a6f6be1e15b4d",
  "hmac-sha1": "5d1e37f9326cbeca43629e42b6d91cd7",
  "hmac-sha224": "490df7fa2a4578d4ce9452c933ee64a1",
  "hmac-sha256": "557fc1d93f5ae2a13d3b1afde40bd4bb",
  "hmac-sha384": "ad1c1be4a3e80834ef5aeedc48cfddd6",
  "hmac-sha512": "bba0a06793d500ac6bb1ad4a1b5e07eb",
  "cmac-3des": "d220de907732c508",
  "cmac-aes": "6a7f5f1942cabd3d702e6128b9617e68",
  "gmac-aes": "3e538ff604ea061ba982a031b0a840cc",
  "aes-gcm": "b6dbd88d3050bd7bc4fba1adfee71105",
  "aes-ccm": "0e34aa0f345127f7c62e317104e2f07e",
  "chacha20-poly1305": "757e658a4d86ce5a7d1bec0dcdb4da8a",
};
