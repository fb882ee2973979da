/**
 * Help for the tests of the wire: messages by hand, and descriptors counted.
 *
 * @module
 */

import { cString, libc } from "../../device/host/libc.ts";
import { encodeMessage } from "../../device/vhost_user/encode.ts";

// Opened here, before any test: a test that opens a library is said to leak it.
libc();

/** Flags of a request that waits for nothing. */
export const VERSION_1 = 1;

/**
 * @param size bytes of payload
 * @param fields what to write into it as u32, by offset
 * @returns a payload of zeros but for the fields
 */
export function payloadOf(
  size: number,
  fields: Record<number, number> = {},
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(size));
  for (const [offset, value] of Object.entries(fields)) {
    view.setUint32(Number(offset), value, true);
  }
  return new Uint8Array(view.buffer);
}

/**
 * @param request number of the request
 * @param payload its payload
 * @param flags its flags
 * @returns header and payload
 */
export function requestOf(
  request: number,
  payload: Uint8Array = new Uint8Array(),
  flags: number = VERSION_1,
): Uint8Array<ArrayBuffer> {
  return encodeMessage(request, flags, payload);
}

/**
 * @param parts byte arrays
 * @returns them one after another
 */
export function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    new ArrayBuffer(parts.reduce((sum, part) => sum + part.length, 0)),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @returns how many file descriptors this process has open */
export function openFds(): number {
  // Looked at one by one, because reading /proc needs more permissions.
  let count = 0;
  const out = new Uint8Array(new ArrayBuffer(256));
  for (let fd = 0; fd < 4096; fd++) {
    if (libc().statx(fd, cString(""), 0x1000, 1, out) === 0) count++;
  }
  return count;
}

/**
 * @param size bytes; the file holds zeros
 * @returns a memfd, which the caller closes
 */
export function memfd(size: number): number {
  const fd = libc().memfd_create(cString("test"), 1);
  if (fd < 0 || libc().ftruncate(fd, BigInt(size)) !== 0) {
    throw new Error(`Cannot make a memfd of ${size} bytes`);
  }
  return fd;
}

/** @returns two UNIX stream sockets that are connected to each other */
export function socketPair(): [number, number] {
  const fds = new Int32Array(new ArrayBuffer(8));
  // AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC
  if (libc().socketpair(1, 0o2004001, 0, fds) !== 0) {
    throw new Error("Cannot make a pair of sockets");
  }
  return [fds[0]!, fds[1]!];
}

let paths = 0;

/** @returns a path where no socket is yet, fit for one */
export function socketPath(): string {
  const unique = crypto.randomUUID().slice(0, 8);
  return `/tmp/vhost-user-test-${unique}-${paths++}.sock`;
}
