/**
 * Eventfds: how a frontend kicks a queue, how a queue calls the guest and how
 * threads wake one another. Nothing here allocates after a thread's first call.
 *
 * @module
 */

import { FileType, statFd } from "./file.ts";
import { addressOf, libc } from "./libc.ts";
import { POLLIN, pollNow, POLLOUT } from "./poll.ts";

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const RWF_NOWAIT = 8;

const ONE = 1n;
const EIGHT = 8n;
const CURRENT_POSITION = -1n;

// Each thread that imports this has its own. The buffers are made as such, not
// by a typed array's length, so that they lie outside the engine's heap.
const value = new Uint8Array(new ArrayBuffer(8));
/** struct iovec: base (u64), length (u64). */
const iovec = new BigUint64Array(new ArrayBuffer(16));
let prepared = false;

/**
 * Makes an eventfd that never blocks and that no child process inherits.
 *
 * @returns its file descriptor, which the caller closes
 * @throws {Error} The process or the system has no descriptor left
 */
export function createEventfd(): number {
  const fd = libc().eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) throw new Error("Cannot create an eventfd");
  return fd;
}

/**
 * Adds one to an eventfd: whoever polls it wakes up.
 *
 * @param fd an eventfd, of this process or of a peer
 * @returns whether it could be; a counter that is full is as good as signalled
 */
export function signalEventfd(fd: number): boolean {
  return libc().eventfd_write(fd, ONE) === 0;
}

/**
 * Adds one to an eventfd that a peer gave. It never blocks: a peer can give a
 * blocking eventfd whose counter is full, or a pipe that nobody reads.
 *
 * @param fd an eventfd or, as vhost-user allows, the writing end of a pipe
 * @returns whether it could be; one that is full is as good as signalled
 */
export function signalPeer(fd: number): boolean {
  return (pollNow(fd, POLLOUT) & POLLOUT) !== 0 && signalEventfd(fd);
}

/**
 * Sets an eventfd back to 0. It does not block, even where a peer made the
 * descriptor a blocking one and empties it at the same moment.
 *
 * @param fd an eventfd or, as vhost-user allows, the reading end of a pipe, from
 * which one event of 8 bytes is taken
 * @returns whether it had been signalled
 */
export function drainEventfd(fd: number): boolean {
  const c = libc();
  if (!prepared) {
    iovec[0] = addressOf(value);
    iovec[1] = EIGHT;
    prepared = true;
  }
  if (c.preadv2(fd, iovec, 1, CURRENT_POSITION, RWF_NOWAIT) > 0) return true;
  // Empty, or a file that does not know RWF_NOWAIT, as pipes on older kernels.
  if ((pollNow(fd, POLLIN) & POLLIN) === 0) return false;
  return c.read(fd, value, EIGHT) > 0;
}

/**
 * Tells whether a descriptor that a peer gave can carry notifications: an
 * eventfd (or something else without a place in a file system) or a pipe.
 * Regular files and devices are always readable and would be polled for ever.
 *
 * @param fd the descriptor
 * @returns whether it is of such a type
 */
export function isNotifier(fd: number): boolean {
  const type = statFd(fd)?.type;
  return type === FileType.ANONYMOUS || type === FileType.FIFO;
}
