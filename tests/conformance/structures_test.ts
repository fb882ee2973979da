import { assertEquals } from "@std/assert";
import * as constants from "../../device/spec/constants.ts";
import * as control from "../../device/spec/control_structures.ts";
import * as data from "../../device/spec/data_structures.ts";
import { nameOf } from "../../device/spec/names.ts";
import type { Structure } from "../../device/spec/structure.ts";

/** A structure as the document's text has it: name:offset, then its end. */
function layoutOf({ fields }: Structure<string>): string {
  const last = fields.at(-1)!;
  return [
    ...fields.map(({ name, offset }) => `${name}:${offset}`),
    last.offset + (last.type === "le64" ? 8 : 4),
  ].join(" ");
}

Deno.test("Every structure of a request has the document's fields in its order", () => {
  const expected: readonly (readonly [Structure<string>, string])[] = [
    [control.CTRL_HEADER, "opcode:0 algo:4 flag:8 queue_id:12 16"],
    [data.OP_HEADER, "opcode:0 algo:4 session_id:8 flag:16 padding:20 24"],
    [control.SESSION_INPUT, "session_id:0 status:8 padding:12 16"],
    [control.DESTROY_SESSION, "session_id:0 8"],
    [control.DESTROY_ANSWER, "status:0 padding:4 8"],
    [control.HASH_SESSION_PARA, "algo:0 hash_result_len:4 8"],
    [
      control.MAC_SESSION_PARA,
      "algo:0 hash_result_len:4 auth_key_len:8 padding:12 16",
    ],
    [control.CIPHER_SESSION_PARA, "algo:0 keylen:4 op:8 padding:12 16"],
    [
      control.CHAIN_SESSION_PARA,
      "alg_chain_order:0 hash_mode:4 cipher_param.algo:8 " +
      "cipher_param.keylen:12 cipher_param.op:16 cipher_param.padding:20 " +
      "u.algo:24 u.hash_result_len:28 u.mac_param.auth_key_len:32 " +
      "u.mac_param.padding:36 aad_len:40 padding:44 48",
    ],
    [control.SYM_SESSION_TAIL, "op_type:0 padding:4 8"],
    [
      control.AEAD_SESSION_PARA,
      "algo:0 key_len:4 tag_len:8 aad_len:12 op:16 padding:20 24",
    ],
    [
      data.HASH_PARA_STATELESS,
      "sess_para.algo:0 src_data_len:4 hash_result_len:8 reserved:12 16",
    ],
    [
      data.MAC_PARA_STATELESS,
      "sess_para.algo:0 sess_para.auth_key_len:4 src_data_len:8 " +
      "hash_result_len:12 16",
    ],
    [
      data.CIPHER_PARA_STATELESS,
      "sess_para.algo:0 sess_para.keylen:4 sess_para.op:8 iv_len:12 " +
      "src_data_len:16 dst_data_len:20 24",
    ],
    [
      data.CHAIN_PARA_STATELESS,
      "sess_para.alg_chain_order:0 sess_para.aad_len:4 " +
      "sess_para.cipher.algo:8 sess_para.cipher.keylen:12 " +
      "sess_para.cipher.op:16 sess_para.hash.algo:20 " +
      "sess_para.hash.auth_key_len:24 sess_para.hash.hash_mode:28 " +
      "iv_len:32 src_data_len:36 dst_data_len:40 " +
      "cipher_start_src_offset:44 len_to_cipher:48 " +
      "hash_start_src_offset:52 len_to_hash:56 aad_len:60 " +
      "hash_result_len:64 reserved:68 72",
    ],
    [data.SYM_TAIL, "op_type:0 padding:4 8"],
    [
      data.AEAD_PARA_STATELESS,
      "sess_para.algo:0 sess_para.key_len:4 sess_para.op:8 iv_len:12 " +
      "tag_len:16 aad_len:20 src_data_len:24 dst_data_len:28 32",
    ],
  ];
  for (const [table, text] of expected) {
    assertEquals(layoutOf(table), text, table.name);
  }
});

