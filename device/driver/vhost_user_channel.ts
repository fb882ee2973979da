/**
 * The frontend's end of a vhost-user connection: messages out, replies and
 * acknowledgements in.
 *
 * @module
 */

import { FdWaiter } from "../host/fd_waiter.ts";
import { POLLIN, POLLOUT } from "../host/poll.ts";
import { encodeMessage } from "../vhost_user/encode.ts";
import { connectUnix } from "../vhost_user/listener.ts";
import {
  FramingError,
  judgeReply,
  type Message,
  MessageParser,
} from "../vhost_user/message.ts";
import { decodeU64 } from "../vhost_user/payload.ts";
import {
  FLAG_NEED_REPLY,
  FLAG_VERSION,
  U64_SIZE,
} from "../vhost_user/protocol.ts";
import { requestName } from "../vhost_user/requests.ts";
import { closeFd, closeFds, SocketIo } from "../vhost_user/socket.ts";

/** How long a backend may take to answer, in milliseconds, if not said. */
const DEFAULT_TIMEOUT_MS = 10_000;

/** How often a connection is tried again, in milliseconds. */
const RETRY_MS = 10;

const NOTHING = new Uint8Array(new ArrayBuffer(0));
const NO_FDS: readonly number[] = [];

/** The backend closed the connection, or broke off in the middle of a message. */
export class ConnectionClosedError extends Error {
  /** The name of the class. */
  override readonly name = "ConnectionClosedError";
}

/** The backend acknowledged a request with a value other than zero. */
export class RequestRefusedError extends Error {
  /** The name of the class. */
  override readonly name = "RequestRefusedError";
}

/** The backend did not answer in time, or did not read. */
export class BackendTimeoutError extends Error {
  /** The name of the class. */
  override readonly name = "BackendTimeoutError";
}

/** The backend answered something else than what it was asked. */
export class UnexpectedReplyError extends Error {
  /** The name of the class. */
  override readonly name = "UnexpectedReplyError";
}

/** How to connect. */
export interface ConnectOptions {
  /** How long to try, and how long an answer may take, in ms; 10000. */
  readonly timeoutMs?: number;
}

