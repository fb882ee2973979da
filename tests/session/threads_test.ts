import { assert, assertEquals } from "@std/assert";
import {
  createSessionTable,
  MAX_KEY_MATERIAL,
  SessionTable,
} from "../../device/session/table.ts";
import { fieldsOf } from "../support/sessions.ts";
import type { Work } from "./publishing_worker.ts";

Deno.test("SessionTable never shows a session half changed by another thread", async () => {
  const buffer = createSessionTable(2);
  const table = new SessionTable(buffer);
  const state = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(
    new URL("./publishing_worker.ts", import.meta.url).href,
    { type: "module" },
  );
  const ended = new Promise<number>((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
  });
  const work: Work = { table: buffer, state: state.buffer };
  worker.postMessage(work);
  while (Atomics.load(state, 0) === 0) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const fields = fieldsOf();
  const key = new Uint8Array(MAX_KEY_MATERIAL);
  let read = 0;
  let missed = 0;
  const until = performance.now() + 600;
  while (performance.now() < until) {
    for (let i = 0; i < 500; i++) {
      // Of late generations: some are live, some just ended, some to come.
      const generation = Atomics.load(state, 0) + i % 3;
      const slot = i & 1;
      const length = table.read(slot, generation, fields, key);
      if (length < 0) {
        missed++;
        continue;
      }
      read++;
      const mark = (generation + slot) & 0x3f;
      const same = Object.values(fields).every((value) => value === mark) ||
        (fields.service === mark && fields.opType === mark &&
          fields.algorithm === mark && fields.op === mark &&
          fields.chainOrder === mark && fields.hashMode === mark &&
          fields.hashAlgorithm === mark && fields.resultLength === mark);
      if (
        !same || length !== mark * 12 ||
        key.subarray(0, length).some((b) => b !== mark)
      ) {
        assertEquals(
          [length, fields],
          [mark * 12, fieldsOf()],
          "half a session",
        );
      }
    }
  }
  Atomics.store(state, 1, 1);
  const generations = await ended;
  assert(read > 100, `only ${read} sessions were read, ${missed} were missed`);
  assert(generations > 100, `only ${generations} generations were published`);
});
