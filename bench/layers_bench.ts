/**
 * The layers of the path, each alone: ring, decoding, session lookup. What an
 * iteration does is done for 64 requests. The baseline of a group is the least
 * that the layer's work can be: plain accesses to as many words of memory.
 *
 * @module
 */

import { SegmentCursor, SegmentTable } from "../device/memory/segments.ts";
import { Capabilities } from "../device/service/capabilities.ts";
import { ContextCache } from "../device/session/context_cache.ts";
import { SessionRegistry } from "../device/session/registry.ts";
import { createSessionTable, SessionTable } from "../device/session/table.ts";
import { decodeDataRequest } from "../device/spec/data_decoder.ts";
import { DATA_FIXED_MAX, DataRequest } from "../device/spec/data_request.ts";
import { requestLayout } from "../device/spec/request_layout.ts";
import type { DataLayout } from "../device/driver/requests.ts";
import { Chain } from "../device/virtqueue/chain.ts";
import { openRing } from "../device/virtqueue/open_ring.ts";
import { NobleEngine } from "../device/engine/noble.ts";
import { Load } from "./support/load.ts";
import { LoadMemory } from "./support/load_memory.ts";
import { operationOf, requestOf, sessionOf } from "./support/operations.ts";

const DEPTH = 64;
const BATCHES = [1, DEPTH];
const operation = operationOf("aes-cbc", 64);
const session = sessionOf(operation);

function check(what: string, holds: boolean): void {
  if (!holds) throw new Error(`Cannot measure ${what}: it goes wrong`);
}

// Ring: take a batch, put it back, publish it once.
for (const format of ["split", "packed"] as const) {
  for (const batch of BATCHES) {
    const group = `ring, ${format}, ${DEPTH} requests in batches of ${batch}`;
    const words = new Uint16Array(new SharedArrayBuffer(64 * 1024));
    let position = 0;
    // Of each request: an index, five descriptors of eight words, an answer.
    Deno.bench({
      name: "plain loads and stores",
      group,
      baseline: true,
      fn() {
        let sum = 0;
        for (let i = 0; i < DEPTH; i++) {
          position = (position + 64) & 0x7fff;
          for (let at = 0; at < 41; at++) sum += words[position + at]!;
          for (let at = 48; at < 52; at++) words[position + at] = sum;
        }
        for (let i = 0; i < DEPTH; i += batch) Atomics.store(words, 0, sum);
      },
    });
    for (const indirect of [true, false]) {
      const memory = new LoadMemory();
      const load = new Load(
        memory,
        operation,
        () => requestOf(operation, session, 0n),
        { format, indirect, slots: DEPTH },
      );
      const ring = openRing(memory.memory, load.ring.setup);
      const segments = new SegmentTable(8 * DEPTH);
      const chains = Array.from({ length: DEPTH }, () => new Chain());
      const run = (): void => {
        for (let done = 0; done < DEPTH; done += batch) {
          load.ring.offer(batch);
          segments.clear();
          for (let i = 0; i < batch; i++) ring.take(chains[i]!, segments);
          for (let i = 0; i < batch; i++) {
            ring.put(chains[i]!, chains[i]!.writableLength);
          }
          ring.publish();
        }
      };
      run();
      const { readableLength, writableLength } = chains[0]!;
      check(
        group,
        load.ring.isDone() && readableLength === 72 + 16 + 64 &&
          writableLength === 64 + 1,
      );
      Deno.bench({
        name: `take, put, publish; ${indirect ? "indirect" : "direct"}`,
        group,
        fn: run,
      });
    }
  }
}

