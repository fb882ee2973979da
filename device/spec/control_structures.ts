/**
 * The structures of control requests (v15, "Control Virtqueue"; virtio 1.4,
 * 5.9.7.2). They are the same in all documents; what differs is the padding
 * behind them.
 *
 * @module
 */

import { type Structure, structure } from "./structure.ts";

/** The general header. */
export const CTRL_HEADER: Structure<"opcode" | "algo" | "flag" | "queue_id"> =
  structure("virtio_crypto_ctrl_header", "v15, Device Operation", {
    opcode: "le32",
    algo: "le32",
    flag: "le32",
    queue_id: "le32",
  });

/** Size of the symmetric union: that of a chain. */
const SYM_UNION = 48;

/** CIPHER, plain. */
export const CIPHER_SESSION_PARA: Structure<
  "algo" | "keylen" | "op" | "padding"
> = structure(
  "virtio_crypto_cipher_session_para",
  "v15, Session operation: Symmetric algorithms session",
  { algo: "le32", keylen: "le32", op: "le32", padding: "le32" },
  SYM_UNION,
);

/**
 * CIPHER, algorithm chaining. The union of hash_param and mac_param has the
 * size of the larger one; both begin with algo and hash_result_len.
 */
export const CHAIN_SESSION_PARA: Structure<
  | "alg_chain_order"
  | "hash_mode"
  | "cipher_param.algo"
  | "cipher_param.keylen"
  | "cipher_param.op"
  | "cipher_param.padding"
  | "u.algo"
  | "u.hash_result_len"
  | "u.mac_param.auth_key_len"
  | "u.mac_param.padding"
  | "aad_len"
  | "padding"
> = structure(
  "virtio_crypto_alg_chain_session_para",
  "v15, Session operation: Symmetric algorithms session",
  {
    alg_chain_order: "le32",
    hash_mode: "le32",
    "cipher_param.algo": "le32",
    "cipher_param.keylen": "le32",
    "cipher_param.op": "le32",
    "cipher_param.padding": "le32",
    "u.algo": "le32",
    "u.hash_result_len": "le32",
    "u.mac_param.auth_key_len": "le32",
    "u.mac_param.padding": "le32",
    aad_len: "le32",
    padding: "le32",
  },
  SYM_UNION,
);

/** Behind the symmetric union. */
export const SYM_SESSION_TAIL: Structure<"op_type" | "padding"> = structure(
  "virtio_crypto_sym_create_session_req",
  "v15, Session operation: Symmetric algorithms session",
  { op_type: "le32", padding: "le32" },
);

/** HASH. */
export const HASH_SESSION_PARA: Structure<"algo" | "hash_result_len"> =
  structure(
    "virtio_crypto_hash_session_para",
    "v15, Session operation: HASH session",
    { algo: "le32", hash_result_len: "le32" },
  );

/** MAC. */
export const MAC_SESSION_PARA: Structure<
  "algo" | "hash_result_len" | "auth_key_len" | "padding"
> = structure(
  "virtio_crypto_mac_session_para",
  "v15, Session operation: MAC session",
  {
    algo: "le32",
    hash_result_len: "le32",
    auth_key_len: "le32",
    padding: "le32",
  },
);

/** AEAD. */
export const AEAD_SESSION_PARA: Structure<
  "algo" | "key_len" | "tag_len" | "aad_len" | "op" | "padding"
> = structure(
  "virtio_crypto_aead_session_para",
  "v15, Session operation: AEAD session",
  {
    algo: "le32",
    key_len: "le32",
    tag_len: "le32",
    aad_len: "le32",
    op: "le32",
    padding: "le32",
  },
);

/** Destruction of a session. */
export const DESTROY_SESSION: Structure<"session_id"> = structure(
  "virtio_crypto_destroy_session_req",
  "v15, Session operation",
  { session_id: "le64" },
);

/** A creation's answer. */
export const SESSION_INPUT: Structure<"session_id" | "status" | "padding"> =
  structure("virtio_crypto_session_input", "v15, Session operation", {
    session_id: "le64",
    status: "le32",
    padding: "le32",
  });

/** A destruction's answer, where there is room for it. */
export const DESTROY_ANSWER: Structure<"status" | "padding"> = structure(
  "virtio_crypto_destroy_session_req",
  "v15, Session operation",
  { status: "le32", padding: "le32" },
);
