/**
 * Bindings of the C library: sockets, memory mappings, eventfds and poll.
 *
 * `size_t`, `off_t` and `nfds_t` parameters take a BigInt: a number there costs
 * about 200 ns a call. Results of type `ssize_t` are declared i32: what is read
 * and written here stays far below 2^31 bytes, and the low half of -1 is -1.
 *
 * `errno` is not reliable after a call, because the runtime makes calls of its
 * own on the same thread: poll first, and never branch on why a call failed.
 *
 * @module
 */

import { LibraryError } from "./library_error.ts";

/** Symbols of libc.so.6, each with its C signature. */
export const LIBC_SYMBOLS = {
  // int socket(int domain, int type, int protocol)
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int bind(int fd, const struct sockaddr *addr, socklen_t len)
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int listen(int fd, int backlog)
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // int connect(int fd, const struct sockaddr *addr, socklen_t len)
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  // int accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
  accept4: { parameters: ["i32", "pointer", "pointer", "i32"], result: "i32" },
  // int getsockopt(int fd, int level, int name, void *value, socklen_t *len)
  getsockopt: {
    parameters: ["i32", "i32", "i32", "buffer", "buffer"],
    result: "i32",
  },
  // int socketpair(int domain, int type, int protocol, int fds[2])
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  // int shutdown(int fd, int how)
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  // ssize_t recvmsg(int fd, struct msghdr *message, int flags)
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  // ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },

  // int clock_gettime(clockid_t clock, struct timespec *time)
  clock_gettime: { parameters: ["i32", "usize"], result: "i32" },
  // int close(int fd)
  close: { parameters: ["i32"], result: "i32" },
  // int fcntl(int fd, int command, int argument)
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  // int dup(int fd)
  dup: { parameters: ["i32"], result: "i32" },
  // int unlink(const char *path)
  unlink: { parameters: ["buffer"], result: "i32" },
  // ssize_t read(int fd, void *buffer, size_t count)
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t write(int fd, const void *buffer, size_t count)
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  // ssize_t pread(int fd, void *buffer, size_t count, off_t offset)
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // ssize_t pwrite(int fd, const void *buffer, size_t count, off_t offset)
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  // ssize_t preadv2(int fd, const struct iovec *iov, int count, off_t offset,
  //                 int flags)
  preadv2: {
    parameters: ["i32", "buffer", "i32", "i64", "i32"],
    result: "i32",
  },
  // int statx(int dirfd, const char *path, int flags, unsigned int mask,
  //           struct statx *out): the one of the family that is laid out alike
  //           on every architecture
  statx: {
    parameters: ["i32", "buffer", "i32", "u32", "buffer"],
    result: "i32",
  },
  // int fstatfs(int fd, struct statfs *out)
  fstatfs: { parameters: ["i32", "buffer"], result: "i32" },
  // int ftruncate(int fd, off_t length)
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },

  // int memfd_create(const char *name, unsigned int flags)
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // void *mmap(void *addr, size_t length, int protection, int flags, int fd,
  //            off_t offset)
  mmap: {
    parameters: ["usize", "usize", "i32", "i32", "i32", "i64"],
    result: "usize",
  },
  // int munmap(void *addr, size_t length)
  munmap: { parameters: ["usize", "usize"], result: "i32" },
  // int madvise(void *addr, size_t length, int advice)
  madvise: { parameters: ["usize", "usize", "i32"], result: "i32" },
  // int getpagesize(void)
  getpagesize: { parameters: [], result: "i32" },

  // int eventfd(unsigned int value, int flags)
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  // int eventfd_write(int fd, eventfd_t value)
  eventfd_write: { parameters: ["i32", "u64"], result: "i32" },
  // int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  // The same call on a thread of the runtime's pool: a promise. The buffer must
  // stay reachable, and every fd in it open, until that settles.
  pollAsync: {
    name: "poll",
    parameters: ["buffer", "usize", "i32"],
    result: "i32",
    nonblocking: true,
  },
  // int *__errno_location(void)
  __errno_location: { parameters: [], result: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of {@linkcode LIBC_SYMBOLS}, ready to be called. */
export type Libc = Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"];

const LIBRARY = "libc.so.6";

let symbols: Libc | undefined;

/**
 * The C library, opened the first time it is asked for. Each thread opens its
 * own, and it stays open for as long as the thread lives.
 *
 * @returns its functions
 * @throws {LibraryError} The library cannot be opened, or FFI is not permitted; the
 * reason is in `cause`
 */
export function libc(): Libc {
  if (symbols !== undefined) return symbols;
  try {
    symbols = Deno.dlopen(LIBRARY, LIBC_SYMBOLS).symbols;
  } catch (cause) {
    throw new LibraryError(
      `Cannot open ${LIBRARY}: a vhost-user server needs Linux with glibc 2.28 or newer and --allow-ffi`,
      { cause },
    );
  }
  return symbols;
}

/**
 * Text as a C string.
 *
 * @param text anything without a zero character
 * @returns its UTF-8 bytes and a zero byte
 * @throws {TypeError} `text` contains a zero character, which would cut it short
 */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) {
    throw new TypeError(
      `Cannot pass ${JSON.stringify(text)} to the C library: it contains NUL`,
    );
  }
  return new TextEncoder().encode(text + "\0");
}

/**
 * The address of a buffer's first byte. It holds for as long as the buffer is
 * reachable.
 *
 * @param view bytes over an ArrayBuffer or SharedArrayBuffer that was made as
 * such: a small typed array made by its length may lie in the engine's heap,
 * where things move
 * @returns the address
 */
export function addressOf(view: Uint8Array): bigint {
  // The declaration does not know of shared buffers; the runtime does.
  const pointer = Deno.UnsafePointer.of(view as Uint8Array<ArrayBuffer>);
  return Deno.UnsafePointer.value(pointer);
}

/** MADV_HUGEPAGE (asm-generic/mman-common.h). */
const MADV_HUGEPAGE = 14;

/** Bytes of a huge page on x86-64, and on arm64 with pages of 4 KiB. */
const HUGE_PAGE = 2n << 20n;

/**
 * Asks for huge pages where whole ones fit: what is read here and there in much
 * memory has its addresses translated faster. The system may have none.
 *
 * @param address of the first byte
 * @param size number of bytes
 */
export function adviseHugePages(address: bigint, size: number): void {
  const first = (address + HUGE_PAGE - 1n) & ~(HUGE_PAGE - 1n);
  const end = (address + BigInt(size)) & ~(HUGE_PAGE - 1n);
  if (end > first) libc().madvise(first, end - first, MADV_HUGEPAGE);
}

/**
 * `errno` as it is now on this thread. Only a value that the failed call can
 * give and that the runtime's own calls do not is evidence; its absence is none.
 *
 * @returns the error number
 */
export function lastErrno(): number {
  const pointer = libc().__errno_location();
  return pointer === null ? 0 : new Deno.UnsafePointerView(pointer).getInt32();
}
