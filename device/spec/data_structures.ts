/**
 * The structures of data requests, for every layout. Two families exist: one
 * with the parameters of a session inside (`sess_para`: v15 in both modes, and
 * revision 1 with a stateless bit), and one without (Linux, DPDK and QEMU, and
 * revision 1 in session mode).
 *
 * @module
 */

import { type Structure, structure } from "./structure.ts";

/** The general header. */
export const OP_HEADER: Structure<
  "opcode" | "algo" | "session_id" | "flag" | "padding"
> = structure("virtio_crypto_op_header", "v15, Device Operation", {
  opcode: "le32",
  algo: "le32",
  session_id: "le64",
  flag: "le32",
  padding: "le32",
});

// Without sess_para.

/** Size of the symmetric union without sess_para: that of a chain. */
const SYM_UNION = 40;

/** CIPHER, plain. */
export const CIPHER_PARA: Structure<
  "iv_len" | "src_data_len" | "dst_data_len" | "padding"
> = structure("virtio_crypto_cipher_para", "virtio 1.1, 5.9.7.9.1", {
  iv_len: "le32",
  src_data_len: "le32",
  dst_data_len: "le32",
  padding: "le32",
}, SYM_UNION);

/** CIPHER, algorithm chaining. */
export const CHAIN_PARA: Structure<
  | "iv_len"
  | "src_data_len"
  | "dst_data_len"
  | "cipher_start_src_offset"
  | "len_to_cipher"
  | "hash_start_src_offset"
  | "len_to_hash"
  | "aad_len"
  | "hash_result_len"
  | "reserved"
> = structure("virtio_crypto_alg_chain_data_para", "virtio 1.1, 5.9.7.9.1", {
  iv_len: "le32",
  src_data_len: "le32",
  dst_data_len: "le32",
  cipher_start_src_offset: "le32",
  len_to_cipher: "le32",
  hash_start_src_offset: "le32",
  len_to_hash: "le32",
  aad_len: "le32",
  hash_result_len: "le32",
  reserved: "le32",
}, SYM_UNION);

/** Behind the symmetric union. */
export const SYM_TAIL: Structure<"op_type" | "padding"> = structure(
  "virtio_crypto_sym_data_req",
  "virtio 1.1, 5.9.7.9.1",
  { op_type: "le32", padding: "le32" },
);

/** HASH. */
export const HASH_PARA: Structure<"src_data_len" | "hash_result_len"> =
  structure("virtio_crypto_hash_para", "virtio 1.1, 5.9.7.7", {
    src_data_len: "le32",
    hash_result_len: "le32",
  });

/** MAC: the same as HASH. */
export const MAC_PARA: Structure<"src_data_len" | "hash_result_len"> =
  structure("virtio_crypto_mac_para", "virtio 1.1, 5.9.7.8", {
    src_data_len: "le32",
    hash_result_len: "le32",
  });

/** AEAD. The padded layout has no tag_len: it is the session's. */
export const AEAD_PARA: Structure<
  | "iv_len"
  | "aad_len"
  | "src_data_len"
  | "dst_data_len"
  | "tag_len"
  | "reserved"
> = structure("virtio_crypto_aead_para", "virtio 1.1, 5.9.7.10", {
  iv_len: "le32",
  aad_len: "le32",
  src_data_len: "le32",
  dst_data_len: "le32",
  tag_len: "le32",
  reserved: "le32",
});

// With sess_para.

/** Size of the symmetric union with sess_para: that of a chain. */
const SYM_UNION_STATELESS = 72;

/** CIPHER, plain, with sess_para. */
export const CIPHER_PARA_STATELESS: Structure<
  | "sess_para.algo"
  | "sess_para.keylen"
  | "sess_para.op"
  | "iv_len"
  | "src_data_len"
  | "dst_data_len"
> = structure(
  "virtio_crypto_cipher_para",
  "v15, Symmetric algorithms Operation",
  {
    "sess_para.algo": "le32",
    "sess_para.keylen": "le32",
    "sess_para.op": "le32",
    iv_len: "le32",
    src_data_len: "le32",
    dst_data_len: "le32",
  },
  SYM_UNION_STATELESS,
);

/** CIPHER, algorithm chaining, with sess_para. */
export const CHAIN_PARA_STATELESS: Structure<
  | "sess_para.alg_chain_order"
  | "sess_para.aad_len"
  | "sess_para.cipher.algo"
  | "sess_para.cipher.keylen"
  | "sess_para.cipher.op"
  | "sess_para.hash.algo"
  | "sess_para.hash.auth_key_len"
  | "sess_para.hash.hash_mode"
  | "iv_len"
  | "src_data_len"
  | "dst_data_len"
  | "cipher_start_src_offset"
  | "len_to_cipher"
  | "hash_start_src_offset"
  | "len_to_hash"
  | "aad_len"
  | "hash_result_len"
  | "reserved"
> = structure(
  "virtio_crypto_alg_chain_data_para",
  "v15, Symmetric algorithms Operation",
  {
    "sess_para.alg_chain_order": "le32",
    "sess_para.aad_len": "le32",
    "sess_para.cipher.algo": "le32",
    "sess_para.cipher.keylen": "le32",
    "sess_para.cipher.op": "le32",
    "sess_para.hash.algo": "le32",
    "sess_para.hash.auth_key_len": "le32",
    "sess_para.hash.hash_mode": "le32",
    iv_len: "le32",
    src_data_len: "le32",
    dst_data_len: "le32",
    cipher_start_src_offset: "le32",
    len_to_cipher: "le32",
    hash_start_src_offset: "le32",
    len_to_hash: "le32",
    aad_len: "le32",
    hash_result_len: "le32",
    reserved: "le32",
  },
  SYM_UNION_STATELESS,
);

/** Behind the symmetric union in revision 1: no padding follows. */
export const SYM_TAIL_UNPADDED: Structure<"op_type"> = structure(
  "virtio_crypto_sym_data_req_stateless",
  "virtio 1.4, Symmetric algorithms Operation",
  { op_type: "le32" },
);

/** HASH with sess_para. */
export const HASH_PARA_STATELESS: Structure<
  "sess_para.algo" | "src_data_len" | "hash_result_len" | "reserved"
> = structure("virtio_crypto_hash_para", "v15, HASH Service Operation", {
  "sess_para.algo": "le32",
  src_data_len: "le32",
  hash_result_len: "le32",
  reserved: "le32",
});

/** MAC with sess_para. */
export const MAC_PARA_STATELESS: Structure<
  | "sess_para.algo"
  | "sess_para.auth_key_len"
  | "src_data_len"
  | "hash_result_len"
> = structure("virtio_crypto_mac_para", "v15, MAC Service Operation", {
  "sess_para.algo": "le32",
  "sess_para.auth_key_len": "le32",
  src_data_len: "le32",
  hash_result_len: "le32",
});

/** AEAD with sess_para. */
export const AEAD_PARA_STATELESS: Structure<
  | "sess_para.algo"
  | "sess_para.key_len"
  | "sess_para.op"
  | "iv_len"
  | "tag_len"
  | "aad_len"
  | "src_data_len"
  | "dst_data_len"
> = structure("virtio_crypto_aead_para", "v15, AEAD Service Operation", {
  "sess_para.algo": "le32",
  "sess_para.key_len": "le32",
  "sess_para.op": "le32",
  iv_len: "le32",
  tag_len: "le32",
  aad_len: "le32",
  src_data_len: "le32",
  dst_data_len: "le32",
});
