/**
 * A virtio-crypto device (virtio device id 20) for Deno.
 *
 * - A device: {@linkcode InProcessDevice} is one in this process.
 * - A driver: {@linkcode CryptoDriver} attaches to a device and runs operations
 *   as promises, or bare requests, well-formed or not.
 * - A server: {@linkcode VhostUserServer} serves devices to QEMU and other
 *   vhost-user frontends; {@linkcode VhostUserTransport} attaches a driver to
 *   such a server.
 * - Engines: what computes. {@linkcode defineEngine} makes one of your own,
 *   {@linkcode importEngine} brings it into the workers.
 * - Decoders: {@linkcode explainRequest} tells what the device makes of a
 *   request and why, {@linkcode parseDataRequest} and {@linkcode
 *   parseControlRequest} give its values, {@linkcode decodeConfig} those of a
 *   configuration space.
 *
 * Beside this module, `./spec` has the documents' numbers by name, and
 * `./engine` what authors of engines need.
 *
 * With `workers: 0` a device in this process needs no permission. Workers need
 * `--allow-read` of the source, or `--allow-import` of the host where this
 * module was loaded from; what is vhost-user needs `--allow-ffi` too.
 *
 * Lengths and sizes are in bytes. Errors have a class by their meaning, and a
 * message that says what could not be done, with which value.
 *
 * @example Encrypting through a device in this process
 * ```ts
 * import { CryptoDriver, InProcessDevice } from "./mod.ts";
 *
 * await using driver = await CryptoDriver.attach(
 *   new InProcessDevice({ workers: 0 }),
 * );
 * const session = await driver.createSession({
 *   service: "cipher",
 *   algorithm: "aes-cbc",
 *   key: new Uint8Array(16),
 *   direction: "encrypt",
 * });
 * const ciphertext = await session.run({
 *   iv: new Uint8Array(16),
 *   data: new Uint8Array(32),
 * });
 * console.log(ciphertext.length); // 32
 * ```
 *
 * @module
 */

// A device.
export { InProcessDevice, type InProcessOptions } from "./device/in_process.ts";
export type {
  CoreOptions,
  DeviceOptions,
} from "./device/service/device_core.ts";
export type {
  AlgorithmStatistics,
  QueueStatistics,
  RequestStatistics,
} from "./device/service/counters.ts";

// A driver.
export { CryptoDriver } from "./device/driver/driver.ts";
export type {
  DriverOptions,
  RawOptions,
} from "./device/driver/driver_options.ts";
export {
  CryptoStatusError,
  DeviceNotReadyError,
  DriverClosedError,
  OutOfGuestMemoryError,
  QueueFailedError,
  StatelessModeError,
  UsedLengthError,
  UsedRingError,
} from "./device/driver/errors.ts";
export {
  ChainSession,
  Session,
  SessionHandle,
} from "./device/driver/session.ts";
export type {
  AeadSessionOptions,
  AlgorithmChoice,
  ChainCipherOptions,
  ChainHashOptions,
  ChainOrder,
  ChainSessionOptions,
  CipherSessionOptions,
  CommonSessionOptions,
  HashSessionOptions,
  MacSessionOptions,
  ServiceName,
  SessionOptions,
} from "./device/driver/session_options.ts";
export type {
  ChainOperation,
  ChainResult,
  Operation,
} from "./device/driver/operation.ts";
export type { DataLayout, Layout } from "./device/driver/requests.ts";
export type {
  RawReadable,
  RawResult,
  RawWritable,
} from "./device/driver/raw_request.ts";
export type { BufferStyle } from "./device/driver/pending_request.ts";

// What a driver rests on: memory, rings, and what carries them to a device.
export { GuestAllocator } from "./device/driver/guest_allocator.ts";
export type { GuestRange } from "./device/driver/guest_view.ts";
export type {
  DriverRing,
  RingAddresses,
  UsedRecord,
} from "./device/driver/ring.ts";
export type {
  SessionMessages,
  Transport,
  TransportListener,
} from "./device/driver/transport.ts";
export {
  MissingFeatureError,
  VhostUserTransport,
  type VhostUserTransportOptions,
} from "./device/driver/vhost_user_transport.ts";
export {
  BackendTimeoutError,
  ConnectionClosedError,
  type ConnectOptions,
  RequestRefusedError,
  UnexpectedReplyError,
} from "./device/driver/vhost_user_channel.ts";
export type { RegionOptions } from "./device/driver/shared_guest_memory.ts";

// A server.
export {
  type ServerEvents,
  type ServerOptions,
  VhostUserServer,
} from "./device/vhost_user/server.ts";
export { SocketError } from "./device/vhost_user/listener.ts";
export { LibraryError } from "./device/host/library_error.ts";
export { WorkerError } from "./workers/queue_worker.ts";
export {
  consoleLog,
  type Log,
  LOG_LEVELS,
  type LogLevel,
} from "./device/log.ts";

// What a server shows of itself.
export type * from "./device/vhost_user/snapshot.ts";
export type { RequestLayout } from "./device/spec/request_layout.ts";
export type { LoggedRequest } from "./device/service/request_log.ts";
export { RequestLogReader } from "./device/service/request_log_reader.ts";

// Engines.
export {
  type Algorithm,
  type AlgorithmKind,
  type AlgorithmName,
  ALGORITHMS,
  type ChainPart,
  type Context,
  defineEngine,
  type Direction,
  type Engine,
  type EngineAlgorithm,
  type EngineChoice,
  type EngineDefinition,
  EngineError,
  type EngineInput,
  type EngineModule,
  type EngineName,
  type EngineOptions,
  GuestMemory,
  importEngine,
  type InPlaceCipher,
  type Job,
  type JobMemory,
  MAX_MEMORY_REGIONS,
  type MemoryRegion,
  type PreparedOperation,
  type Runner,
  type SegmentTable,
  type Sizes,
  type Span,
} from "./engine.ts";

// Decoders.
export {
  decodeConfig,
  type DeviceConfig,
  type Negotiated,
  type OperationParameters,
  parseControlRequest,
  parseDataRequest,
  type ParsedChain,
  type ParsedControlRequest,
  type ParsedDataRequest,
  RequestFormatError,
  type SessionParameters,
  type SpecName,
} from "./spec.ts";
export {
  type ExplainOptions,
  explainRequest,
  type Explanation,
  type QueueName,
  RefusedSessionError,
} from "./device/commands/decode/explain.ts";
export type { Problem } from "./device/explain/problem.ts";
