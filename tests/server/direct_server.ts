/**
 * A connection and its device without the sockets and the poll loop of a
 * server, for tests that look into the device.
 *
 * @module
 */

import { VhostUserChannel } from "../../device/driver/vhost_user_channel.ts";
import { VhostUserFrontend } from "../../device/driver/vhost_user_frontend.ts";
import { FdWaiter } from "../../device/host/fd_waiter.ts";
import { POLLIN } from "../../device/host/poll.ts";
import type { DeviceOptions } from "../../device/service/device_core.ts";
import { Connection } from "../../device/vhost_user/connection.ts";
import { SocketIo } from "../../device/vhost_user/socket.ts";
import { VhostUserDevice } from "../../device/vhost_user/vhost_user_device.ts";
import { socketPair } from "../vhost_user/bytes.ts";

/** Serves one connection of a device. Its control queue is not kicked. */
export class DirectServer implements AsyncDisposable {
  readonly device: VhostUserDevice;
  readonly connection: Connection;
  /** The other end. */
  readonly frontend: VhostUserFrontend;
  /** What was logged, errors and warnings. */
  readonly log: string[] = [];
  readonly #waiter = new FdWaiter();
  readonly #loop: Promise<void>;

  /** @param options how the device is made; one data queue, if not said */
  constructor(options: DeviceOptions = {}) {
    const [ours, theirs] = socketPair();
    const write = (message: string) => {
      this.log.push(message);
    };
    const log = { error: write, warn: write, info() {}, debug() {} };
    this.device = new VhostUserDevice({ queues: 1, ...options }, log);
    this.connection = new Connection(ours, this.device, new SocketIo(), log);
    this.frontend = new VhostUserFrontend(
      new VhostUserChannel(theirs, { timeoutMs: 20_000 }),
    );
    this.#loop = this.#serve();
  }

  async #serve(): Promise<void> {
    while (!this.connection.closed) {
      const ready = await this.#waiter.wait([this.connection.fd], POLLIN, 100);
      if (ready.length > 0) await this.connection.pump();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.frontend.close();
    await this.#loop;
    await this.connection.close();
    await this.#waiter.close();
    await this.device.close();
  }
}
