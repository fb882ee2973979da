/**
 * The session a data request is of, as `--session` tells it: the request holds
 * but its id.
 *
 * @module
 */

import type { Algorithm } from "../../engine/algorithm.ts";
import { SERVICE_ALGORITHMS } from "../../service/algorithms.ts";
import {
  VIRTIO_CRYPTO_OP_DECRYPT,
  VIRTIO_CRYPTO_OP_ENCRYPT,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_CIPHER_THEN_HASH,
  VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_HASH_THEN_CIPHER,
  VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH,
  VIRTIO_CRYPTO_SYM_HASH_MODE_PLAIN,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_CRYPTO_SYM_OP_CIPHER,
} from "../../spec/constants.ts";
import type { OperationParameters } from "../../spec/session_parameters.ts";
import { UsageError } from "../usage.ts";

/** An algorithm with its numbers. */
interface Found {
  readonly service: number;
  readonly number: number;
  readonly algorithm: Algorithm;
}

function find(name: string): Found | undefined {
  for (const [service, algorithms] of SERVICE_ALGORITHMS.entries()) {
    for (const [number, algorithm] of algorithms) {
      if (algorithm.name === name) return { service, number, algorithm };
    }
  }
  return undefined;
}

function needed(name: string): Found {
  const found = find(name);
  if (found !== undefined) return found;
  const names = SERVICE_ALGORITHMS.flatMap((list) =>
    list.map(([, algorithm]) => algorithm.name)
  );
  throw new UsageError(
    `Cannot use algorithm "${name}" in --session: one of ${
      names.join(", ")
    } is needed`,
  );
}

/** The shortest key an algorithm takes. */
function keyLengthOf({ key }: Algorithm): number {
  return key.min;
}

/** The digest or tag a session is created with where nothing else is said. */
function resultLengthOf({ kind, result }: Algorithm): number {
  return kind === "cipher" ? 0 : Math.min(result.max, 64);
}

/**
 * Reads a session: `NAME`, or `CIPHER+DIGEST` for a chain in which the cipher
 * comes first, or `DIGEST+CIPHER`; then `,encrypt` or `,decrypt`, and `,tag=N`.
 *
 * @param text what was given
 * @returns its parameters, with keys as short as the algorithms allow
 * @throws {UsageError} It is no session
 */
export function sessionOption(text: string): OperationParameters {
  const [names = "", ...words] = text.split(",");
  const parts = names.split("+").map(needed);
  const [first, second] = parts;
  if (first === undefined || parts.length > 2) {
    throw new UsageError(
      `Cannot use --session=${text}: two algorithms at most`,
    );
  }
  let op = VIRTIO_CRYPTO_OP_ENCRYPT;
  let tag: number | undefined;
  for (const word of words) {
    if (word === "encrypt") op = VIRTIO_CRYPTO_OP_ENCRYPT;
    else if (word === "decrypt") op = VIRTIO_CRYPTO_OP_DECRYPT;
    else if (/^tag=\d{1,9}$/.test(word)) tag = Number(word.slice(4));
    else {
      throw new UsageError(
        `Cannot use "${word}" in --session: encrypt, decrypt or tag=N is needed`,
      );
    }
  }
  return second === undefined
    ? plain(first, op, tag)
    : chain(first, second, op, text);
}

function plain(
  { service, number, algorithm }: Found,
  op: number,
  tag: number | undefined,
): OperationParameters {
  const directed = algorithm.kind === "cipher" || algorithm.kind === "aead";
  return {
    service,
    opType: service === VIRTIO_CRYPTO_SERVICE_CIPHER
      ? VIRTIO_CRYPTO_SYM_OP_CIPHER
      : 0,
    algorithm: number,
    op: directed ? op : 0,
    keyLength: keyLengthOf(algorithm),
    chainOrder: 0,
    hashMode: 0,
    hashAlgorithm: 0,
    authKeyLength: 0,
    resultLength: tag ?? resultLengthOf(algorithm),
  };
}

function chain(
  first: Found,
  second: Found,
  op: number,
  text: string,
): OperationParameters {
  const cipherFirst = first.service === VIRTIO_CRYPTO_SERVICE_CIPHER;
  const cipher = cipherFirst ? first : second;
  const digest = cipherFirst ? second : first;
  const authenticated = digest.service === VIRTIO_CRYPTO_SERVICE_MAC;
  if (
    cipher.service !== VIRTIO_CRYPTO_SERVICE_CIPHER ||
    (!authenticated && digest.service !== VIRTIO_CRYPTO_SERVICE_HASH)
  ) {
    throw new UsageError(
      `Cannot use --session=${text}: a chain is of a cipher and a hash or MAC`,
    );
  }
  return {
    service: VIRTIO_CRYPTO_SERVICE_CIPHER,
    opType: VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
    algorithm: cipher.number,
    op,
    keyLength: keyLengthOf(cipher.algorithm),
    chainOrder: cipherFirst
      ? VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_CIPHER_THEN_HASH
      : VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_HASH_THEN_CIPHER,
    hashMode: authenticated
      ? VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH
      : VIRTIO_CRYPTO_SYM_HASH_MODE_PLAIN,
    hashAlgorithm: digest.number,
    authKeyLength: keyLengthOf(digest.algorithm),
    resultLength: resultLengthOf(digest.algorithm),
  };
}
