/**
 * Sockets that child processes inherit.
 *
 * @module
 */

import { cString, libc } from "../../device/host/libc.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;

/**
 * A listening socket that child processes inherit.
 *
 * @param path where to bind it
 * @returns its descriptor
 */
export function listening(path: string): number {
  const fd = libc().socket(AF_UNIX, SOCK_STREAM, 0);
  const bytes = cString(path);
  const address = new Uint8Array(new ArrayBuffer(2 + bytes.length));
  address.set([AF_UNIX, 0]);
  address.set(bytes, 2);
  if (
    libc().bind(fd, address, address.length) !== 0 ||
    libc().listen(fd, 4) !== 0
  ) throw new Error(`Cannot listen on ${path}`);
  return fd;
}

/** @returns two connected sockets that child processes inherit */
export function inheritedPair(): [number, number] {
  const fds = new Int32Array(new ArrayBuffer(8));
  if (libc().socketpair(AF_UNIX, SOCK_STREAM, 0, fds) !== 0) {
    throw new Error("Cannot make a pair of sockets");
  }
  return [fds[0]!, fds[1]!];
}
