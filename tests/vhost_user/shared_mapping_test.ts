import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertThrows,
} from "@std/assert";
import { createEventfd } from "../../device/host/eventfd.ts";
import { cString, libc } from "../../device/host/libc.ts";
import { MappingError, mapShared } from "../../device/host/shared_mapping.ts";
import { memfd, openFds } from "./bytes.ts";

const PAGE = 4096;

function bytesOf(
  mapping: { buffer: SharedArrayBuffer; offset: number; size: number },
): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(mapping.buffer, mapping.offset, mapping.size);
}

function withMemfd(size: number, use: (fd: number) => void): void {
  const fd = memfd(size);
  try {
    use(fd);
  } finally {
    libc().close(fd);
  }
}

Deno.test("what is written to the file is read in the mapping, and the other way", () => {
  withMemfd(4 * PAGE, (fd) => {
    using mapping = mapShared(fd, PAGE, 2 * PAGE);
    const bytes = bytesOf(mapping);
    assertEquals(bytes.length, 2 * PAGE);
    libc().pwrite(fd, Uint8Array.of(1, 2, 3), 3n, BigInt(PAGE));
    assertEquals([...bytes.subarray(0, 4)], [1, 2, 3, 0]);
    bytes[2 * PAGE - 1] = 9;
    const read = new Uint8Array(new ArrayBuffer(2));
    libc().pread(fd, read, 2n, BigInt(3 * PAGE - 1));
    assertEquals([...read], [9, 0]);
  });
});

Deno.test("two mappings of a file show the same memory", () => {
  withMemfd(4 * PAGE, (fd) => {
    using all = mapShared(fd, 0, 4 * PAGE);
    using part = mapShared(fd, 2 * PAGE, PAGE);
    assert(all.buffer !== part.buffer);
    Atomics.store(bytesOf(part), 5, 77);
    assertEquals(Atomics.load(bytesOf(all), 2 * PAGE + 5), 77);
  });
});

Deno.test("a mapping outlives its descriptor", () => {
  const fd = memfd(PAGE);
  libc().pwrite(fd, Uint8Array.of(5), 1n, 0n);
  using mapping = mapShared(fd, 0, PAGE);
  libc().close(fd);
  assertEquals(bytesOf(mapping)[0], 5);
});

Deno.test("a range that does not start on a page is mapped at its place", () => {
  withMemfd(4 * PAGE, (fd) => {
    using all = mapShared(fd, 0, 4 * PAGE);
    bytesOf(all).forEach((_, i, bytes) => bytes[i] = i >> 4);
    for (const [offset, size] of [[1, 1], [4095, 2], [5000, 8000]] as const) {
      using part = mapShared(fd, offset, size);
      assertEquals(
        bytesOf(part),
        bytesOf(all).subarray(offset, offset + size),
      );
    }
  });
});

Deno.test("a file that ends inside a page is mapped to its end and no further", () => {
  withMemfd(PAGE + 100, (fd) => {
    using mapping = mapShared(fd, 0, PAGE + 100);
    bytesOf(mapping)[PAGE + 99] = 1;
    assertThrows(() => mapShared(fd, 0, PAGE + 101), MappingError);
  });
});

Deno.test("a range beyond the file's end is refused", () => {
  withMemfd(2 * PAGE, (fd) => {
    for (
      const [offset, size] of [
        [0, 2 * PAGE + 1],
        [PAGE, PAGE + 1],
        [2 * PAGE, 1],
        [2 ** 40, PAGE],
        [0, 2 ** 45],
      ] as const
    ) {
      assertThrows(
        () => mapShared(fd, offset, size),
        MappingError,
        `${2 * PAGE} bytes`,
      );
    }
  });
});

Deno.test("a range that is no range is refused", () => {
  withMemfd(PAGE, (fd) => {
    for (
      const [offset, size] of [
        [0, 0],
        [0, -1],
        [-1, 1],
        [0.5, 1],
        [0, NaN],
        [2 ** 53, 1],
        [2 ** 53 - 1, 2 ** 53 - 1],
      ] as const
    ) {
      assertThrows(
        () => mapShared(fd, offset, size),
        MappingError,
        "not valid",
      );
    }
  });
});

Deno.test("a descriptor that is no file of memory is refused", () => {
  const eventfd = createEventfd();
  assertThrows(() => mapShared(eventfd, 0, PAGE), MappingError, "not a file");
  libc().close(eventfd);
  assertThrows(() => mapShared(eventfd, 0, PAGE), MappingError, "not open");
  assertThrows(() => mapShared(-1, 0, PAGE), MappingError, "not open");
});

