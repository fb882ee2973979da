/**
 * What the self-check of the library expects.
 *
 * @module
 */

/**
 * Checksums of the self-check's results as the portable engine computes them,
 * by the algorithm's name and the key size in bits.
 */
export const EXPECTED: Readonly<Record<string, number>> = {
  "aes-cbc 128": 0xefed_3168,
  "aes-cbc 192": 0xd9f0_df28,
  "aes-cbc 256": 0x3276_0465,
  "aes-ctr 128": 0x4226_d698,
  "aes-ctr 192": 0x4914_a233,
  "aes-ctr 256": 0x9780_12ba,
  "aes-ecb 128": 0xce7b_41ec,
  "aes-ecb 192": 0xb42d_5ac9,
  "aes-ecb 256": 0x87db_ff58,
  "des-cbc 64": 0xc6bc_5bc3,
  "3des-cbc 192": 0x5bcf_8c45,
  "kasumi-f8 128": 0x6385_8593,
  "snow3g-uea2 128": 0x99d9_90c4,
  "zuc-eea3 128": 0xca92_45de,
  "sha1": 0xc164_dcf4,
  "sha224": 0xb6de_c2cc,
  "sha256": 0x1726_4393,
  "sha384": 0x0bdd_722a,
  "sha512": 0xd9cd_2b29,
  "hmac-md5 160": 0x01ac_17b8,
  "hmac-md5 1600": 0x33b4_3b17,
  "hmac-sha1 160": 0xe0bf_35db,
  "hmac-sha1 1600": 0x4f27_b5a6,
  "hmac-sha224 160": 0xc206_1b8b,
  "hmac-sha224 1600": 0xcbf1_559b,
  "hmac-sha256 160": 0xf478_ebae,
  "hmac-sha256 1600": 0xb64a_9183,
  "hmac-sha384 160": 0x6ba6_aedb,
  "hmac-sha384 1600": 0xab70_3ed5,
  "hmac-sha512 160": 0x3b73_22f7,
  "hmac-sha512 1600": 0x276f_f2ac,
  "cmac-aes 128": 0xff38_dbe5,
  "cmac-aes 256": 0xf46f_4e45,
  "xcbc-aes 128": 0x0ae2_aa67,
  "kasumi-f9 128": 0x417b_0417,
  "cbcmac-kasumi-f9 128": 0x417b_0417,
  "snow3g-uia2 128": 0x31cf_34e1,
  "zuc-eia3 128": 0x0106_8add,
  "gmac-aes 128": 0xf070_6aa0,
  "gmac-aes 192": 0xa59d_22ca,
  "gmac-aes 256": 0xd166_5c78,
  "aes-gcm 128": 0xedbf_b3d1,
  "aes-gcm 192": 0xf348_24f2,
  "aes-gcm 256": 0x3204_3598,
  "aes-ccm 128": 0x8df4_0f4d,
  "aes-ccm 256": 0xebed_1ea7,
  "chacha20-poly1305 256": 0xd8df_5528,
};
