/**
 * A server process with one engine, and the sockets that hostile guests and
 * frontends use.
 *
 * @module
 */

import type {
  NegotiateOptions,
  VhostUserFrontend,
} from "../../device/driver/vhost_user_frontend.ts";
import { freshPath, until } from "../server/test_server.ts";
import { connect, negotiated } from "../server/raw_frontend.ts";
import { CliProcess, outputOf } from "../support/server_process.ts";
import {
  DATA_QUEUES,
  MAX_SESSIONS,
  SocketCarrier,
  type SocketOptions,
} from "./carrier.ts";
import { HostileGuest } from "./hostile_guest.ts";
import type { RingKind } from "./ring.ts";

const VERSION_1 = 1n << 32n;
const INDIRECT = 1n << 28n;
const PROTOCOL_FEATURES = 1n << 30n;
const PACKED = 1n << 34n;

/** What a hostile guest negotiates: a legacy driver's features, no EVENT_IDX. */
export function featuresOf(kind: RingKind): bigint {
  return VERSION_1 | INDIRECT | (kind === "packed" ? PACKED : 0n);
}

/** What a server holds. */
export interface Footprint {
  /** Descriptors that are open. */
  readonly fds: number;
  /** Resident memory in KiB. */
  readonly memory: number;
}

/** A server process. */
export class HostileServer implements AsyncDisposable {
  /** The sockets of guests that stay, by kind of ring. */
  readonly paths: Readonly<Record<RingKind, string>>;
  /** The socket for connections that cases make. */
  readonly spare: string;
  readonly #process: CliProcess;

  private constructor(
    process: CliProcess,
    [split, packed, spare]: readonly string[],
  ) {
    this.#process = process;
    this.paths = { split: split!, packed: packed! };
    this.spare = spare!;
  }

  /**
   * Starts a server.
   *
   * @param engine name of its engine, or "auto"
   * @returns the server, when it serves
   */
  static async start(engine: string): Promise<HostileServer> {
    const paths = [freshPath(), freshPath(), freshPath()];
    const process = await CliProcess.serve([
      ...paths.map((path) => `--socket-path=${path}`),
      `--queues=${DATA_QUEUES}`,
      `--max-sessions=${MAX_SESSIONS}`,
      `--engine=${engine}`,
      "--log=error",
    ]);
    return new HostileServer(process, paths);
  }

  /** What the server wrote on standard error. */
  get errors(): string {
    return this.#process.stderr;
  }

  /** Connects to the spare socket, and negotiates nothing. */
  connect(): Promise<VhostUserFrontend> {
    return connect(this.spare);
  }

  /** The same, and negotiates protocol features: all when left out. */
  negotiated(protocolFeatures?: bigint): Promise<VhostUserFrontend> {
    return negotiated(this.spare, protocolFeatures);
  }

  /**
   * Connects a guest's frontend.
   *
   * @param kind the kind of its rings
   * @param options its memory
   * @param path the socket: the spare one when left out
   * @returns the carrier, whose features are a legacy driver's
   */
  carrier(
    kind: RingKind,
    options: SocketOptions & NegotiateOptions = {},
    path = this.spare,
  ): Promise<SocketCarrier> {
    const features = featuresOf(kind) | PROTOCOL_FEATURES;
    return SocketCarrier.connect(path, { features, ...options });
  }

  /**
   * Connects a guest.
   *
   * @param kind the kind of its rings
   * @param options its memory
   * @param path the socket: the spare one when left out
   * @returns the guest, with all queues started
   */
  async guest(
    kind: RingKind,
    options: SocketOptions = {},
    path = this.spare,
  ): Promise<HostileGuest> {
    const carrier = await this.carrier(kind, options, path);
    try {
      return await HostileGuest.open(carrier, kind);
    } catch (error) {
      await carrier.close();
      throw error;
    }
  }

  /**
   * What the server holds, with nobody at the spare socket.
   *
   * @param mostFds what it is waited for: as many descriptors, or fewer
   */
  async footprint(mostFds = Infinity): Promise<Footprint> {
    const frontend = await this.connect();
    await frontend.getFeatures();
    let fds = 0;
    await until("the server's descriptors to be closed", async () => {
      fds = await this.#process.openFds();
      return fds <= mostFds;
    });
    const status = await outputOf("cat", `/proc/${this.#process.pid}/status`);
    await frontend.close();
    return { fds, memory: Number(/VmRSS:\s+(\d+)/.exec(status)![1]) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }
}
