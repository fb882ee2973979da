/**
 * The thread of a {@linkcode Racer}.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { RacerControl, type RacerTask } from "./racer.ts";

const AVAIL = 1 << 7;
const USED = 1 << 15;

/** Steps after which it looks whether to stop. */
const STEPS = 64;

/** One step of a task; returns how many writes it made. */
function stepOf(task: RacerTask): () => number {
  const { memory, offset } = task;
  const view = new DataView(memory, offset);
  switch (task.does) {
    case "flip": {
      const { fields, values } = task;
      const right = fields.map((at) => view.getUint32(at, true));
      let n = 0;
      return () => {
        const at = n++ % fields.length;
        const value = values[n % values.length]!;
        view.setUint32(fields[at]!, value, true);
        view.setUint32(fields[at]!, right[at]!, true);
        return 2;
      };
    }
    case "fill split": {
      const { available, used, size, head } = task;
      const entries = new Uint16Array(memory, offset + available, 2 + size);
      const index = new Uint16Array(memory, offset + used, 2);
      entries.fill(head, 2);
      let last = Atomics.load(entries, 1);
      return () => {
        const next = (Atomics.load(index, 1) + size) & 0xffff;
        const count = (next - last) & 0xffff;
        Atomics.store(entries, 1, next);
        last = next;
        return count;
      };
    }
    case "fill packed": {
      const { ring, size, address, length, flags } = task;
      const words = new Uint32Array(memory, offset + ring, 4 * size);
      let at = 0;
      let wrap = true;
      let first = true;
      return () => {
        const word = 4 * at;
        const now = Atomics.load(words, word + 3) >>> 16 & (AVAIL | USED);
        // Used in the round before, or never available yet.
        if (!first && now !== (wrap ? 0 : AVAIL | USED)) return 0;
        view.setBigUint64(ring + 16 * at, BigInt(address), true);
        view.setUint32(ring + 16 * at + 8, length, true);
        const made = flags | (wrap ? AVAIL : USED);
        Atomics.store(words, word + 3, made << 16 | at);
        if (++at === size) {
          at = 0;
          wrap = !wrap;
          first = false;
        }
        return 1;
      };
    }
  }
}

self.onmessage = ({ data }: MessageEvent<RacerTask>): void => {
  const control = new Int32Array(data.control);
  const step = stepOf(data);
  while (Atomics.load(control, RacerControl.STOP) === 0) {
    let writes = 0;
    for (let i = 0; i < STEPS; i++) writes += step();
    Atomics.add(control, RacerControl.WRITES, writes);
  }
  self.postMessage("ended");
};
