/**
 * Runs a case of vhost-user messages against a server of this process, through
 * its socket.
 *
 * @module
 */

import { VhostUserChannel } from "../../../device/driver/vhost_user_channel.ts";

import { VhostUserFrontend } from "../../../device/driver/vhost_user_frontend.ts";
import { createEventfd, signalEventfd } from "../../../device/host/eventfd.ts";
import { libc } from "../../../device/host/libc.ts";
import { mapShared } from "../../../device/host/shared_mapping.ts";
import type { Message } from "../../../device/vhost_user/message.ts";
import { Guest } from "../../server/guest.ts";
import { pipe, TestServer, until } from "../../server/test_server.ts";
import { memfd, requestOf, socketPair } from "../../vhost_user/bytes.ts";
import { Finding } from "../guest/machine.ts";
import {
  type ConnectionOperation,
  type FdKind,
  MEMORY_SIZE,
  type MessageCase,
  type MessageOperation,
} from "./operations.ts";
import {
  configReplySize,
  type Fate,
  isBadHeader,
  ModelConnection,
} from "./model.ts";

/** How long an answer may take, in milliseconds. */
const ANSWER_MS = 5000;
/** How long workers may take to start, in milliseconds. */
const START_MS = 240_000;
/** How often good guests are tried while a server starts. */
const MOST_ATTEMPTS = 5;
const DATA_QUEUES = 2;
const GET_FEATURES = 1;

// Made here, before any test: a test that opens a library is said to leak it.
const PIPE = pipe();

/** A server and what a frontend sends along. */
class MessageBench {
  readonly server: TestServer;
  readonly fds: Readonly<Record<FdKind, number>>;
  readonly memory: Uint8Array<SharedArrayBuffer>;
  /** Features that are offered. */
  offered = 0n;

  constructor({ engine }: MessageCase["setup"]) {
    this.server = new TestServer({
      queues: DATA_QUEUES,
      maxSessions: 8,
      ...(engine === "auto" ? {} : { engines: [engine] }),
    });
    const memory = memfd(MEMORY_SIZE);
    this.fds = {
      memory,
      short: memfd(4096),
      kick: createEventfd(),
      call: createEventfd(),
      err: createEventfd(),
      reader: PIPE[0],
      writer: PIPE[1],
      socket: socketPair()[0],
    };
    const { buffer, offset } = mapShared(memory, 0, MEMORY_SIZE);
    this.memory = new Uint8Array(buffer, offset, MEMORY_SIZE);
  }

  /** Serves good frontends, so that all that is opened once is open. */
  async warm(): Promise<void> {
    // Guests do not wait as long as workers may take to start.
    const patient = await VhostUserFrontend.connect(this.server.path, {
      timeoutMs: START_MS,
    });
    this.offered = await patient.getFeatures();
    await patient.negotiate();
    // A memory table is answered when every worker has it.
    await patient.shareMemory([{ guestAddress: 0, size: 0x1000 }]);
    await patient.close();
    for (let attempt = 1;; attempt++) {
      try {
        await this.serveGood("device", [0, 1]);
        await this.serveGood("cryptodev", [0, 1, 2]);
        break;
      } catch (error) {
        // A busy machine may be slower than guests are patient.
        if (attempt === MOST_ATTEMPTS) throw error;
      }
    }
  }

  /**
   * Serves a frontend and a guest that have to be served.
   *
   * @param mode whose the control queue is
   * @param queues data queues that are used
   */
  async serveGood(
    mode: "device" | "cryptodev",
    queues: readonly number[],
  ): Promise<void> {
    await using guest = await Guest.connect(this.server.path, { mode });
    const control = mode === "device"
      ? await guest.start(DATA_QUEUES)
      : undefined;
    const session = await guest.session(undefined, control);
    for (const index of queues) {
      const queue = await guest.start(index, 16);
      await queue.run(session, 4, 4);
    }
  }
}

/** Descriptors looked at: more than a case leaks where nothing is wrong. */
const MOST_FDS = 1024;
const POLLNVAL = 0x20;

/** How many descriptors this process has open, by one call of poll. */
function openFds(): number {
  const fds = new Int32Array(new ArrayBuffer(8 * MOST_FDS));
  for (let fd = 0; fd < MOST_FDS; fd++) fds[2 * fd] = fd;
  libc().poll(new DataView(fds.buffer), BigInt(MOST_FDS), 0);
  let count = 0;
  for (let fd = 0; fd < MOST_FDS; fd++) {
    // revents is the high half of the second word.
    if (!(fds[2 * fd + 1]! >>> 16 & POLLNVAL)) count++;
  }
  return count;
}

