/**
 * For authors of engines: what computes the algorithms of a device.
 *
 * {@linkcode defineEngine} makes an engine of a function for each algorithm,
 * which works on private memory and needs to know nothing of virtio. The
 * module that exports it imports this one only, which is small, because every
 * worker imports it too; a program gives it to a device by
 * {@linkcode importEngine}.
 *
 * {@linkcode Engine} is the interface behind that, for those who want the
 * guest's memory itself, or batches of jobs. A definition of one's own then has
 * a name and an `open()` that makes the engine; and the engine answers for what
 * the device else does:
 *
 * - `run` reads each byte of a source once: a hostile guest changes it meanwhile
 * - it writes a result when all of it is known, and plaintext of an AEAD after
 *   its tag was verified, on a private copy
 * - `run` does not throw, nor `prepare` for what `serves` said: an exception
 *   ends the worker of the queue
 * - a context names the engine itself, and a group below `groups`, which stays
 *   what it was when the engine was made
 * - `wipe` of a context overwrites the key and all that was derived from it;
 *   `wipe` of the engine all that is left of data
 * - a job whose lengths are not legal is failed, though callers have looked
 *
 * @example The module of an engine that computes SHA-1 by node:crypto
 * ```ts
 * import { createHash } from "node:crypto";
 * import { defineEngine } from "./engine.ts";
 *
 * export default defineEngine({
 *   name: "node-sha1",
 *   algorithms: {
 *     "sha1": {
 *       prepare: () => ({
 *         run: ({ source }) => createHash("sha1").update(source).digest(),
 *       }),
 *     },
 *   },
 * });
 * ```
 *
 * @module
 */

export { defineEngine, type EngineOptions } from "./device/engine/custom.ts";
export type * from "./device/engine/custom/algorithm.ts";
export {
  type EngineChoice,
  type EngineDefinition,
  EngineError,
  type EngineModule,
  importEngine,
} from "./device/engine/definition.ts";

export {
  type Algorithm,
  type AlgorithmKind,
  type AlgorithmName,
  ALGORITHMS,
  type Direction,
  hasSize,
  type Sizes,
} from "./device/engine/algorithm.ts";

export {
  ChainPart,
  type Context,
  type Engine,
  type EngineName,
  type InPlaceCipher,
  Job,
  type JobMemory,
  JobOutcome,
  type Runner,
} from "./device/engine/engine.ts";
export { SegmentCursor, SegmentTable, Span } from "./device/memory/segments.ts";
export {
  GuestMemory,
  MAX_MEMORY_REGIONS,
  type MemoryRegion,
} from "./device/memory/guest_memory.ts";
