/**
 * Messages out of a stream of bytes and file descriptors.
 *
 * Nothing here does input or output: the caller receives into the place the
 * parser offers. Because that place never reaches past the current message, and
 * a stream socket delivers descriptors with the first byte they were sent with,
 * each descriptor is known to belong to the message it arrives in.
 *
 * @module
 */

import {
  CONFIG_HEADER_SIZE,
  FLAG_NEED_REPLY,
  FLAG_REPLY,
  FLAG_VERSION,
  FLAG_VERSION_MASK,
  HEADER_FLAGS,
  HEADER_PAYLOAD_SIZE,
  HEADER_REQUEST,
  HEADER_SIZE,
  MEM_REGION_SIZE,
  MEM_TABLE_HEADER_SIZE,
  VHOST_USER_GET_CONFIG,
  VHOST_USER_SET_CONFIG,
  VHOST_USER_SET_MEM_TABLE,
} from "./protocol.ts";
import { requestRule, sizeAgrees } from "./requests.ts";

/** A whole message. */
export interface Message {
  /** The number of the request. */
  readonly request: number;
  /** The flags as they came. */
  readonly flags: number;
  /** Whether the sender waits for an acknowledgement. */
  readonly needReply: boolean;
  /**
   * The payload, a private copy. It can hold keys: whoever takes a
   * CREATE_CRYPTO_SESSION overwrites it when done.
   */
  readonly payload: Uint8Array<ArrayBuffer>;
  /** The file descriptors that came along. Whoever takes the message owns them. */
  readonly fds: number[];
}

/**
 * The peer's bytes are no messages, and where the next one would start cannot
 * be known: the connection must be closed.
 */
export class FramingError extends Error {
  /** The name of the class. */
  override readonly name = "FramingError";
}

/** What {@linkcode MessageParser.feed} made of its bytes. */
export interface FeedResult {
  /** The messages that became complete, in order. */
  readonly messages: Message[];
  /** Why nothing more can be read, if so. */
  readonly error?: FramingError;
}

/** A header, as a judge sees it. */
export interface MessageHeader {
  /** The number of the request (u32). */
  readonly request: number;
  /** The flags (u32). */
  readonly flags: number;
  /** Bytes of payload (u32). */
  readonly size: number;
}

/** Says what is wrong with a header and its descriptors; undefined if nothing. */
export type HeaderJudge = (
  header: MessageHeader,
  fdCount: number,
) => string | undefined;

/**
 * What a backend accepts. Checked are, in this order: the version is 1; the
 * reply bit and every bit without a meaning are clear; the request is one of
 * the document's; no more descriptors came than it can have; its payload has a
 * size it can have, which bounds what is allocated for it.
 *
 * @param header the header
 * @param fdCount number of descriptors that came with it
 * @returns what is wrong, or undefined
 */
export function judgeRequest(
  header: MessageHeader,
  fdCount: number,
): string | undefined {
  const { request, flags, size } = header;
  if ((flags & FLAG_VERSION_MASK) !== FLAG_VERSION) {
    return `version ${flags & FLAG_VERSION_MASK}`;
  }
  if ((flags & FLAG_REPLY) !== 0) return "the reply flag on a request";
  if ((flags & ~(FLAG_VERSION_MASK | FLAG_NEED_REPLY)) !== 0) {
    return `flags 0x${flags.toString(16)}`;
  }
  const rule = requestRule(request);
  if (rule === undefined) return `unknown request ${request}`;
  if (fdCount > rule.maxFds) {
    return `${fdCount} file descriptors with ${rule.name}`;
  }
  if (!sizeAgrees(rule, size)) return `${size} bytes of ${rule.name}`;
  return undefined;
}

/** The most bytes a reply to a frontend can have: a shared memory table. */
const MAX_REPLY_SIZE = 4096;

/**
 * What a frontend accepts: a reply of version 1 and of a size that is not
 * absurd. Which request it answers is for the frontend to compare.
 *
 * @param header the header
 * @returns what is wrong, or undefined
 */
export function judgeReply(header: MessageHeader): string | undefined {
  const { flags, size } = header;
  if ((flags & FLAG_VERSION_MASK) !== FLAG_VERSION) {
    return `version ${flags & FLAG_VERSION_MASK}`;
  }
  if ((flags & FLAG_REPLY) === 0) return "a message without the reply flag";
  if (size > MAX_REPLY_SIZE) return `${size} bytes of reply`;
  return undefined;
}

/** What a payload says of its own length, where it does. */
function judgePayload(
  request: number,
  payload: Uint8Array<ArrayBuffer>,
): string | undefined {
  const view = new DataView(payload.buffer);
  switch (request) {
    case VHOST_USER_SET_MEM_TABLE: {
      const count = view.getUint32(0, true);
      // At most 2^32 regions of 32 bytes: exact in a number.
      if (MEM_TABLE_HEADER_SIZE + count * MEM_REGION_SIZE === payload.length) {
        return undefined;
      }
      return `${count} memory regions in ${payload.length} bytes`;
    }
    case VHOST_USER_GET_CONFIG:
    case VHOST_USER_SET_CONFIG: {
      const size = view.getUint32(4, true);
      if (CONFIG_HEADER_SIZE + size === payload.length) return undefined;
      return `${size} bytes of configuration space in ${payload.length} bytes`;
    }
    default:
      return undefined;
  }
}

