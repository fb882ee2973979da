/**
 * UNIX stream sockets at a path: listening, connecting, and telling what a
 * descriptor that was handed down is.
 *
 * @module
 */

import { FileType, statPath } from "../host/file.ts";
import { cString, lastErrno, libc } from "../host/libc.ts";
import { closeFd } from "./socket.ts";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

const SOL_SOCKET = 1;
const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;
const SO_DOMAIN = 39;

const ECONNREFUSED = 111;

// struct sockaddr_un: family (u16), path (108 bytes, its NUL included)
const SOCKADDR_PATH = 2;
const MAX_PATH_LENGTH = 107;

/** Connections that may wait to be accepted. */
const BACKLOG = 16;

/** How often a refusal is looked for before its absence counts. */
const PROBES = 4;

/** What the usual reasons are called. `errno` is a hint: it can be another's. */
const REASONS = new Map([
  [2, "there is no such directory"],
  [13, "permission denied"],
  [20, "a part of the path is not a directory"],
  [30, "the file system is read-only"],
  [98, "the address is in use"],
  [ECONNREFUSED, "nobody listens"],
]);

/** A socket cannot be made, bound or connected. */
export class SocketError extends Error {
  /** The name of the class. */
  override readonly name = "SocketError";
}

function failure(action: string): SocketError {
  const reason = REASONS.get(lastErrno());
  return new SocketError(
    reason === undefined ? `Cannot ${action}` : `Cannot ${action}: ${reason}`,
  );
}

function socketAddress(path: string): Uint8Array<ArrayBuffer> {
  if (path === "") {
    throw new SocketError("Cannot use an empty path for a socket");
  }
  const bytes = cString(path);
  if (bytes.length - 1 > MAX_PATH_LENGTH) {
    throw new SocketError(
      `Cannot use ${path} for a socket: it has ${
        bytes.length - 1
      } bytes, and the limit is ${MAX_PATH_LENGTH}`,
    );
  }
  const address = new Uint8Array(new ArrayBuffer(SOCKADDR_PATH + bytes.length));
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(bytes, SOCKADDR_PATH);
  return address;
}

function createSocket(): number {
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const fd = libc().socket(AF_UNIX, type, 0);
  if (fd < 0) throw new SocketError("Cannot create a socket");
  return fd;
}

/**
 * Connects to a server's socket.
 *
 * @param path where the server listens, at most 107 bytes
 * @returns the connected socket, which does not block and which the caller closes
 * @throws {SocketError} The path is too long, or nobody can be connected to there
 */
export function connectUnix(path: string): number {
  const address = socketAddress(path);
  const fd = createSocket();
  if (libc().connect(fd, address, address.length) === 0) return fd;
  const error = failure(`connect to ${path}`);
  closeFd(fd);
  throw error;
}

/** Whether it is certain that nobody listens on a socket. */
function isStale(address: Uint8Array<ArrayBuffer>): boolean {
  // Only a refusal that was seen counts. It is not always seen, because errno
  // can be overwritten; and a server with many waiting answers something else.
  for (let i = 0; i < PROBES; i++) {
    const fd = createSocket();
    try {
      if (libc().connect(fd, address, address.length) === 0) return false;
      if (lastErrno() === ECONNREFUSED) return true;
    } finally {
      closeFd(fd);
    }
  }
  return false;
}

/** A socket that frontends connect to. */
export class UnixListener {
  /** The descriptor: readable when somebody waits to be accepted. */
  readonly fd: number;
  /** Where it listens; undefined where it was handed down. */
  readonly path: string | undefined;
  readonly #identity: string | undefined;
  #closed = false;

  /**
   * Takes over a listening socket.
   *
   * @param fd the descriptor, which {@linkcode close} closes
   * @param path where {@linkcode listenUnix} bound it, to be unlinked by `close`
   */
  constructor(fd: number, path?: string) {
    this.fd = fd;
    this.path = path;
    if (path !== undefined) this.#identity = statPath(path)?.identity;
  }

  /**
   * Accepts one connection. Call it when {@linkcode fd} is readable.
   *
   * @returns the connected socket, which does not block and which the caller
   * closes; undefined where nobody waits any more or no descriptor is left
   */
  accept(): number | undefined {
    const flags = SOCK_NONBLOCK | SOCK_CLOEXEC;
    const fd = libc().accept4(this.fd, null, null, flags);
    return fd < 0 ? undefined : fd;
  }

  /**
   * Closes the socket and removes it from its path, unless something else lies
   * there by now. A second call does nothing.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.path !== undefined && this.#identity !== undefined) {
      if (statPath(this.path)?.identity === this.#identity) {
        libc().unlink(cString(this.path));
      }
    }
    closeFd(this.fd);
  }
}

/**
 * Listens at exactly a path. A socket there that nobody listens on is removed
 * first; a live server's socket and anything that is not a socket never are.
 *
 * @param path where, at most 107 bytes
 * @returns the listening socket
 * @throws {SocketError} The path is too long or taken, or cannot be bound
 */
export function listenUnix(path: string): UnixListener {
  const address = socketAddress(path);
  const before = statPath(path);
  if (before !== undefined) {
    if (before.type !== FileType.SOCKET) {
      throw new SocketError(
        `Cannot listen on ${path}: something that is not a socket lies there`,
      );
    }
    if (!isStale(address)) {
      throw new SocketError(
        `Cannot listen on ${path}: another server may be listening there`,
      );
    }
    libc().unlink(cString(path));
  }
  const fd = createSocket();
  if (libc().bind(fd, address, address.length) !== 0) {
    const error = failure(`bind a socket to ${path}`);
    closeFd(fd);
    throw error;
  }
  const listener = new UnixListener(fd, path);
  if (libc().listen(fd, BACKLOG) !== 0) {
    listener.close();
    throw new SocketError(`Cannot listen on ${path}`);
  }
  return listener;
}

function socketOption(fd: number, option: number): number | undefined {
  const value = new Int32Array(new ArrayBuffer(4));
  const length = new Uint32Array(new ArrayBuffer(4)).fill(4);
  return libc().getsockopt(fd, SOL_SOCKET, option, value, length) === 0
    ? value[0]
    : undefined;
}

/**
 * What a descriptor that was handed down is.
 *
 * @param fd the descriptor
 * @returns whether it listens or is connected
 * @throws {SocketError} It is not a UNIX stream socket
 */
export function socketRole(fd: number): "listening" | "connected" {
  if (
    fd < 0 || socketOption(fd, SO_DOMAIN) !== AF_UNIX ||
    socketOption(fd, SO_TYPE) !== SOCK_STREAM
  ) {
    throw new SocketError(
      `Cannot serve on file descriptor ${fd}: it is not a UNIX stream socket`,
    );
  }
  return socketOption(fd, SO_ACCEPTCONN) === 1 ? "listening" : "connected";
}
