/**
 * A backend that does as it is told: it records what comes and answers from a
 * script.
 *
 * @module
 */

import { FdWaiter } from "../../device/host/fd_waiter.ts";
import { POLLIN } from "../../device/host/poll.ts";
import {
  encodeAck,
  encodeReply,
  encodeU64Reply,
} from "../../device/vhost_user/encode.ts";
import {
  listenUnix,
  type UnixListener,
} from "../../device/vhost_user/listener.ts";
import {
  FramingError,
  type Message,
  MessageParser,
} from "../../device/vhost_user/message.ts";
import { requestRule } from "../../device/vhost_user/requests.ts";
import { closeFd, closeFds, SocketIo } from "../../device/vhost_user/socket.ts";

/** What a script answers: a message, or "hang up", or nothing of its own. */
export type Answer =
  | Uint8Array<ArrayBuffer>
  | "hang up"
  | "nothing"
  | undefined;

/** Serves one connection. */
export class ScriptedPeer {
  /** What came, with its descriptors open. */
  readonly received: Message[] = [];
  /** Why it ended, if it was the frontend's fault. */
  error: FramingError | undefined;
  /** Settles when the frontend has hung up. */
  readonly done: Promise<void>;
  readonly #listener: UnixListener;
  readonly #script: (message: Message) => Answer;

  /**
   * @param path where to listen
   * @param script what to answer; where it gives undefined, a request with a
   * reply of its own gets its payload or a u64 of 0 back, and a request that
   * waits for it an acknowledgement
   */
  constructor(
    path: string,
    script: (message: Message) => Answer = () => undefined,
  ) {
    this.#listener = listenUnix(path);
    this.#script = script;
    this.done = this.#serve();
  }

  /**
   * @param request number of a request
   * @returns the last one of those that came
   */
  last(request: number): Message | undefined {
    return this.received.findLast((message) => message.request === request);
  }

  async #serve(): Promise<void> {
    const waiter = new FdWaiter();
    const io = new SocketIo();
    const parser = new MessageParser();
    let fd = -1;
    try {
      await waiter.wait([this.#listener.fd], POLLIN, 5000);
      fd = this.#listener.accept() ?? -1;
      while (true) {
        await waiter.wait([fd], POLLIN, 5000);
        const got = io.receive(fd, parser.space);
        if (got.kind !== "data") return;
        const message = parser.received(got.length, got.fds);
        if (message === undefined) continue;
        if (message instanceof FramingError) {
          this.error = message;
          return;
        }
        this.received.push(message);
        const answer = this.#script(message) ?? defaultAnswer(message);
        if (answer === "hang up") return;
        if (answer !== "nothing") io.send(fd, answer);
      }
    } finally {
      closeFds(parser.abandon());
      for (const { fds } of this.received) closeFds(fds);
      closeFd(fd);
      await waiter.close();
      this.#listener.close();
    }
  }
}

function defaultAnswer(message: Message): NonNullable<Answer> {
  const { request, payload } = message;
  if (requestRule(request)?.replies === true) {
    return payload.length > 0
      ? encodeReply(request, payload)
      : encodeU64Reply(request, 0n);
  }
  return message.needReply ? encodeAck(request, true) : "nothing";
}
