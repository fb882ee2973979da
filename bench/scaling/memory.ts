/**
 * What guest memory costs by its size and by the number of its regions, the
 * working set being the same.
 *
 * @module
 */

import { cString, libc } from "../../device/host/libc.ts";
import { MappingSpace } from "../../device/host/mapping_space.ts";
import { mapShared } from "../../device/host/shared_mapping.ts";
import type { MemoryRegion } from "../../device/memory/guest_memory.ts";
import { plainRegion } from "../support/load_memory.ts";
import { interleave } from "../support/interleave.ts";
import { LocalDevice } from "../support/local_device.ts";
import { operationOf, sizeName } from "../support/operations.ts";
import { flat, printTable } from "./result.ts";

const MIB = 2 ** 20;
const SLOTS = 64;
const SIZES = [64 * MIB, 1024 * MIB, 16 * 1024 * MIB];
const REGIONS = [1, 2, 4, 8];
/** Bytes at a memory's end that rings and buffers take. */
const USED = 16 * MIB;

/**
 * A region of a file of memory, of which nothing is committed yet, mapped as the
 * server does.
 */
function fileRegion(
  size: number,
  guestAddress = 0x1_0000_0000,
  space?: MappingSpace,
): MemoryRegion {
  const c = libc();
  const fd = c.memfd_create(cString("virtio-crypto-bench"), 1);
  if (fd < 0 || c.ftruncate(fd, BigInt(size)) !== 0) {
    throw new Error(`Cannot make a file of ${size} bytes`);
  }
  const mapping = mapShared(fd, 0, size, space);
  c.close(fd);
  return {
    guestAddress,
    userAddress: guestAddress,
    size,
    buffer: mapping.buffer,
    offset: mapping.offset,
  };
}

function compare(
  title: string,
  names: readonly string[],
  size: number,
  memories: readonly {
    readonly regions: readonly MemoryRegion[];
    readonly from: number;
    readonly apart?: boolean;
  }[],
  atMost?: number,
): boolean {
  const operation = operationOf("aes-cbc", size);
  const devices = memories.map((memory, i) => {
    const device = new LocalDevice(operation, { ...memory, slots: SLOTS });
    device.verify(names[i]!);
    return device;
  });
  const timings = interleave(devices.map((device) => ({
    requests: SLOTS,
    run: () => device.serve(SLOTS),
  })));
  devices.forEach((device, i) => {
    device.verify(names[i]!);
    device.close();
  });
  return printTable(
    `${title}, ${sizeName(size)}`,
    flat(names, timings, atMost),
  );
}

/** @returns whether the cost is flat over the size of memory */
export function memorySize(): boolean {
  const memories = SIZES.map((size) => ({
    regions: [fileRegion(size)],
    from: size - USED,
  }));
  const names = SIZES.map((size) => `${size / MIB} MiB`);
  return [64, 4096].map((size) =>
    compare("Mapped guest memory", names, size, memories, 1.1)
  ).every(Boolean);
}

/** @returns whether the cost is flat over the number of regions */
export function memoryRegions(): boolean {
  // With gaps between them.
  const address = (i: number) => 2 * MIB + 2 * i * USED;
  const mapped = REGIONS.map((count) => {
    const space = new MappingSpace(2 * USED);
    const regions = Array.from(
      { length: count },
      (_, i) => fileRegion(USED / count, address(i), space),
    );
    return { regions, from: 0 };
  });
  const plain = REGIONS.map((count) => ({
    regions: Array.from(
      { length: count },
      (_, i) => plainRegion(USED / count, address(i)),
    ),
    from: 0,
  }));
  const names = REGIONS.map((count) => `${count} regions`);
  const apart = mapped.map((memory) => ({ ...memory, apart: true }));
  return [64, 4096].map((size) => [
    compare("Each request in the next region", names, size, mapped, 1.1),
    compare("Each buffer in the next region", names, size, apart),
    compare(
      "Each request in the next buffer of JavaScript",
      names,
      size,
      plain,
    ),
  ]).flat().every(Boolean);
}
