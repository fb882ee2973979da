/**
 * The parts of a device that do not depend on what carries its queues: what it
 * offers, its sessions, and what its data queues are made of.
 *
 * @module
 */

import {
  type EngineChoice,
  type EngineSource,
  engineSources,
} from "../engine/definition.ts";
import { ENGINE_NAMES, openEngines } from "../engine/engines.ts";
import { SessionRegistry } from "../session/registry.ts";
import { createSessionTable, SessionTable } from "../session/table.ts";
import {
  VIRTIO_F_IN_ORDER,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_VERSION_1,
} from "../spec/constants.ts";
import {
  offeredFeatures,
  type RequestLayout,
  requestLayout,
  SPEC_NAMES,
  type SpecName,
} from "../spec/request_layout.ts";
import { serviceBits, type ServiceName } from "../spec/services.ts";
import { Capabilities } from "./capabilities.ts";
import { QueueCounters } from "./counters.ts";
import type { DataQueueOptions } from "./data_queue.ts";
import { createRequestLog } from "./request_log.ts";
import { SessionService } from "./session_service.ts";
import {
  clockStart,
  MAX_LIMIT,
  Throttle,
  type ThrottleSetup,
} from "./throttle.ts";

/** What a device can be given. Sizes are in bytes. */
export interface DeviceOptions {
  /** Number of data queues, 1 to 255; 2 when left out. */
  readonly queues?: number | undefined;
  /**
   * Engines to use, the preferred one first: built-in ones by name, and your
   * own. Of built-in ones next to each other, those that can be loaded share
   * the work, each job going to the fastest; one alone has to be there. An
   * engine of your own gets all that it serves and no engine before it does.
   * Algorithms that none of them serves are not advertised. All built-in ones
   * when left out.
   */
  readonly engines?: readonly EngineChoice[] | undefined;
  /**
   * The document whose features are offered; "v15" when left out. A legacy
   * driver is served under each.
   */
  readonly spec?: SpecName | undefined;
  /**
   * Services to offer, as far as an engine serves them; all when left out.
   * What belongs to the others is missing from crypto_services, the masks and
   * the feature bits, and is answered by NOTSUPP. A chain needs its hash or MAC
   * offered beside the CIPHER service.
   */
  readonly services?: readonly ServiceName[] | undefined;
  /** Largest content of a request, 1 to 2^30; 16 MiB when left out. */
  readonly maxSize?: number | undefined;
  /** Most sessions at a time, 1 to 2^20; 4096 when left out. */
  readonly maxSessions?: number | undefined;
  /**
   * Most prepared sessions each data queue keeps, up to 2^20, and 256 in any
   * case; 1024 when left out.
   */
  readonly maxContexts?: number | undefined;
  /** How long a queue looks for work before it sleeps, in µs; 0 when left out. */
  readonly pollUs?: number | undefined;
  /**
   * Requests a second that all data queues together serve, 1 to 2^40; any
   * number when left out. What 100 ms bring may come at once.
   */
  readonly limitOps?: number | undefined;
  /**
   * Bytes a second, 1 to 2^40, of the requests' readable and writable parts;
   * any number when left out. A request larger than what is left is served, and
   * the following ones wait the longer.
   */
  readonly limitBytes?: number | undefined;
}

/** What a device can be given beside that by what carries its queues. */
export interface CoreOptions extends DeviceOptions {
  /**
   * Requests that the log of each data queue holds, rounded up to a power of
   * two, 1024 at least; no log when left out. It costs some 200 bytes a request
   * once something is logged.
   */
  readonly logRecords?: number | undefined;
}

/** Most data queues: vhost-user's ring messages carry 8 bits of index. */
export const MAX_DATA_QUEUES = 255;

/** Largest max_size that can be asked for. */
export const MAX_MAX_SIZE = 1 << 30;

/** What options become. */
interface Settings {
  readonly queues: number;
  readonly engines: readonly EngineChoice[];
  readonly spec: SpecName;
  /** Services that were asked for, one bit each. */
  readonly services: number;
  readonly maxSize: number;
  readonly maxSessions: number;
  readonly maxContexts: number;
  readonly pollUs: number;
}

/** A limit, which may be left out. */
function limit(name: string, value: number | undefined): number | undefined {
  return value === undefined
    ? undefined
    : bounded(name, value, value, 1, MAX_LIMIT);
}

function bounded(
  name: string,
  value: number | undefined,
  standard: number,
  min: number,
  max: number,
): number {
  const given = value ?? standard;
  if (!Number.isInteger(given) || given < min || given > max) {
    throw new RangeError(
      `Cannot make a device with ${name} ${given}: ${min} to ${max} are possible`,
    );
  }
  return given;
}

function knownSpec(spec: SpecName): SpecName {
  if (SPEC_NAMES.includes(spec)) return spec;
  throw new RangeError(
    `Cannot make a device with spec ${spec}: ${
      SPEC_NAMES.join(" or ")
    } is possible`,
  );
}

