/**
 * Publishes and retires sessions of one table without pause: the writer that
 * a reader of another thread is tested against.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { SessionTable } from "../../device/session/table.ts";
import { fieldsOf } from "../support/sessions.ts";

/** What the writer is given. */
export interface Work {
  readonly table: SharedArrayBuffer;
  /** i32: the generation of slot 0 now; i32: other than 0 to stop. */
  readonly state: SharedArrayBuffer;
}

self.onmessage = ({ data }: MessageEvent<Work>) => {
  const table = new SessionTable(data.table);
  const state = new Int32Array(data.state);
  let generation = 0;
  while (Atomics.load(state, 1) === 0) {
    generation++;
    for (let slot = 0; slot < table.slots; slot++) {
      // Every field and every byte of the key follow from the generation.
      const mark = (generation + slot) & 0x3f;
      table.publish(
        slot,
        generation,
        fieldsOf({
          service: mark,
          opType: mark,
          algorithm: mark,
          op: mark,
          keyLength: mark * 8,
          chainOrder: mark,
          hashMode: mark,
          hashAlgorithm: mark,
          authKeyLength: mark * 4,
          resultLength: mark,
        }),
        new Uint8Array(mark * 12).fill(mark),
      );
    }
    Atomics.store(state, 0, generation);
    for (let slot = 0; slot < table.slots; slot++) table.retire(slot);
  }
  self.postMessage(generation);
  self.close();
};