/** A connection to a backend. */
export class VhostUserChannel {
  /** The connected socket. */
  readonly fd: number;
  /** Whether requests without a reply of their own ask to be acknowledged. */
  acknowledged = false;
  readonly #timeoutMs: number;
  readonly #io = new SocketIo();
  readonly #parser = new MessageParser(judgeReply);
  readonly #waiter = new FdWaiter();
  /** The last exchange begun: the next one waits for it. */
  #turn: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  /**
   * Takes over a connected socket.
   *
   * @param fd a UNIX stream socket, which {@linkcode close} closes
   * @param options how long an answer may take
   */
  constructor(fd: number, options: ConnectOptions = {}) {
    this.fd = fd;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /**
   * Connects to a backend, which may be about to start.
   *
   * @param path the backend's socket
   * @param options how long to try
   * @returns the connection
   * @throws {SocketError} Nobody listened there until the time was over
   */
  static async connect(
    path: string,
    options: ConnectOptions = {},
  ): Promise<VhostUserChannel> {
    const deadline = performance.now() +
      (options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    while (true) {
      try {
        return new VhostUserChannel(connectUnix(path), options);
      } catch (error) {
        if (performance.now() + RETRY_MS > deadline) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /**
   * Sends a message as it is given, right or wrong.
   *
   * @param request number of the request
   * @param payload its payload
   * @param fds descriptors to send along; they stay open here
   * @param flags its flags: version 1 and nothing else, if not said
   * @throws {ConnectionClosedError} The backend is gone
   * @throws {BackendTimeoutError} The backend does not read
   */
  async send(
    request: number,
    payload: Uint8Array = NOTHING,
    fds: readonly number[] = NO_FDS,
    flags: number = FLAG_VERSION,
  ): Promise<void> {
    const message = encodeMessage(request, flags, payload);
    try {
      await this.sendBytes(message, fds);
    } finally {
      // It may have been a session's keys.
      message.fill(0);
    }
  }

  /**
   * Sends bytes that need not be a message, or a whole one.
   *
   * @param bytes what to send
   * @param fds descriptors to send along; they stay open here
   * @throws {ConnectionClosedError} The backend is gone
   * @throws {BackendTimeoutError} The backend does not read
   */
  async sendBytes(
    bytes: Uint8Array<ArrayBuffer>,
    fds: readonly number[] = NO_FDS,
  ): Promise<void> {
    while (true) {
      const sent = this.#io.send(this.fd, bytes, fds);
      if (sent === "sent") return;
      if (sent === "broken") {
        throw new ConnectionClosedError("Cannot send: the backend is gone");
      }
      const room = await this.#waiter.wait([this.fd], POLLOUT, this.#timeoutMs);
      if (room.length === 0) {
        throw new BackendTimeoutError(
          `Cannot send: the backend has not read for ${this.#timeoutMs} ms`,
        );
      }
    }
  }

  /**
   * Receives the next message, whatever it answers.
   *
   * @param timeoutMs how long to wait, in milliseconds
   * @returns the message; its descriptors are the caller's
   * @throws {ConnectionClosedError} The backend is gone
   * @throws {BackendTimeoutError} Nothing came in time
   * @throws {FramingError} What came is not a reply
   */
  async receive(timeoutMs: number = this.#timeoutMs): Promise<Message> {
    const deadline = performance.now() + timeoutMs;
    while (true) {
      const got = this.#io.receive(this.fd, this.#parser.space);
      if (got.kind === "closed" || got.kind === "truncated") {
        closeFds(this.#parser.abandon());
        throw new ConnectionClosedError(
          "Cannot receive: the backend closed the connection",
        );
      }
      if (got.kind === "data") {
        const result = this.#parser.received(got.length, got.fds);
        if (result instanceof FramingError) {
          closeFds(this.#parser.abandon());
          throw result;
        }
        if (result !== undefined) return result;
        continue;
      }
      const left = Math.max(0, deadline - performance.now());
      const ready = await this.#waiter.wait([this.fd], POLLIN, left);
      if (ready.length === 0) {
        throw new BackendTimeoutError(
          `Cannot receive: nothing came for ${timeoutMs} ms`,
        );
      }
    }
  }

  /**
   * Sends a request that has a reply of its own, and waits for it.
   *
   * @param request number of the request
   * @param payload its payload
   * @param fds descriptors to send along; they stay open here
   * @returns the reply's payload
   * @throws {UnexpectedReplyError} The reply is another request's
   */
  request(
    request: number,
    payload: Uint8Array = NOTHING,
    fds: readonly number[] = NO_FDS,
  ): Promise<Uint8Array<ArrayBuffer>> {
    return this.#inTurn(async () => {
      await this.send(request, payload, fds);
      return await this.#replyTo(request);
    });
  }

  /**
   * Sends a request without a reply of its own. Where acknowledgements were
   * negotiated, waits for one; else returns when it is sent, and what became of
   * it shows in later requests only.
   *
   * @param request number of the request
   * @param payload its payload
   * @param fds descriptors to send along; they stay open here
   * @throws {RequestRefusedError} The backend acknowledged with a value that is
   * not zero
   */
  set(
    request: number,
    payload: Uint8Array = NOTHING,
    fds: readonly number[] = NO_FDS,
  ): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.acknowledged) return await this.send(request, payload, fds);
      await this.send(request, payload, fds, FLAG_VERSION | FLAG_NEED_REPLY);
      const reply = await this.#replyTo(request);
      if (reply.length !== U64_SIZE) {
        throw new UnexpectedReplyError(
          `Cannot use an acknowledgement of ${reply.length} bytes for ${
            requestName(request)
          }`,
        );
      }
      const value = decodeU64(reply);
      if (value !== 0n) {
        throw new RequestRefusedError(
          `Cannot do ${requestName(request)}: the backend answered ${value}`,
        );
      }
    });
  }

  /**
   * Waits until descriptors can be read: eventfds of rings, say.
   *
   * @param fds the descriptors, which must stay open until then
   * @param timeoutMs milliseconds; -1 waits without end
   * @returns those that can be read, in the order of `fds`; none after the timeout
   */
  waitReadable(fds: readonly number[], timeoutMs: number): Promise<number[]> {
    return this.#waiter.wait(fds, POLLIN, timeoutMs);
  }

  /** Ends all waits and closes the socket. A second call changes nothing. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.#waiter.close();
      closeFds(this.#parser.abandon());
      closeFd(this.fd);
    })();
    return this.#closing;
  }

  async #replyTo(request: number): Promise<Uint8Array<ArrayBuffer>> {
    const reply = await this.receive();
    // No reply of the requests that are sent here brings descriptors.
    closeFds(reply.fds);
    if (reply.request === request) return reply.payload;
    throw new UnexpectedReplyError(
      `Cannot use a reply to ${requestName(reply.request)} for ${
        requestName(request)
      }`,
    );
  }

  /** Runs one exchange after another, so that each gets its own reply. */
  #inTurn<T>(exchange: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(exchange);
    this.#turn = result.catch(() => {});
    return result;
  }
}
