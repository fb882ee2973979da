/**
 * What a guest asks of a served device: good requests of several algorithms,
 * and wrong ones.
 *
 * @module
 */

import { CryptoDriver } from "../../device/driver/driver.ts";
import { operationRequest } from "../../device/driver/operation.ts";
import type { RequestBytes } from "../../device/driver/requests.ts";
import type { Session } from "../../device/driver/session.ts";
import {
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import { MODES, RING } from "../layouts/layouts.ts";
import { changed, type Changes } from "../layouts/raw.ts";

const KEY = new Uint8Array(16).fill(7);
const IV = new Uint8Array(16).fill(1);
const NONCE = new Uint8Array(12).fill(2);

const CIPHER: SessionOptions = {
  service: "cipher",
  algorithm: "aes-cbc",
  key: KEY,
  direction: "encrypt",
};

/** le32 fields of the request in v15's layout, header included. */
const OPCODE = 0;
const SESSION_LOW = 8;
const SOURCE_LENGTH = 40;
const DESTINATION_LENGTH = 44;

/** What a wrong request is, and the status it gets. */
interface Wrong {
  readonly status: string;
  readonly changes: Changes;
}

/** Changes of a good AES-CBC encryption of 64 bytes. */
export const WRONG: readonly Wrong[] = [
  { status: "ERR", changes: { [DESTINATION_LENGTH]: 12 } },
  { status: "INVSESS", changes: { [SESSION_LOW]: 4711 } },
  { status: "NOTSUPP", changes: { [OPCODE]: 0x1234 } },
  { status: "ERR", changes: { [SOURCE_LENGTH]: 60 } },
];

/** A guest's driver with sessions of its own. */
export class GuestLoad implements AsyncDisposable {
  readonly #driver: CryptoDriver;
  readonly #sessions: readonly Session[];
  readonly #opener: Session;
  readonly #good: RequestBytes;

  private constructor(
    driver: CryptoDriver,
    sessions: readonly Session[],
    opener: Session,
  ) {
    this.#driver = driver;
    this.#sessions = sessions;
    this.#opener = opener;
    const parameters = sessionParameters(CIPHER);
    this.#good = operationRequest(
      driver.dataLayout(OPCODE),
      { parameters, sessionId: sessions[0]!.id },
      { data: new Uint8Array(64), iv: IV },
    ).bytes;
  }

  /**
   * Attaches a guest that speaks v15 to a socket.
   *
   * @param path the socket
   * @returns the guest
   */
  static async attach(path: string): Promise<GuestLoad> {
    const transport = await VhostUserTransport.connect(path, {
      features: RING | MODES,
    });
    const driver = await CryptoDriver.attach(transport);
    const sessions = [
      await driver.createSession(CIPHER),
      await driver.createSession({ ...CIPHER, algorithm: "aes-ctr" }),
      await driver.createSession({
        service: "mac",
        algorithm: "hmac-sha256",
        key: KEY,
        resultLength: 32,
      }),
      await driver.createSession({
        service: "aead",
        algorithm: "aes-gcm",
        key: KEY,
        direction: "encrypt",
        tagLength: 16,
      }),
    ];
    const opener = await driver.createSession({
      service: "aead",
      algorithm: "aes-gcm",
      key: KEY,
      direction: "decrypt",
      tagLength: 16,
    });
    return new GuestLoad(driver, sessions, opener);
  }

  /**
   * Runs a good request of each algorithm, several times at once.
   *
   * @param times how many of each
   * @param size bytes of each
   * @param queue the data queue
   */
  async good(times: number, size: number, queue: number): Promise<void> {
    const data = new Uint8Array(size);
    await Promise.all(this.#sessions.flatMap((session) => {
      const iv = session.service === 3
        ? NONCE
        : session.service === 0
        ? IV
        : new Uint8Array(0);
      return Array.from(
        { length: times },
        () => session.run({ data, iv, queue }),
      );
    }));
  }

  /**
   * Runs a wrong request.
   *
   * @param wrong what is wrong
   * @param queue the data queue
   */
  async wrong({ changes }: Wrong, queue: number): Promise<void> {
    const { readable, writable } = changed(this.#good, changes);
    await this.#driver.submitRaw(queue, readable, writable);
  }

  /** Opens a message whose tag is another. */
  async forged(queue: number): Promise<void> {
    const data = new Uint8Array(80);
    await this.#opener.run({ data, iv: NONCE, queue }).catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#driver.close();
  }
}
