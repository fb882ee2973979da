/**
 * A guest's processor that never stops adding: it makes one chain available
 * again and again, as fast as the device takes it, and kicks all the time.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { signalEventfd } from "../../device/host/eventfd.ts";

/** What a producer is given. */
export interface Production {
  readonly memory: SharedArrayBuffer;
  /** Byte offsets of the indices of the available and the used ring. */
  readonly availableIndex: number;
  readonly usedIndex: number;
  /** Entries of the ring, each of which names the chain. */
  readonly size: number;
  readonly kick: number;
  /** Two words: 1 while it runs; how many chains it has added. */
  readonly control: Int32Array<SharedArrayBuffer>;
}

function produce(given: Production): void {
  const { control, size, kick } = given;
  const words = new Uint16Array(given.memory);
  const available = given.availableIndex / 2;
  const used = given.usedIndex / 2;
  while (Atomics.load(control, 0) === 1) {
    const index = Atomics.load(words, used);
    // The ring is full whenever the device looks.
    const before = Atomics.exchange(words, available, (index + size) & 0xffff);
    const added = (index + size - before) & 0xffff;
    if (added === 0) continue;
    Atomics.add(control, 1, added);
    signalEventfd(kick);
  }
}

if (typeof self.postMessage === "function" && self.name === "producer") {
  self.onmessage = (event: MessageEvent<Production>): void => {
    produce(event.data);
    self.postMessage("stopped");
  };
}
