/**
 * A driver at a vhost-user backend whose rings can be stopped and started
 * again underneath it.
 *
 * @module
 */

import { CryptoDriver } from "../../device/driver/driver.ts";
import type { DriverOptions } from "../../device/driver/driver_options.ts";
import type {
  RingFds,
  VhostUserFrontend,
} from "../../device/driver/vhost_user_frontend.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import { TestServer } from "../server/test_server.ts";

/** A server and its driver, both ended at the end of the block. */
export class Backend implements AsyncDisposable {
  readonly driver: CryptoDriver;
  readonly frontend: VhostUserFrontend;
  readonly server: TestServer;
  readonly #fds: ReadonlyMap<number, RingFds>;

  private constructor(
    server: TestServer,
    driver: CryptoDriver,
    frontend: VhostUserFrontend,
    fds: ReadonlyMap<number, RingFds>,
  ) {
    this.server = server;
    this.driver = driver;
    this.frontend = frontend;
    this.#fds = fds;
  }

  /**
   * Starts a server of one data queue, and attaches a driver.
   *
   * @param features the features that are negotiated
   * @param options the driver's
   * @returns both
   */
  static async start(
    features: bigint,
    options: DriverOptions,
  ): Promise<Backend> {
    const server = new TestServer();
    const transport = await VhostUserTransport.connect(server.path, {
      features,
    });
    const { frontend } = transport;
    const fds = new Map<number, RingFds>();
    const startRing = frontend.startRing.bind(frontend);
    frontend.startRing = async (index, ring) => {
      const made = await startRing(index, ring);
      fds.set(index, made);
      return made;
    };
    const driver = await CryptoDriver.attach(transport, options);
    return new Backend(server, driver, frontend, fds);
  }

  /**
   * Stops a ring.
   *
   * @param index number of the queue
   * @returns where it stands
   */
  async stop(index: number): Promise<number> {
    return await this.frontend.getVringBase(index);
  }

  /**
   * Starts a ring that was stopped.
   *
   * @param index number of the queue
   * @param base where to go on
   */
  async go(index: number, base: number): Promise<void> {
    await this.frontend.setVringBase(index, base);
    await this.frontend.setVringKick(index, this.#fds.get(index)!.kick);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.driver.close();
    await this.server[Symbol.asyncDispose]();
  }
}