// Decoding: header and fixed part into a request record, out of guest memory
// where they lie, or after a copy where a header is cut.
const services = 0b1111;
const LAYOUTS: readonly (readonly [DataLayout, "v15" | "1.4", bigint])[] = [
  ["legacy", "v15", 0n],
  ["v15", "v15", 0b11110n],
  ["revision1", "1.4", 1n],
  ["revision1-stateless", "1.4", 0b11111n],
];
{
  const group = `decode, ${DEPTH} requests`;
  const memory = new LoadMemory();
  const segments = new SegmentTable(8 * DEPTH);
  const cursor = new SegmentCursor(memory.memory, segments);
  const head = new Uint8Array(Math.ceil(DATA_FIXED_MAX / 4) * 4);
  const words = new Uint32Array(head.buffer);
  const request = new DataRequest();
  LAYOUTS.forEach(([layout, spec, features], index) => {
    const { readable } = requestOf(operation, session, 5n << 32n, layout);
    const [fixed] = readable;
    const { length } = fixed!;
    const first = segments.count;
    const at = memory.allocate(length);
    const guest = memory.bytes(at, length);
    guest.set(fixed!);
    segments.push(0, memory.memory.offsetIn(0, at), length);
    if (index === 0) {
      Deno.bench({
        name: "the copy alone",
        group,
        baseline: true,
        fn() {
          for (let i = 0; i < DEPTH; i++) {
            cursor.seek(first);
            cursor.readWords(words, head, length);
          }
        },
      });
    }
    const negotiated = requestLayout(spec, services, features, false);
    const inPlace = new Uint32Array(guest.buffer, 0);
    const wordAt = guest.byteOffset >> 2;
    const ways: Readonly<Record<string, () => number>> = {
      "in place"() {
        let status = 0;
        for (let i = 0; i < DEPTH; i++) {
          status |= decodeDataRequest(
            inPlace,
            wordAt,
            length,
            negotiated,
            request,
          );
        }
        return status;
      },
      "after a copy"() {
        let status = 0;
        for (let i = 0; i < DEPTH; i++) {
          cursor.seek(first);
          cursor.readWords(words, head, length);
          status |= decodeDataRequest(words, 0, length, negotiated, request);
        }
        return status;
      },
    };
    for (const [way, run] of Object.entries(ways)) {
      check(
        `${group}, ${layout}, ${way}`,
        run() === 0 && request.sourceLength === 64 &&
          request.ivLength === 16 && request.sessionHigh === 5,
      );
      Deno.bench({
        name: `${layout}, ${way}`,
        group,
        fn() {
          run();
        },
      });
    }
  });
}

// Session lookup: from an id to a prepared context.
{
  const group = `session lookup, ${DEPTH} requests`;
  const SESSIONS = 100_000;
  const capabilities = new Capabilities([new NobleEngine()]);
  const table = new SessionTable(createSessionTable(SESSIONS));
  const registry = new SessionRegistry(table);
  const ids = Array.from(
    { length: SESSIONS },
    () => registry.create(session, session.key)!,
  );
  const lows = Int32Array.from(ids, ({ low }) => low);
  const highs = Int32Array.from(ids, ({ high }) => high);
  const map = new Map(ids.map((id) => [id.low, id]));
  Deno.bench({
    name: "a Map",
    group,
    baseline: true,
    fn() {
      for (let i = 0; i < DEPTH; i++) {
        if (map.get(lows[i]!)?.high !== highs[i]) throw new Error("Not found");
      }
    },
  });
  const prepare = (
    parameters: Parameters<Capabilities["prepare"]>[0],
    key: Uint8Array,
  ) => capabilities.prepare(parameters, key);
  for (const active of [1, DEPTH, 1024]) {
    const cache = new ContextCache(table, 1024, prepare);
    let next = 0;
    const run = (): void => {
      for (let i = 0; i < DEPTH; i++) {
        const which = (next + i) % active;
        const found = cache.get(lows[which]!, highs[which]!);
        if (found?.low !== lows[which]) throw new Error("Not found");
      }
      next = (next + DEPTH) % active;
    };
    run();
    Deno.bench({
      name: `the cache, ${active} active of ${SESSIONS}`,
      group,
      fn: run,
    });
  }
  const cache = new ContextCache(table, 1024, prepare);
  let next = 0;
  Deno.bench({
    name: "the cache, each for the first time in long",
    group,
    fn() {
      for (let i = 0; i < DEPTH; i++) {
        cache.get(lows[next]!, highs[next]!);
        next = (next + 1) % SESSIONS;
      }
    },
  });
}
