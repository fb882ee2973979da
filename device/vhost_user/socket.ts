/**
 * Bytes and file descriptors over UNIX stream sockets, never blocking.
 *
 * @module
 */

import { addressOf, libc } from "../host/libc.ts";
import { POLLERR, POLLHUP, POLLIN, pollNow, POLLOUT } from "../host/poll.ts";

const MSG_DONTWAIT = 0x40;
const MSG_CTRUNC = 0x08;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;

/**
 * The most descriptors received with one message. No message may have more than
 * 8; with room for more, a message that has too many is seen as what it is.
 */
const MAX_FDS = 32;

// struct msghdr: size 56, on 64-bit machines
const MSGHDR_SIZE = 56;
/** Address of the iovec (u64); before it: name (u64), its length (u32). */
const MSGHDR_IOV = 16;
/** Number of iovecs (u64). */
const MSGHDR_IOVLEN = 24;
/** Address of the control data (u64). */
const MSGHDR_CONTROL = 32;
/** Bytes of control data (u64); receiving sets it. */
const MSGHDR_CONTROLLEN = 40;
/** Flags that receiving sets (u32). */
const MSGHDR_FLAGS = 48;

// struct iovec: size 16
const IOVEC_SIZE = 16;
/** Address (u64). */
const IOVEC_BASE = 0;
/** Number of bytes (u64). */
const IOVEC_LEN = 8;

// struct cmsghdr: size 16, then the data; the next one is 8-byte aligned
const CMSGHDR_SIZE = 16;
/** Bytes, this structure included (u64). */
const CMSGHDR_LEN = 0;
/** Protocol: SOL_SOCKET (u32). */
const CMSGHDR_LEVEL = 8;
/** Kind: SCM_RIGHTS (u32). */
const CMSGHDR_TYPE = 12;
const FD_SIZE = 4;

const CONTROL_SIZE = CMSGHDR_SIZE + MAX_FDS * FD_SIZE;

function aligned(size: number): number {
  return (size + 7) & ~7;
}

/** What {@linkcode SocketIo.receive} got. */
export type Received =
  | {
    /** Bytes, and maybe descriptors. */
    readonly kind: "data";
    /** Number of bytes, at least 1. */
    readonly length: number;
    /** The descriptors; the caller owns them. They are close-on-exec. */
    readonly fds: readonly number[];
  }
  | {
    /**
     * "idle": nothing is there now. "closed": the peer hung up, or the
     * connection broke. "truncated": descriptors were lost, because there were
     * more than 32 of them or this process has none left; those that came were
     * closed, and the connection must be.
     */
    readonly kind: "idle" | "closed" | "truncated";
  };

const IDLE: Received = { kind: "idle" };
const CLOSED: Received = { kind: "closed" };
const TRUNCATED: Received = { kind: "truncated" };
const NO_FDS: readonly number[] = [];

/**
 * How a {@linkcode SocketIo.send} ended. "full": nothing was sent, because the
 * peer does not read; it can be tried again when the socket is writable.
 * "broken": the peer is gone, or only a part could be sent; the connection must
 * be closed.
 */
export type Sent = "sent" | "full" | "broken";

/** Receives and sends. One serves any number of sockets of a thread. */
export class SocketIo {
  readonly #header = new DataView(new ArrayBuffer(MSGHDR_SIZE));
  readonly #iovec = new DataView(new ArrayBuffer(IOVEC_SIZE));
  readonly #control = new DataView(new ArrayBuffer(CONTROL_SIZE));

