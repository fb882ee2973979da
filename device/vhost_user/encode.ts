/**
 * Messages in the other direction: replies of a backend, requests of a frontend.
 *
 * @module
 */

import { encodeU64, encodeVringState } from "./payload.ts";
import {
  FLAG_REPLY,
  FLAG_VERSION,
  HEADER_FLAGS,
  HEADER_PAYLOAD_SIZE,
  HEADER_REQUEST,
  HEADER_SIZE,
} from "./protocol.ts";

/** What an acknowledgement says of a request that was refused. */
const REFUSED = 1n;

/**
 * A message of any kind.
 *
 * @param request number of the request (u32)
 * @param flags its flags (u32)
 * @param payload its payload; copied
 * @returns header and payload
 */
export function encodeMessage(
  request: number,
  flags: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(new ArrayBuffer(HEADER_SIZE + payload.length));
  const view = new DataView(message.buffer);
  view.setUint32(HEADER_REQUEST, request, true);
  view.setUint32(HEADER_FLAGS, flags, true);
  view.setUint32(HEADER_PAYLOAD_SIZE, payload.length, true);
  message.set(payload, HEADER_SIZE);
  return message;
}

/**
 * A reply. One to CREATE_CRYPTO_SESSION holds keys, as its request did: whoever
 * sends it overwrites both.
 *
 * @param request number of the request it answers
 * @param payload its payload; copied. An empty one answers GET_CONFIG with an
 * error
 * @returns header and payload
 */
export function encodeReply(
  request: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return encodeMessage(request, FLAG_VERSION | FLAG_REPLY, payload);
}

/**
 * A reply that is one u64: features, a number of queues, a status.
 *
 * @param request number of the request it answers
 * @param value the u64
 * @returns header and payload
 */
export function encodeU64Reply(
  request: number,
  value: bigint,
): Uint8Array<ArrayBuffer> {
  return encodeReply(request, encodeU64(value));
}

/**
 * An acknowledgement (vhost-user, VHOST_USER_PROTOCOL_F_REPLY_ACK).
 *
 * @param request number of the request it answers
 * @param done whether the request was done; else it was refused
 * @returns header and payload: zero, or not zero
 */
export function encodeAck(
  request: number,
  done: boolean,
): Uint8Array<ArrayBuffer> {
  return encodeU64Reply(request, done ? 0n : REFUSED);
}

/**
 * A reply that is a vring state: that of GET_VRING_BASE.
 *
 * @param request number of the request it answers
 * @param index which ring
 * @param num its base: for a split ring an index, for a packed one the 32 bits
 * of both indices and wrap counters
 * @returns header and payload
 */
export function encodeVringStateReply(
  request: number,
  index: number,
  num: number,
): Uint8Array<ArrayBuffer> {
  return encodeReply(request, encodeVringState({ index, num }));
}
