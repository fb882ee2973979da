/**
 * Looks for bytes in the memory of another process.
 *
 * @module
 */

import { addressOf, cString } from "../../device/host/libc.ts";
import { outputOf } from "./server_process.ts";

/** Where bytes were found. */
export interface Finding {
  /** Index of what was looked for. */
  readonly needle: number;
  /** The bytes found and those behind, 64 where there are as many. */
  readonly bytes: Uint8Array;
  /** Address in the process. */
  readonly address: bigint;
  /** The mapping's line in /proc/PID/maps. */
  readonly mapping: string;
}

/** A range of addresses of a process. */
interface Range {
  readonly start: bigint;
  readonly end: bigint;
  readonly mapping: string;
}

const PAGE = 4096;

/** Bytes read at a time. */
const CHUNK = 8 << 20;

/** Bytes shown of what is found; no needle is longer. */
const SHOWN = 64;

/** Bits of a pagemap entry: the page is in memory, or in swap. */
const PRESENT_OR_SWAPPED = 0xc000_0000;

// Opened for all tests of a file: a test that opens a library leaks it.
const { symbols: libc } = Deno.dlopen("libc.so.6", {
  // ssize_t process_vm_readv(pid, local iovec, count, remote iovec, count, flags)
  process_vm_readv: {
    parameters: ["i32", "buffer", "u64", "buffer", "u64", "u64"],
    result: "isize",
  },
  // void *memmem(haystack, its length, needle, its length)
  memmem: { parameters: ["u64", "u64", "buffer", "u64"], result: "u64" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

/** struct iovec: address and number of bytes, u64 each. */
function iovec(address: bigint, length: number): BigUint64Array<ArrayBuffer> {
  const fields = new BigUint64Array(new ArrayBuffer(16));
  fields[0] = address;
  fields[1] = BigInt(length);
  return fields;
}

/** The readable mappings but those of files that guests share. */
async function mappingsOf(pid: number): Promise<Range[]> {
  const lines = (await outputOf("cat", `/proc/${pid}/maps`)).split("\n");
  return lines
    .filter((line) => / r/.test(line) && !/memfd:|\[v/.test(line))
    .map((mapping) => {
      const [start, end] = mapping.split(" ", 1)[0]!.split("-")
        .map((address) => BigInt(`0x${address}`));
      return { start: start!, end: end!, mapping };
    });
}

/** The parts of a mapping that hold something: whole pages, at most CHUNK. */
function* presentIn(pagemap: number, { start, end, mapping }: Range) {
  const entries = new Uint32Array(new ArrayBuffer(CHUNK / PAGE * 8));
  for (let from = start; from < end; from += BigInt(CHUNK)) {
    const to = from + BigInt(CHUNK) < end ? from + BigInt(CHUNK) : end;
    const pages = Number(to - from) / PAGE;
    const at = from / BigInt(PAGE) * 8n;
    libc.pread(pagemap, entries, BigInt(pages * 8), at);
    let run = -1;
    for (let page = 0; page <= pages; page++) {
      const holds = page < pages &&
        (entries[2 * page + 1]! & PRESENT_OR_SWAPPED) !== 0;
      if (holds && run < 0) run = page;
      if (holds || run < 0) continue;
      yield {
        start: from + BigInt(run * PAGE),
        length: (page - run) * PAGE,
        mapping,
      };
      run = -1;
    }
  }
}

/**
 * Looks through all that a process can read, but for memory that it shares by
 * file with guests: what they have in theirs is their own affair.
 *
 * @param pid the process, one that this one may trace
 * @param needles what to look for, at most 64 bytes each
 * @returns what was found, and how many bytes were looked through
 */
export async function searchMemory(
  pid: number,
  needles: readonly Uint8Array[],
): Promise<{ findings: Finding[]; bytes: number }> {
  const findings: Finding[] = [];
  const own = needles.map((bytes) => {
    const copy = new Uint8Array(new ArrayBuffer(bytes.length));
    copy.set(bytes);
    return copy;
  });
  // One page more than is looked through, for what lies across a boundary.
  const chunk = new Uint8Array(new ArrayBuffer(CHUNK + PAGE));
  const at = addressOf(chunk);
  let bytes = 0;
  const pagemap = libc.open(cString(`/proc/${pid}/pagemap`), 0);
  try {
    for (const range of await mappingsOf(pid)) {
      for (const { start, length, mapping } of presentIn(pagemap, range)) {
        const got = Number(
          libc.process_vm_readv(
            pid,
            iovec(at, length + PAGE),
            1n,
            iovec(start, length + PAGE),
            1n,
            0n,
          ),
        );
        // Mappings come and go while the process runs.
        if (got <= 0) continue;
        bytes += length;
        own.forEach((needle, index) => {
          for (let skip = 0; skip < got;) {
            const found = libc.memmem(
              at + BigInt(skip),
              BigInt(got - skip),
              needle,
              BigInt(needle.length),
            );
            const offset = Number(found - at);
            if (found === 0n || offset >= length) break;
            skip = offset + 1;
            findings.push({
              needle: index,
              bytes: chunk.slice(offset, Math.min(offset + SHOWN, got)),
              address: start + BigInt(offset),
              mapping,
            });
          }
        });
      }
    }
  } finally {
    libc.close(pagemap);
    // Or the next look at this process would find it here.
    chunk.fill(0);
  }
  if (bytes === 0) throw new Error(`Cannot read the memory of process ${pid}`);
  return { findings, bytes };
}