  /** @throws {Error} The C library cannot be opened */
  constructor() {
    const bytes = (view: DataView<ArrayBuffer>) => new Uint8Array(view.buffer);
    const set = (at: number, value: bigint) =>
      this.#header.setBigUint64(at, value, true);
    libc();
    set(MSGHDR_IOV, addressOf(bytes(this.#iovec)));
    set(MSGHDR_IOVLEN, 1n);
    set(MSGHDR_CONTROL, addressOf(bytes(this.#control)));
  }

  /**
   * Receives what is there. It does not block.
   *
   * @param fd a connected socket
   * @param buffer where the bytes go, at least 1, over a buffer made as such
   * @returns what came
   */
  receive(fd: number, buffer: Uint8Array<ArrayBuffer>): Received {
    // Asked first, because why recvmsg failed cannot be known afterwards. A
    // hang-up counts as readable: what was sent before it is still there.
    if (pollNow(fd, POLLIN) === 0) return IDLE;
    this.#prepare(buffer, CONTROL_SIZE);
    const length = libc().recvmsg(
      fd,
      this.#header,
      MSG_DONTWAIT | MSG_CMSG_CLOEXEC,
    );
    if (length <= 0) return CLOSED;
    const fds = this.#receivedFds();
    const flags = this.#header.getUint32(MSGHDR_FLAGS, true);
    if ((flags & MSG_CTRUNC) !== 0) {
      closeFds(fds);
      return TRUNCATED;
    }
    return { kind: "data", length, fds };
  }

  /**
   * Sends a message whole or not at all. It does not block and raises no signal.
   * An empty socket has room for any message of the protocol.
   *
   * @param fd a connected socket
   * @param bytes what to send, over a buffer made as such
   * @param fds descriptors to send along, at most 32; they stay open here
   * @returns how it ended
   * @throws {RangeError} There are more descriptors than can be sent
   */
  send(
    fd: number,
    bytes: Uint8Array<ArrayBuffer>,
    fds: readonly number[] = NO_FDS,
  ): Sent {
    if (fds.length > MAX_FDS) {
      throw new RangeError(
        `Cannot send ${fds.length} file descriptors: the limit is ${MAX_FDS}`,
      );
    }
    // Twice, should the peer have made room after the first time.
    for (let attempt = 0; attempt < 2; attempt++) {
      this.#prepare(bytes, this.#putFds(fds));
      const sent = libc().sendmsg(
        fd,
        this.#header,
        MSG_DONTWAIT | MSG_NOSIGNAL,
      );
      if (sent === bytes.length) return "sent";
      if (sent >= 0) return "broken";
      const ready = pollNow(fd, POLLOUT);
      if ((ready & (POLLERR | POLLHUP)) !== 0) return "broken";
      if ((ready & POLLOUT) === 0) return "full";
    }
    return "broken";
  }

  #prepare(bytes: Uint8Array, controlLength: number): void {
    this.#iovec.setBigUint64(IOVEC_BASE, addressOf(bytes), true);
    this.#iovec.setBigUint64(IOVEC_LEN, BigInt(bytes.length), true);
    this.#header.setBigUint64(MSGHDR_CONTROLLEN, BigInt(controlLength), true);
    this.#header.setUint32(MSGHDR_FLAGS, 0, true);
  }

  #putFds(fds: readonly number[]): number {
    if (fds.length === 0) return 0;
    const length = CMSGHDR_SIZE + fds.length * FD_SIZE;
    this.#control.setBigUint64(CMSGHDR_LEN, BigInt(length), true);
    this.#control.setUint32(CMSGHDR_LEVEL, SOL_SOCKET, true);
    this.#control.setUint32(CMSGHDR_TYPE, SCM_RIGHTS, true);
    fds.forEach((fd, i) =>
      this.#control.setInt32(CMSGHDR_SIZE + i * FD_SIZE, fd, true)
    );
    return aligned(length);
  }

  #receivedFds(): readonly number[] {
    const controlLength = Number(
      this.#header.getBigUint64(MSGHDR_CONTROLLEN, true),
    );
    if (controlLength < CMSGHDR_SIZE) return NO_FDS;
    const fds: number[] = [];
    let at = 0;
    while (at + CMSGHDR_SIZE <= controlLength) {
      const length = Number(
        this.#control.getBigUint64(at + CMSGHDR_LEN, true),
      );
      // The kernel wrote it; this only keeps the loop from standing still.
      if (length < CMSGHDR_SIZE) break;
      if (
        this.#control.getUint32(at + CMSGHDR_LEVEL, true) === SOL_SOCKET &&
        this.#control.getUint32(at + CMSGHDR_TYPE, true) === SCM_RIGHTS
      ) {
        const end = Math.min(at + length, controlLength);
        for (
          let place = at + CMSGHDR_SIZE;
          place + FD_SIZE <= end;
          place += FD_SIZE
        ) fds.push(this.#control.getInt32(place, true));
      }
      at += aligned(length);
    }
    return fds;
  }
}

/**
 * Closes a descriptor.
 *
 * @param fd the descriptor; a negative one is none
 */
export function closeFd(fd: number): void {
  if (fd >= 0) libc().close(fd);
}

/**
 * Closes descriptors.
 *
 * @param fds the descriptors
 */
export function closeFds(fds: Iterable<number>): void {
  for (const fd of fds) closeFd(fd);
}