/**
 * Parses one direction of one connection.
 *
 * @example One message
 * ```ts
 * import { MessageParser } from "./message.ts";
 *
 * const parser = new MessageParser();
 * const getFeatures = Uint8Array.of(1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
 * const { messages } = parser.feed(getFeatures);
 * console.log(messages[0]?.request); // 1
 * ```
 */
export class MessageParser {
  readonly #judge: HeaderJudge;
  // Made as a buffer, not by length: its address is given to the system.
  readonly #header = new Uint8Array(new ArrayBuffer(HEADER_SIZE));
  readonly #headerData = new DataView(this.#header.buffer);
  #payload: Uint8Array<ArrayBuffer> | undefined;
  /** Bytes of the current message received so far, header included. */
  #have = 0;
  #fds: number[] = [];
  #error: FramingError | undefined;

  /**
   * @param judge what is accepted; requests, as a backend does, by default
   */
  constructor(judge: HeaderJudge = judgeRequest) {
    this.#judge = judge;
  }

  /** Whether some but not all of a message has come. */
  get midMessage(): boolean {
    return this.#have > 0;
  }

  /**
   * Where the next bytes go: what the current header or payload still lacks. It
   * is not empty before an error, and holds until {@linkcode received} is called.
   */
  get space(): Uint8Array<ArrayBuffer> {
    return this.#payload === undefined
      ? this.#header.subarray(this.#have)
      : this.#payload.subarray(this.#have - HEADER_SIZE);
  }

  /**
   * Takes note of bytes that were put into {@linkcode space}.
   *
   * @param count how many, 1 to the length of `space`
   * @param fds the descriptors that came with them
   * @returns the message, if that made it complete; or an error, after which
   * the parser gives the same one for ever. Descriptors of a message that does
   * not become complete are had from {@linkcode abandon}
   */
  received(
    count: number,
    fds: readonly number[] = [],
  ): Message | FramingError | undefined {
    if (fds.length > 0) this.#fds.push(...fds);
    if (this.#error !== undefined) return this.#error;
    // vhost-user, "Communication": descriptors come with the first byte.
    if (fds.length > 0 && this.#have > 0) {
      return this.#fail(`${fds.length} file descriptors inside a message`);
    }
    this.#have += count;
    if (this.#have < HEADER_SIZE) return undefined;
    const header: MessageHeader = {
      request: this.#headerData.getUint32(HEADER_REQUEST, true),
      flags: this.#headerData.getUint32(HEADER_FLAGS, true),
      size: this.#headerData.getUint32(HEADER_PAYLOAD_SIZE, true),
    };
    if (this.#payload === undefined) {
      const wrong = this.#judge(header, this.#fds.length);
      if (wrong !== undefined) return this.#fail(wrong);
      this.#payload = new Uint8Array(new ArrayBuffer(header.size));
    }
    if (this.#have < HEADER_SIZE + header.size) return undefined;
    const { request, flags } = header;
    const wrong = (flags & FLAG_REPLY) === 0
      ? judgePayload(request, this.#payload)
      : undefined;
    if (wrong !== undefined) return this.#fail(wrong);
    const message: Message = {
      request,
      flags,
      needReply: (flags & FLAG_NEED_REPLY) !== 0,
      payload: this.#payload,
      fds: this.#fds,
    };
    this.#payload = undefined;
    this.#have = 0;
    this.#fds = [];
    return message;
  }

  /**
   * Takes bytes from elsewhere, any number of messages or parts of them.
   *
   * @param bytes the bytes; they are copied
   * @param fds the descriptors that came with the first of the bytes
   * @returns what became complete, and the error if there is one
   */
  feed(bytes: Uint8Array, fds: readonly number[] = []): FeedResult {
    const messages: Message[] = [];
    let at = 0;
    while (at < bytes.length) {
      const space = this.space;
      const part = bytes.subarray(at, at + space.length);
      space.set(part);
      const result = this.received(part.length, at === 0 ? fds : []);
      if (result instanceof FramingError) return { messages, error: result };
      if (result !== undefined) messages.push(result);
      at += part.length;
    }
    return { messages };
  }

  /**
   * Gives up on the message that is not complete, when the connection ends. What
   * came of its payload is overwritten.
   *
   * @returns its descriptors, which the caller closes
   */
  abandon(): number[] {
    const fds = this.#fds;
    this.#payload?.fill(0);
    this.#payload = undefined;
    this.#have = 0;
    this.#fds = [];
    return fds;
  }

  #fail(what: string): FramingError {
    this.#error = new FramingError(`Cannot read a message: it has ${what}`);
    return this.#error;
  }
}
