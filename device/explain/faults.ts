/**
 * What is wrong with a descriptor chain, in words.
 *
 * @module
 */

import { ChainFault } from "../virtqueue/chain.ts";

const TEXTS: Readonly<Record<number, string>> = {
  [ChainFault.NEXT_OUT_OF_RANGE]:
    "next of a descriptor is past the end of its table (virtio 1.1, 2.6.5)",
  [ChainFault.BAD_INDIRECT]:
    "An indirect table is nested, chained, misplaced, or no multiple of 16 bytes long (virtio 1.1, 2.6.5.3)",
  [ChainFault.OUTSIDE_MEMORY]: "A buffer is not wholly in guest memory",
  [ChainFault.READABLE_AFTER_WRITABLE]:
    "A readable descriptor is behind a writable one (virtio 1.1, 2.6.4.2)",
  [ChainFault.LOOP]: "The descriptors of an indirect table run in a loop",
  [ChainFault.TOO_LONG]:
    "The chain describes more than 2^32 - 1 bytes (virtio 1.1, 2.6.5)",
  [ChainFault.TOO_MANY_SEGMENTS]:
    "The chain has more segments than a device holds",
};

/**
 * What is wrong with a chain.
 *
 * @param fault a value of {@linkcode ChainFault}
 * @returns a sentence; null where nothing is
 */
export function faultText(fault: number): string | null {
  return fault === ChainFault.NONE ? null : TEXTS[fault] ?? `Fault ${fault}`;
}
