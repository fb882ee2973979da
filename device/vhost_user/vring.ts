/**
 * The state of one ring as the messages of a frontend make it.
 *
 * @module
 */

import { firstState } from "../virtqueue/open_ring.ts";
import type { RingSetup } from "../virtqueue/ring.ts";
import type { Negotiation } from "./features.ts";
import type { VringAddr } from "./payload.ts";

/** Largest number a base can be: a packed ring's has 32 bits. */
export const MAX_BASE = 0xffff_ffff;

/** What a frontend said of a ring. */
export class Vring {
  /** Number of entries, as SET_VRING_NUM gave it. */
  num = 0;
  /**
   * Where to go on: SET_VRING_BASE, or where the ring was stopped; undefined
   * before either.
   */
  base: number | undefined = undefined;
  /** What the last GET_VRING_BASE was answered; undefined before the first. */
  lastBaseReply: number | undefined = undefined;
  /** SET_VRING_ADDR. */
  addresses: VringAddr | undefined = undefined;
  /** Signalled by the frontend; -1 for none. */
  kickFd = -1;
  /** Signalled by the backend; -1 for none. */
  callFd = -1;
  /** Signalled when the ring is broken; -1 for none. */
  errFd = -1;
  /** A kick came, and no GET_VRING_BASE since: the ring is started. */
  started = false;
  /** SET_VRING_ENABLE. */
  enabled = false;
  /** SET_VRING_ENABLE said 0: not served even where that is never waited for. */
  paused = false;
  /** It could not start as it is set up, or in the memory that there is. */
  unfit = false;
  /** The ring is being served. */
  serving = false;
  /**
   * Why it is served no more: the ring turned out broken, or its worker threw,
   * since it was started.
   */
  down: string | undefined = undefined;

  /** Forgets where the ring lies and stands, once it is served no more. */
  reset(): void {
    this.num = 0;
    this.base = undefined;
    this.lastBaseReply = undefined;
    this.addresses = undefined;
    this.down = undefined;
    this.unfit = false;
  }

  /**
   * Whether the ring is to be served (vhost-user, "Ring states").
   *
   * @param negotiation what was negotiated
   * @returns true when everything needed for it is there
   */
  wanted(negotiation: Negotiation): boolean {
    if (!this.started || this.addresses === undefined || this.num === 0) {
      return false;
    }
    return negotiation.ringsWaitForEnable ? this.enabled : !this.paused;
  }

  /**
   * Where to go on, as GET_VRING_BASE answers it.
   *
   * @param negotiation what was negotiated
   * @returns the base: 16 bits of a split ring, 32 of a packed one
   */
  position(negotiation: Negotiation): number {
    return this.base ?? firstState(negotiation.format);
  }

  /**
   * The ring as whoever serves it takes it.
   *
   * @param negotiation what was negotiated
   * @returns plain data
   */
  setup(negotiation: Negotiation): RingSetup {
    const { addresses } = this;
    return {
      format: negotiation.format,
      size: this.num,
      descriptorAddress: addresses?.descriptor ?? 0,
      availableAddress: addresses?.available ?? 0,
      usedAddress: addresses?.used ?? 0,
      state: this.position(negotiation),
      notification: negotiation.notification,
      indirect: negotiation.indirect,
    };
  }
}
