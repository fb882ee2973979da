/**
 * What a file descriptor or a path is: its type, its size and the size of its
 * pages.
 *
 * @module
 */

import { cString, libc } from "./libc.ts";

// struct statx: size 256
const STATX_SIZE_OF = 256;
/** File type and permissions (u16). */
const STATX_MODE = 28;
/** Inode number (u64). */
const STATX_INODE = 32;
/** Size in bytes (u64). */
const STATX_SIZE = 40;
/** Number of the device that holds the file (two u32). */
const STATX_DEVICE = 136;
const STATX_TYPE_INODE_SIZE = 0x301;

// struct statfs: size 120, on 64-bit machines
const STATFS_SIZE_OF = 120;
/** Type of the file system (long). */
const STATFS_TYPE = 0;
/** Size of a block (long): on hugetlbfs that of a huge page. */
const STATFS_BLOCK_SIZE = 8;
const HUGETLBFS_MAGIC = 0x958458f6;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;

const S_IFMT = 0o170000;

/** The types of files that are told apart, as bits of `st_mode`. */
export const FileType = {
  /** No type: an anonymous inode, as eventfds have. */
  ANONYMOUS: 0,
  /** S_IFIFO: a pipe. */
  FIFO: 0o010000,
  /** S_IFREG: a regular file; memfds and hugetlbfs files are such. */
  REGULAR: 0o100000,
  /** S_IFSOCK: a socket. */
  SOCKET: 0o140000,
} as const;

/** What {@linkcode statFd} and {@linkcode statPath} tell. */
export interface FileStatus {
  /** The file's type: one of {@linkcode FileType}, or another S_IF value. */
  readonly type: number;
  /** Its size in bytes. */
  readonly size: bigint;
  /** Which file it is: equal for the same file on this machine only. */
  readonly identity: string;
}

function statx(
  dirfd: number,
  path: string,
  flags: number,
): FileStatus | undefined {
  const out = new DataView(new ArrayBuffer(STATX_SIZE_OF));
  if (
    libc().statx(dirfd, cString(path), flags, STATX_TYPE_INODE_SIZE, out) !== 0
  ) return undefined;
  return {
    type: out.getUint16(STATX_MODE, true) & S_IFMT,
    size: out.getBigUint64(STATX_SIZE, true),
    identity: [
      out.getBigUint64(STATX_DEVICE, true),
      out.getBigUint64(STATX_INODE, true),
    ].join(),
  };
}

/**
 * What an open file descriptor is.
 *
 * @param fd the descriptor
 * @returns undefined where it is not open
 */
export function statFd(fd: number): FileStatus | undefined {
  // A negative number names the working directory or nothing, never a file.
  return fd < 0 ? undefined : statx(fd, "", AT_EMPTY_PATH);
}

/**
 * What lies at a path; a symbolic link is not followed.
 *
 * @param path the path
 * @returns undefined where nothing is, or where it cannot be looked at
 * @throws {TypeError} `path` contains NUL
 */
export function statPath(path: string): FileStatus | undefined {
  return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
}

/**
 * The unit in which a file can be mapped.
 *
 * @param fd an open descriptor
 * @returns bytes: a huge page on hugetlbfs, else a page
 */
export function mappingUnit(fd: number): number {
  const out = new DataView(new ArrayBuffer(STATFS_SIZE_OF));
  if (
    libc().fstatfs(fd, out) === 0 &&
    out.getUint32(STATFS_TYPE, true) === HUGETLBFS_MAGIC
  ) return Number(out.getBigInt64(STATFS_BLOCK_SIZE, true));
  return libc().getpagesize();
}
