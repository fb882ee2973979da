/**
 * One request of a round.
 *
 * @module
 */

import { type Context, Job, JobOutcome } from "../engine/engine.ts";
import {
  VIRTIO_CRYPTO_BADMSG,
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_OK,
} from "../spec/constants.ts";
import { Chain } from "../virtqueue/chain.ts";
import { UNKNOWN_ROW } from "./counter_rows.ts";

/** No status yet: an engine will give it. */
export const NO_STATUS_YET = -1;

/** One request of a round. The object is reused. */
export class Entry {
  /** Its number in the round. */
  readonly index: number;
  /** Where the request lies. */
  readonly chain: Chain = new Chain();
  /** What an engine is to do. */
  readonly job: Job = new Job();
  /** VIRTIO_CRYPTO_*, or {@linkcode NO_STATUS_YET}. */
  status: number = NO_STATUS_YET;
  /** Where it is counted. */
  row: number = UNKNOWN_ROW;
  /** Next entry of the same group, or -1. */
  next = -1;
  /** The context of a stateless request, which ends with it. */
  own: Context | undefined = undefined;

  /** @param index its number in the round */
  constructor(index: number) {
    this.index = index;
  }
}

/**
 * The status that follows from what an engine did.
 *
 * @param outcome a value of {@linkcode JobOutcome}
 * @returns VIRTIO_CRYPTO_*
 */
export function statusOf(outcome: number): number {
  switch (outcome) {
    case JobOutcome.DONE:
      return VIRTIO_CRYPTO_OK;
    case JobOutcome.BAD_TAG:
      return VIRTIO_CRYPTO_BADMSG;
    default:
      return VIRTIO_CRYPTO_ERR;
  }
}
