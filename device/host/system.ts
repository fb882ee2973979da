/**
 * What the system is: kernel, C library, limits, versions of libraries.
 *
 * @module
 */

import { cString } from "./libc.ts";

const LIBC_SYMBOLS = {
  // const char *gnu_get_libc_version(void)
  gnu_get_libc_version: { parameters: [], result: "pointer" },
  // int uname(struct utsname *out)
  uname: { parameters: ["buffer"], result: "i32" },
  // int getrlimit(int resource, struct rlimit *out)
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  // FILE *fopen(const char *path, const char *mode): open() is variadic
  fopen: { parameters: ["buffer", "buffer"], result: "pointer" },
  // size_t fread(void *out, size_t size, size_t count, FILE *stream)
  fread: {
    parameters: ["buffer", "usize", "usize", "pointer"],
    result: "usize",
  },
  // int fclose(FILE *stream)
  fclose: { parameters: ["pointer"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** A function that returns a C string, or takes an index of one. */
const TEXT = { parameters: ["i32"], result: "pointer" } as const;

// struct utsname: six texts of 65 bytes; the third is the release
const UTSNAME_SIZE = 6 * 65;
const UTSNAME_RELEASE = 2 * 65;
const RLIMIT_NOFILE = 7;

/** What the system is. */
export interface SystemFacts {
  /** The kernel's release: "6.1.0-40-amd64". */
  readonly kernel: string;
  /** The version of the GNU C library: "2.36". */
  readonly libc: string;
  /** Descriptors a process may have, and how many it may ask for. */
  readonly descriptors: { readonly soft: number; readonly hard: number };
  /** Huge pages of the standard size: how many there are and are free. */
  readonly hugePages: {
    readonly total: number;
    readonly free: number;
    readonly kibibytes: number;
  };
}

function textAt(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/**
 * Looks at the system. It needs `--allow-ffi`, and no permission to read.
 *
 * @returns what it is
 * @throws {Error} The C library is not that of GNU, or FFI is not permitted
 */
export function systemFacts(): SystemFacts {
  const { symbols, close } = open("libc.so.6", LIBC_SYMBOLS);
  try {
    const name = new Uint8Array(new ArrayBuffer(UTSNAME_SIZE));
    symbols.uname(name);
    const release = name.subarray(UTSNAME_RELEASE);
    const limits = new BigUint64Array(new ArrayBuffer(16));
    symbols.getrlimit(RLIMIT_NOFILE, limits);
    const memory = readSmallFile(symbols, "/proc/meminfo");
    const number = (field: string) =>
      Number(new RegExp(`^${field}: *(\\d+)`, "m").exec(memory)?.[1] ?? 0);
    return {
      kernel: new TextDecoder().decode(release.subarray(0, release.indexOf(0))),
      libc: textAt(symbols.gnu_get_libc_version()),
      descriptors: { soft: Number(limits[0]), hard: Number(limits[1]) },
      hugePages: {
        total: number("HugePages_Total"),
        free: number("HugePages_Free"),
        kibibytes: number("Hugepagesize"),
      },
    };
  } finally {
    close();
  }
}

/**
 * The version of OpenSSL's libcrypto. It needs `--allow-ffi`.
 *
 * @returns as OpenSSL gives it: "OpenSSL 3.0.17 1 Jul 2025"
 * @throws {Error} The library cannot be opened
 */
export function libcryptoVersion(): string {
  const library = open("libcrypto.so.3", {
    // const char *OpenSSL_version(int type)
    OpenSSL_version: TEXT,
  });
  const text = textAt(library.symbols.OpenSSL_version(0));
  library.close();
  return text;
}

/**
 * The version of Intel's multi-buffer library. It needs `--allow-ffi`.
 *
 * @returns as the library gives it: "1.3.0"
 * @throws {Error} The library cannot be opened
 */
export function ipsecMbVersion(): string {
  const library = open("libIPSec_MB.so.1", {
    // const char *imb_get_version_str(void): the argument is not looked at
    imb_get_version_str: TEXT,
  });
  const text = textAt(library.symbols.imb_get_version_str(0));
  library.close();
  return text;
}

interface Opened<Symbols extends Deno.ForeignLibraryInterface> {
  readonly symbols: Deno.DynamicLibrary<Symbols>["symbols"];
  close(): void;
}

function open<const Symbols extends Deno.ForeignLibraryInterface>(
  name: string,
  symbols: Symbols,
): Opened<Symbols> {
  try {
    const library = Deno.dlopen(name, symbols);
    return { symbols: library.symbols, close: () => library.close() };
  } catch (cause) {
    throw new Error(`Cannot open ${name}`, { cause });
  }
}

function readSmallFile(
  libc: Deno.DynamicLibrary<typeof LIBC_SYMBOLS>["symbols"],
  path: string,
): string {
  const file = libc.fopen(cString(path), cString("re"));
  if (file === null) return "";
  const bytes = new Uint8Array(new ArrayBuffer(1 << 16));
  const length = Number(libc.fread(bytes, 1n, BigInt(bytes.length), file));
  libc.fclose(file);
  return new TextDecoder().decode(bytes.subarray(0, length));
}