const benches = new Map<string, Promise<MessageBench>>();

async function benchFor(setup: MessageCase["setup"]): Promise<MessageBench> {
  const made = benches.get(setup.engine) ?? (async () => {
    const bench = new MessageBench(setup);
    await bench.warm();
    return bench;
  })();
  benches.set(setup.engine, made);
  return await made;
}

/**
 * Starts a server ahead of its first case.
 *
 * @param setup how it is made
 */
export async function startServer(setup: MessageCase["setup"]): Promise<void> {
  await benchFor(setup);
}

/** Stops the servers that were started. */
export async function stopServers(): Promise<void> {
  for (const bench of benches.values()) {
    await (await bench).server[Symbol.asyncDispose]();
  }
  benches.clear();
}

let cases = 0;

/**
 * Runs a case, and then a good frontend.
 *
 * @param messageCase the case
 * @returns what the backend did wrong; undefined for nothing
 */
export async function runMessageCase(
  messageCase: MessageCase,
): Promise<string | undefined> {
  const bench = await benchFor(messageCase.setup);
  bench.memory.fill(0);
  bench.server.log.length = 0;
  const before = openFds();
  const frontend = new Frontend(bench);
  let at = 0;
  let where = () => `operation ${at} (${messageCase.operations[at]?.op})`;
  try {
    await frontend.connect();
    for (const operation of messageCase.operations) {
      await frontend.run(operation);
      at++;
    }
    where = () => "the end";
    await frontend.close();
    const turn = cases++;
    await bench.serveGood(
      turn % 2 === 0 ? "device" : "cryptodev",
      [turn % DATA_QUEUES],
    );
    await until("all descriptors to be closed", () => openFds() <= before);
    const error = bench.server.log.find((line) => line.startsWith("error"));
    return error === undefined ? undefined : `the server logged: ${error}`;
  } catch (error) {
    await frontend.close().catch(() => {});
    await bench.server[Symbol.asyncDispose]().catch(() => {});
    benches.delete(messageCase.setup.engine);
    const reason = error instanceof Finding ? error.message : `${error}`;
    return `${where()}: ${reason}`;
  }
}

/** A frontend that sends what a case says. */
class Frontend {
  readonly #bench: MessageBench;
  #channel: VhostUserChannel | undefined;
  #model: ModelConnection;

  constructor(bench: MessageBench) {
    this.#bench = bench;
    this.#model = this.#newModel();
  }

  #newModel(): ModelConnection {
    return new ModelConnection(DATA_QUEUES + 1, this.#bench.offered);
  }