Deno.test("a range larger than any address space is refused without harm", () => {
  withMemfd(2 ** 52, (fd) => {
    assertThrows(() => mapShared(fd, 0, 2 ** 52), MappingError, "addresses");
  });
});

Deno.test("huge pages are mapped, or refused without harm where there are none", () => {
  const HUGE_PAGE = 2 ** 21;
  const size = 512 * HUGE_PAGE;
  // MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB: making and sizing it takes no page.
  const fd = libc().memfd_create(cString("huge"), 0x5400_0005);
  if (fd < 0) return;
  assertEquals(libc().ftruncate(fd, BigInt(size)), 0);
  let refused = 0;
  for (let i = 0; i < 3; i++) {
    try {
      // From the middle of a page, so that its start has to be found.
      using mapping = mapShared(fd, HUGE_PAGE + PAGE, size - 2 * HUGE_PAGE);
      bytesOf(mapping)[0]!++;
      assertEquals(bytesOf(mapping)[0], i + 1);
    } catch (error) {
      assertInstanceOf(error, MappingError);
      refused++;
    }
  }
  assert(refused === 0 || refused === 3);
  libc().close(fd);
  // The buffer of those attempts is whole, and serves another file.
  withMemfd(size, (other) => {
    using mapping = mapShared(other, 0, size);
    bytesOf(mapping)[0] = bytesOf(mapping)[size - 1] = 1;
  });
});

Deno.test("a released mapping is not usable, and a second release does nothing", () => {
  withMemfd(PAGE, (fd) => {
    const mapping = mapShared(fd, 0, PAGE);
    assertEquals(mapping.released, false);
    mapping.release();
    mapping.release();
    assertEquals(mapping.released, true);
    assertThrows(() => mapping.buffer, MappingError, "after its release");
  });
});

Deno.test("a view that was forgotten reads zeros and no longer reaches the file", () => {
  withMemfd(PAGE, (fd) => {
    const mapping = mapShared(fd, 0, PAGE);
    const forgotten = bytesOf(mapping);
    forgotten[0] = 1;
    mapping.release();
    assertEquals(forgotten[0], 0);
    forgotten[0] = 2;
    const read = new Uint8Array(new ArrayBuffer(1));
    libc().pread(fd, read, 1n, 0n);
    assertEquals(read[0], 1);
  });
});

Deno.test("a released buffer serves the next mapping, and none still in use does", () => {
  withMemfd(100 * 2 ** 20, (fd) => {
    const size = 100 * 2 ** 20;
    using kept = mapShared(fd, 0, size);
    const first = mapShared(fd, 0, size);
    const { buffer } = first;
    assert(buffer !== kept.buffer);
    first.release();
    using second = mapShared(fd, 0, size);
    assert(second.buffer === buffer);
    bytesOf(kept)[size - 1] = 3;
    assertEquals(bytesOf(second)[size - 1], 3);
  });
});

Deno.test("thousands of mappings and releases leave no descriptor behind", () => {
  withMemfd(64 * 2 ** 20, (fd) => {
    mapShared(fd, 0, PAGE).release();
    const before = openFds();
    for (let i = 0; i < 3000; i++) {
      const mapping = mapShared(fd, 0, 1 + (i * 7919) % (64 * 2 ** 20));
      bytesOf(mapping)[0] = i;
      mapping.release();
    }
    assertEquals(openFds(), before);
  });
});

Deno.test("a worker sees the mapping through a message", async () => {
  const fd = memfd(PAGE);
  using mapping = mapShared(fd, 0, PAGE);
  const source = `onmessage = ({ data }) => {
    new Uint8Array(data.buffer, data.offset, 8)[3] += 40;
    postMessage("done");
  };`;
  const url = URL.createObjectURL(
    new Blob([source], { type: "text/javascript" }),
  );
  const worker = new Worker(url, { type: "module" });
  bytesOf(mapping)[3] = 2;
  const done = new Promise((resolve) => worker.onmessage = resolve);
  worker.postMessage({ buffer: mapping.buffer, offset: mapping.offset });
  await done;
  worker.terminate();
  URL.revokeObjectURL(url);
  const read = new Uint8Array(new ArrayBuffer(4));
  libc().pread(fd, read, 4n, 0n);
  libc().close(fd);
  assertEquals(read[3], 42);
});
