/**
 * A virtio-crypto device (virtio device id 20) for Deno.
 *
 * - {@linkcode InProcessDevice} is a device in this process;
 *   {@linkcode CryptoDriver} attaches to it and runs operations as promises.
 * - {@linkcode VhostUserServer} serves devices to QEMU and other vhost-user
 *   frontends; {@linkcode VhostUserTransport} attaches a driver to such a
 *   server.
 *
 * With `workers: 0` a device in this process needs no permission. With workers
 * it needs `--allow-read` of the source, and what is vhost-user needs
 * `--allow-ffi` and `--allow-read`.
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

export { CryptoDriver } from "./device/driver/driver.ts";
export type {
  DriverOptions,
  RawOptions,
} from "./device/driver/driver_options.ts";
export * from "./device/driver/errors.ts";
export * from "./device/driver/session.ts";
export type * from "./device/driver/session_options.ts";
export type * from "./device/driver/algorithm_choice.ts";
export type * from "./device/driver/operation.ts";
export type * from "./device/driver/requests.ts";
export type * from "./device/driver/raw_request.ts";
export type * from "./device/driver/pending_request.ts";
export type * from "./device/driver/guest_view.ts";
export type * from "./device/driver/ring.ts";
export type * from "./device/driver/transport.ts";
export { GuestAllocator } from "./device/driver/guest_allocator.ts";
export {
  GuestMemory,
  MAX_MEMORY_REGIONS,
  type MemoryRegion,
} from "./device/memory/guest_memory.ts";

export {
  type ServerOptions,
  VhostUserServer,
} from "./device/vhost_user/server.ts";
export type * from "./device/vhost_user/snapshot.ts";
export type { LoggedRequest } from "./device/service/request_log.ts";
export { RequestLogReader } from "./device/service/request_log_reader.ts";
export {
  MissingFeatureError,
  VhostUserTransport,
  type VhostUserTransportOptions,
} from "./device/driver/vhost_user_transport.ts";
export type { ConnectOptions } from "./device/driver/vhost_user_channel.ts";
export type { RegionOptions } from "./device/driver/shared_guest_memory.ts";
export {
  consoleLog,
  type Log,
  LOG_LEVELS,
  type LogLevel,
} from "./device/log.ts";

export type {
  Algorithm,
  AlgorithmKind,
  AlgorithmName,
  Direction,
  Sizes,
} from "./device/engine/algorithm.ts";
export type { EngineName } from "./device/engine/engine.ts";
export type { RequestLayout, SpecName } from "./device/spec/request_layout.ts";
export type {
  OperationParameters,
  SessionParameters,
} from "./device/spec/session_parameters.ts";
export { decodeConfig, type DeviceConfig } from "./device/spec/config.ts";
