/**
 * What a device was told, as far as the rules of requests depend on it.
 *
 * @module
 */

import type { ModelAlgorithm } from "./algorithms.ts";

/** Statuses. */
export const OK = 0;
export const ERR = 1;
export const BADMSG = 2;
export const NOTSUPP = 3;
export const INVSESS = 4;
export const NOSPC = 5;

/** What rules depend on. */
export interface Rules {
  /** The document whose features are offered. */
  readonly spec: "v15" | "1.4";
  /** The negotiated feature bits. */
  readonly features: bigint;
  /** max_size of the configuration space. */
  readonly maxSize: number;
  /** Number of data queues. */
  readonly dataQueues: number;
  /** Most sessions at a time. */
  readonly maxSessions: number;
  /** One bit a service that is offered. */
  readonly services: number;
  /** Whether the engine has an algorithm, with a key of this length if said. */
  serves(algorithm: ModelAlgorithm, keyLength?: number): boolean;
}

/** A session that is live. */
export interface ModelSession {
  readonly service: number;
  readonly opType: number;
  readonly algorithm: ModelAlgorithm;
  /** A chain's hash or MAC. */
  readonly hash: ModelAlgorithm | undefined;
  readonly order: number;
  readonly op: number;
  readonly key: Uint8Array;
  readonly authKey: Uint8Array;
  readonly resultLength: number;
}

/**
 * Whether the mode feature of a service was negotiated.
 *
 * @param rules what was negotiated
 * @param service number of the service
 * @returns true when it was
 */
export function hasMode(rules: Rules, service: number): boolean {
  return (rules.features >> BigInt(service + 1) & 1n) === 1n;
}

/**
 * Whether REVISION_1 was negotiated.
 *
 * @param rules what was negotiated
 * @returns true when it was
 */
export function isRevision1(rules: Rules): boolean {
  return rules.spec === "1.4" && (rules.features & 1n) === 1n;
}
