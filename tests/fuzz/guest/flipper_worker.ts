/**
 * The worker of flipper.ts.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { type FlipperStart, Flips, FlipState } from "./flipper.ts";

/** Changes between two looks at the state. */
const BURST = 16;

self.onmessage = ({ data }: MessageEvent<FlipperStart>) => {
  const { control, memory } = data;
  const { STATE, WORD, ONE, OTHER } = Flips;
  const { RESTING, ASKED, GOING, STOPPING } = FlipState;
  while (Atomics.load(control, STATE) !== FlipState.ENDING) {
    Atomics.wait(control, STATE, RESTING);
    if (Atomics.compareExchange(control, STATE, ASKED, GOING) !== ASKED) {
      continue;
    }
    const word = control[WORD]!;
    const one = control[ONE]!;
    const other = control[OTHER]!;
    while (Atomics.load(control, STATE) === GOING) {
      for (let i = 0; i < BURST; i++) {
        Atomics.store(memory, word, other);
        Atomics.store(memory, word, one);
      }
    }
    Atomics.compareExchange(control, STATE, STOPPING, RESTING);
  }
};
