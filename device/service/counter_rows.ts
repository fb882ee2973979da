/**
 * The rows of a queue's counters: one an algorithm, one a chain of a cipher
 * with a hash or MAC, and one for requests that came to neither.
 *
 * @module
 */

import type { Algorithm } from "../engine/algorithm.ts";
import {
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
} from "../spec/constants.ts";
import { SERVICE_NAMES } from "../spec/names.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import { SERVICE_ALGORITHMS } from "./algorithms.ts";

/** What an operation's row follows from. */
export type RowParameters = Pick<
  OperationParameters,
  "service" | "opType" | "algorithm" | "hashMode" | "hashAlgorithm"
>;

/** What a row counts. */
export interface RowLabels {
  /** "CIPHER", "HASH", "MAC" or "AEAD"; null where that is not known. */
  readonly service: string | null;
  /**
   * The algorithm's name; of a chain both, cipher first in either order, as in
   * aes-cbc+hmac-sha256; null where that is not known.
   */
  readonly algorithm: string | null;
}

/** The row of requests whose algorithm is not known. */
export const UNKNOWN_ROW = 0;

/** Most numbers of a service's algorithms. */
const NUMBERS = 64;

const [CIPHERS = [], HASHES = [], MACS = []] = SERVICE_ALGORITHMS;
const DIGESTS: readonly (readonly [number, Algorithm])[] = [...HASHES, ...MACS];
const PLAIN = SERVICE_ALGORITHMS.flatMap((list, service) =>
  list.map(([number, { name }]) => ({ service, number, name }))
);
const FIRST_CHAIN = 1 + PLAIN.length;
const FIRST_DIGEST = 1 + CIPHERS.length;

/** The row of each algorithm, by service and number; 0 where there is none. */
const ROWS = new Uint16Array(SERVICE_ALGORITHMS.length * NUMBERS);
PLAIN.forEach(({ service, number }, index) => {
  ROWS[service * NUMBERS + number] = 1 + index;
});

/** Number of rows. */
export const COUNTER_ROWS: number = FIRST_CHAIN +
  CIPHERS.length * DIGESTS.length;

function rowOf(service: number, number: number): number {
  return number < NUMBERS ? ROWS[service * NUMBERS + number]! : UNKNOWN_ROW;
}

/**
 * The row of an operation.
 *
 * @param operation its parameters, as the driver gave them
 * @returns number of the row, below {@linkcode COUNTER_ROWS}
 */
export function counterRow(operation: RowParameters): number {
  const first = rowOf(operation.service, operation.algorithm);
  if (
    first === UNKNOWN_ROW ||
    operation.opType !== VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING
  ) return first;
  const digest = rowOf(
    operation.hashMode === VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH
      ? VIRTIO_CRYPTO_SERVICE_MAC
      : VIRTIO_CRYPTO_SERVICE_HASH,
    operation.hashAlgorithm,
  );
  if (digest === UNKNOWN_ROW) return UNKNOWN_ROW;
  return FIRST_CHAIN + (first - 1) * DIGESTS.length + digest - FIRST_DIGEST;
}

/**
 * What a row counts.
 *
 * @param row number of the row
 * @returns its service and algorithm
 */
export function rowLabels(row: number): RowLabels {
  if (row >= FIRST_CHAIN) {
    const chain = row - FIRST_CHAIN;
    const [, cipher] = CIPHERS[Math.floor(chain / DIGESTS.length)]!;
    const [, digest] = DIGESTS[chain % DIGESTS.length]!;
    return {
      service: SERVICE_NAMES[0]!,
      algorithm: `${cipher.name}+${digest.name}`,
    };
  }
  const plain = PLAIN[row - 1];
  if (plain === undefined) return { service: null, algorithm: null };
  return { service: SERVICE_NAMES[plain.service]!, algorithm: plain.name };
}