  async connect(): Promise<VhostUserChannel> {
    this.#model = this.#newModel();
    return this.#channel = await VhostUserChannel.connect(
      this.#bench.server.path,
      { timeoutMs: ANSWER_MS },
    );
  }

  async close(): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    await channel?.close();
  }

  async run(operation: ConnectionOperation): Promise<void> {
    const channel = this.#channel ?? await this.connect();
    switch (operation.op) {
      case "message":
        await this.#message(channel, operation);
        return;
      case "break-off": {
        const bytes = requestOf(5, new Uint8Array(40));
        const { kick } = this.#bench.fds;
        const some = bytes.slice(0, Math.max(1, operation.bytes % 52));
        await channel.sendBytes(some, operation.fd ? [kick] : []);
        await this.close();
        return;
      }
      case "reconnect":
        await this.close();
        return;
      case "second": {
        // First something that shows that the first one is accepted.
        await this.#alive(channel);
        const second = await VhostUserChannel.connect(this.#bench.server.path);
        try {
          await mustClose(second);
        } finally {
          await second.close();
        }
        await this.#alive(channel);
        return;
      }
      case "kick":
        signalEventfd(this.#bench.fds.kick);
        return;
      case "scribble":
        new DataView(this.#bench.memory.buffer, this.#bench.memory.byteOffset)
          .setUint16(
            2 * (operation.at % (MEMORY_SIZE >> 1)),
            operation.value,
            true,
          );
    }
  }

  async #message(
    channel: VhostUserChannel,
    message: MessageOperation,
  ): Promise<void> {
    const payload = new Uint8Array(message.size);
    const view = new DataView(payload.buffer);
    for (const [at, value] of message.words) {
      if (at + 4 <= payload.length) view.setUint32(at, value, true);
    }
    const model = this.#model;
    const { claims = message.size } = message;
    if (claims !== message.size) {
      // A longer payload is waited for, a shorter one begins another message.
      await this.#send(channel, message, payload, claims);
      if (isBadHeader(message, claims)) await mustClose(channel);
      await this.close();
      return;
    }
    const asked = model.acknowledges && (message.flags & 8) !== 0;
    const judged = model.take(message, payload);
    await this.#send(channel, message, payload, claims);
    await this.#expect(channel, message, payload, judged, asked);
  }

  async #send(
    channel: VhostUserChannel,
    { request, flags, fds, first = 0 }: MessageOperation,
    payload: Uint8Array,
    claims: number,
  ): Promise<void> {
    const bytes = requestOf(request, payload, flags);
    new DataView(bytes.buffer).setUint32(8, claims, true);
    const numbers = fds.map((kind) => this.#bench.fds[kind]);
    try {
      if (first > 0 && first < bytes.length) {
        await channel.sendBytes(bytes.slice(0, first), numbers);
        await new Promise((resolve) => setTimeout(resolve, 1));
        await channel.sendBytes(bytes.slice(first));
      } else {
        await channel.sendBytes(bytes, numbers);
      }
    } catch {
      // It closed at the first half: seen when its end is waited for.
    }
  }

  async #expect(
    channel: VhostUserChannel,
    message: MessageOperation,
    payload: Uint8Array,
    fate: Fate,
    asked: boolean,
  ): Promise<void> {
    if (fate === "framing" || (fate === "refused" && !asked)) {
      await mustClose(channel);
      await this.close();
      return;
    }
    if (fate === "reply") {
      const reply = await receive(channel);
      this.#checkReply(message, payload, reply);
      return;
    }
    if (!asked) {
      const alive = await this.#alive(channel).catch((error) => {
        if (fate === "either") return false;
        throw error;
      });
      if (!alive || fate === "either") await this.close();
      return;
    }
    const reply = await receive(channel);
    const value = reply.payload.length === 8
      ? new DataView(reply.payload.buffer).getBigUint64(0, true)
      : undefined;
    if (
      reply.request !== message.request || reply.flags !== 5 ||
      value === undefined
    ) throw new Finding(`an acknowledgement that is none: ${describe(reply)}`);
    if (fate === "either") {
      // What became of it is not known: what follows cannot be judged.
      await this.close();
      return;
    }
    if ((value === 0n) !== (fate === "done")) {
      throw new Finding(
        `request ${message.request} was acknowledged with ${value}, and is to be ${fate}`,
      );
    }
  }

  #checkReply(
    { request }: MessageOperation,
    payload: Uint8Array,
    reply: Message,
  ): void {
    const size = request === 24
      ? configReplySize(payload)
      : request === 26
      ? payload.length
      : 8;
    if (
      reply.request !== request || reply.flags !== 5 ||
      reply.payload.length !== size || reply.fds.length > 0
    ) throw new Finding(`a wrong reply to ${request}: ${describe(reply)}`);
    if (request !== 26) return;
    const at = size === 632 ? 0 : 1064;
    const id = new DataView(reply.payload.buffer).getBigInt64(at, true);
    if (id < 0n) return;
    if (this.#model.sessions.has(id)) {
      throw new Finding(`session ${id} was created twice`);
    }
    this.#model.sessions.add(id);
  }

  /** Whether the connection still answers. */
  async #alive(channel: VhostUserChannel): Promise<boolean> {
    await channel.send(GET_FEATURES);
    const reply = await receive(channel);
    if (reply.request !== GET_FEATURES) {
      throw new Finding(`something unasked for: ${describe(reply)}`);
    }
    return true;
  }
}

async function receive(channel: VhostUserChannel): Promise<Message> {
  try {
    return await channel.receive(ANSWER_MS);
  } catch (error) {
    const { name } = error as Error;
    throw new Finding(
      name === "ConnectionClosedError"
        ? "the connection closed, and should not"
        : `no answer: ${error}`,
    );
  }
}

async function mustClose(channel: VhostUserChannel): Promise<void> {
  try {
    const reply = await channel.receive(ANSWER_MS);
    throw new Finding(`an answer in place of a close: ${describe(reply)}`);
  } catch (error) {
    if ((error as Error).name === "ConnectionClosedError") return;
    if (error instanceof Finding) throw error;
    throw new Finding("the connection stays open, and should not");
  }
}

function describe({ request, flags, payload }: Message): string {
  return `request ${request}, flags ${flags}, ${payload.slice(0, 16).toHex()}`;
}