/** Values as the document has them, in its order from `first` on. */
const NUMBERS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  F_: {
    CIPHER_SESSION_MODE: 1,
    HASH_SESSION_MODE: 2,
    MAC_SESSION_MODE: 3,
    AEAD_SESSION_MODE: 4,
  },
  S_: { HW_READY: 1 << 0 },
  SERVICE_: { CIPHER: 0, HASH: 1, MAC: 2, AEAD: 3 },
  CIPHER_: {
    ARC4: 1,
    AES_ECB: 2,
    AES_CBC: 3,
    AES_CTR: 4,
    DES_ECB: 5,
    DES_CBC: 6,
    "3DES_ECB": 7,
    "3DES_CBC": 8,
    "3DES_CTR": 9,
    KASUMI_F8: 10,
    SNOW3G_UEA2: 11,
    AES_F8: 12,
    AES_XTS: 13,
    ZUC_EEA3: 14,
    ENCRYPT: 0x000,
    DECRYPT: 0x001,
    CREATE_SESSION: 0x002,
    DESTROY_SESSION: 0x003,
  },
  HASH_: {
    MD5: 1,
    SHA1: 2,
    SHA_224: 3,
    SHA_256: 4,
    SHA_384: 5,
    SHA_512: 6,
    SHA3_224: 7,
    SHA3_256: 8,
    SHA3_384: 9,
    SHA3_512: 10,
    SHA3_SHAKE128: 11,
    SHA3_SHAKE256: 12,
    CREATE_SESSION: 0x102,
    DESTROY_SESSION: 0x103,
  },
  MAC_: {
    HMAC_MD5: 1,
    HMAC_SHA1: 2,
    HMAC_SHA_224: 3,
    HMAC_SHA_256: 4,
    HMAC_SHA_384: 5,
    HMAC_SHA_512: 6,
    CMAC_3DES: 25,
    CMAC_AES: 26,
    KASUMI_F9: 27,
    SNOW3G_UIA2: 28,
    GMAC_AES: 41,
    GMAC_TWOFISH: 42,
    CBCMAC_AES: 49,
    CBCMAC_KASUMI_F9: 50,
    XCBC_AES: 53,
    ZUC_EIA3: 54,
    CREATE_SESSION: 0x202,
    DESTROY_SESSION: 0x203,
  },
  AEAD_: {
    GCM: 1,
    CCM: 2,
    CHACHA20_POLY1305: 3,
    ENCRYPT: 0x300,
    DECRYPT: 0x301,
    CREATE_SESSION: 0x302,
    DESTROY_SESSION: 0x303,
  },
  "": {
    HASH: 0x100,
    MAC: 0x200,
    OK: 0,
    ERR: 1,
    BADMSG: 2,
    NOTSUPP: 3,
    INVSESS: 4,
  },
  OP_: { ENCRYPT: 1, DECRYPT: 2 },
  SYM_OP_: { NONE: 0, CIPHER: 1, ALGORITHM_CHAINING: 2 },
  SYM_ALG_CHAIN_ORDER_: { HASH_THEN_CIPHER: 1, CIPHER_THEN_HASH: 2 },
  SYM_HASH_MODE_: { PLAIN: 1, AUTH: 2, NESTED: 3 },
  FLAG_: { SESSION_MODE: 1, NONE_SESSION_MODE: 2 },
};

Deno.test("Every number of the document has its value", () => {
  const found: Readonly<Record<string, unknown>> = { ...constants };
  for (const [prefix, numbers] of Object.entries(NUMBERS)) {
    for (const [name, value] of Object.entries(numbers)) {
      const full = name === "HW_READY"
        ? "VIRTIO_CRYPTO_S_HW_READY"
        : `VIRTIO_CRYPTO_${prefix}${name}`;
      assertEquals(found[full], value, full);
    }
  }
  assertEquals(constants.VIRTIO_ID_CRYPTO, 20);
});

Deno.test("Numbers are called by the document's names, and reserved ones by none", () => {
  assertEquals(nameOf("mac", 54), "VIRTIO_CRYPTO_MAC_ZUC_EIA3");
  assertEquals(nameOf("cipher", 0), "VIRTIO_CRYPTO_NO_CIPHER");
  assertEquals(nameOf("dataOpcode", 0x301), "VIRTIO_CRYPTO_AEAD_DECRYPT");
  assertEquals(
    nameOf("controlOpcode", 0x203),
    "VIRTIO_CRYPTO_MAC_DESTROY_SESSION",
  );
  assertEquals(nameOf("status", 4), "VIRTIO_CRYPTO_INVSESS");
  for (const kind of ["cipher", "hash", "mac", "aead", "op", "flag"] as const) {
    assertEquals(nameOf(kind, 63), undefined);
  }
});