/**
 * The generation that sessions begin with, below 2^30. It is another one for
 * each device: a driver that outlives a server still uses ids of the last one,
 * and they must not be those of sessions with other keys.
 */
function firstGeneration(): number {
  const [word] = crypto.getRandomValues(new Uint32Array(1));
  return 1 + (word! >>> 2);
}

/** A device without a transport. Main thread only. */
export class DeviceCore {
  /** The options, with what was left out filled in. */
  readonly settings: Settings;
  /** What the engines serve. */
  readonly capabilities: Capabilities;
  /** The configuration space. */
  readonly config: Uint8Array<ArrayBuffer>;
  /** Feature bits offered: the device type's and those of its rings. */
  readonly features: bigint;
  /** The sessions. */
  readonly sessions: SessionService;
  /** The counters of each data queue that was made. */
  readonly counters: QueueCounters[] = [];
  /** The request log of each data queue that was made, where they have any. */
  readonly logs: SharedArrayBuffer[] = [];
  readonly #logRecords: number | undefined;
  readonly #table: SharedArrayBuffer;
  readonly #throttle: ThrottleSetup | undefined;
  readonly #positions: SharedArrayBuffer[] = [];

  /**
   * @param options the device's options
   * @param retired called after sessions ended: whoever holds contexts of them
   * is to be woken
   * @throws {RangeError} An option is out of its range
   * @throws {LibraryError} A built-in engine that was named cannot be loaded
   * @throws {EngineError} An engine of one's own cannot be made
   */
  constructor(options: CoreOptions, retired: () => void) {
    this.#logRecords = options.logRecords;
    const settings: Settings = {
      queues: bounded("queues", options.queues, 2, 1, MAX_DATA_QUEUES),
      engines: options.engines ?? ENGINE_NAMES,
      spec: knownSpec(options.spec ?? "v15"),
      services: serviceBits(options.services),
      maxSize: bounded(
        "maxSize",
        options.maxSize,
        16 << 20,
        1,
        MAX_MAX_SIZE,
      ),
      maxSessions: bounded(
        "maxSessions",
        options.maxSessions,
        4096,
        1,
        1 << 20,
      ),
      maxContexts: bounded(
        "maxContexts",
        options.maxContexts,
        1024,
        1,
        1 << 20,
      ),
      pollUs: bounded("pollUs", options.pollUs, 0, 0, 1_000_000),
    };
    this.settings = settings;
    this.#throttle = Throttle.setup(
      limit("limitOps", options.limitOps),
      limit("limitBytes", options.limitBytes),
    );
    this.capabilities = new Capabilities(
      openEngines(settings.engines),
      settings.services,
    );
    this.config = this.capabilities.config(settings.queues, settings.maxSize);
    this.features = 1n << BigInt(VIRTIO_F_VERSION_1) |
      1n << BigInt(VIRTIO_F_RING_INDIRECT_DESC) |
      1n << BigInt(VIRTIO_F_RING_EVENT_IDX) |
      1n << BigInt(VIRTIO_F_RING_PACKED) |
      1n << BigInt(VIRTIO_F_IN_ORDER) |
      offeredFeatures(settings.spec, this.capabilities.services);
    this.#table = createSessionTable(settings.maxSessions);
    this.sessions = new SessionService(
      new SessionRegistry(new SessionTable(this.#table), firstGeneration()),
      this.capabilities,
      { maxSize: settings.maxSize, dataQueues: settings.queues },
      retired,
    );
  }

  /**
   * The engines as plain data, for the threads that serve data queues.
   *
   * @returns the choices, in order
   * @throws {TypeError} No module is known of one
   */
  engineSources(): readonly EngineSource[] {
    return engineSources(this.settings.engines);
  }

  /**
   * The layout of requests that follows from a negotiation.
   *
   * @param features the negotiated feature bits
   * @param sessionMessages whether the frontend makes sessions by message
   * @returns plain data, for whoever decodes requests
   */
  layout(features: bigint, sessionMessages: boolean): RequestLayout {
    const { services } = this.capabilities;
    return requestLayout(
      this.settings.spec,
      services,
      features,
      sessionMessages,
    );
  }

  /**
   * What a data queue is made of. Its counters go on where the same queue's
   * were before.
   *
   * @param index number of the queue
   * @returns plain data, for the thread that serves it
   */
  queueOptions(index: number): DataQueueOptions {
    const counters = this.counters[index] ??= new QueueCounters();
    return {
      sessions: this.#table,
      counters: counters.buffer,
      log: this.#log(index),
      position: this.#positions[index] ??= new SharedArrayBuffer(4),
      services: this.settings.services,
      maxSize: this.settings.maxSize,
      maxContexts: this.settings.maxContexts,
      throttle: this.#throttle &&
        { ...this.#throttle, clockStart: clockStart() },
    };
  }

  #log(index: number): SharedArrayBuffer | undefined {
    return this.#logRecords === undefined
      ? undefined
      : this.logs[index] ??= createRequestLog(this.#logRecords);
  }
}
