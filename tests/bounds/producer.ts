/**
 * A guest's processor that never stops adding: it watches the answers as the
 * device writes them, and makes another chain available for each, before the
 * device publishes anything. So the ring is never found empty, however long a
 * round lasts.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { signalEventfd } from "../../device/host/eventfd.ts";

/** What an answer's first word holds before the device writes it. */
export const UNANSWERED = -1;

/** What a producer is given. Offsets are in bytes. */
export interface Production {
  readonly memory: SharedArrayBuffer;
  /** Offset of the index of the available ring. */
  readonly availableIndex: number;
  /** Where the first chain's answer is: a word that is {@linkcode UNANSWERED}. */
  readonly answers: number;
  /** From one answer to the next. */
  readonly stride: number;
  /** Chains, which the ring names in turn. */
  readonly chains: number;
  readonly kick: number;
  /** Two words: 1 while it runs; how many answers it has seen. */
  readonly control: Int32Array<SharedArrayBuffer>;
}

function produce(given: Production): void {
  const { control, chains, kick, answers, stride } = given;
  const words = new Int32Array(given.memory);
  const index = new Uint16Array(given.memory);
  const available = given.availableIndex / 2;
  let seen = 0;
  Atomics.store(index, available, chains & 0xffff);
  signalEventfd(kick);
  while (Atomics.load(control, 0) === 1) {
    const before = seen;
    // Not for ever: whoever stops it has to be heard.
    while (seen - before < chains) {
      const at = (answers + stride * (seen % chains)) / 4;
      if (Atomics.load(words, at) === UNANSWERED) break;
      Atomics.store(words, at, UNANSWERED);
      seen++;
      Atomics.store(index, available, (seen + chains) & 0xffff);
    }
    if (seen === before) continue;
    Atomics.store(control, 1, seen);
    signalEventfd(kick);
  }
}

if (typeof self.postMessage === "function" && self.name === "producer") {
  self.onmessage = (event: MessageEvent<Production>): void => {
    produce(event.data);
    self.postMessage("stopped");
  };
}
