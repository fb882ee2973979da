// The guest's whole file system: an archive in memory of busybox, the modules, the test data, the program that runs
// ciphers by AF_ALG and the script that runs everything.

import { basename, join } from "node:path";
import { busybox, cacheFolder, type Kernel, run } from "./packages.ts";
import { caseFiles } from "./cases.ts";

const FILE_MODE = 0o100755;
const DIRECTORY_MODE = 0o040755;
const DEVICE_MODE = 0o020600;

/** One member of an archive in the "new ASCII" cpio format, the one that the kernel reads. */
function member(
  name: string,
  mode: number,
  data: Uint8Array = new Uint8Array(0),
  device: [number, number] = [0, 0],
): Uint8Array {
  const nameBytes = new TextEncoder().encode(`${name}\0`);
  const fields = [
    0, // inode
    mode,
    0, // owner
    0, // group
    1, // links
    0, // time: always the same, so that the archive is
    data.length,
    0, // the device it lies on, major and minor
    0,
    device[0],
    device[1],
    nameBytes.length,
    0, // checksum: none in this format
  ];
  const header = new TextEncoder().encode(
    `070701${fields.map((n) => n.toString(16).padStart(8, "0")).join("")}`,
  );
  const align = (n: number) => (n + 3) & ~3;
  const dataAt = align(header.length + nameBytes.length);
  const bytes = new Uint8Array(align(dataAt + data.length));
  bytes.set(header);
  bytes.set(nameBytes, header.length);
  bytes.set(data, dataAt);
  return bytes;
}

/** Builds the archive for a kernel and returns its path; it is small enough to build anew for every run. */
export async function buildInitramfs(
  kernel: Kernel,
  folder: string,
): Promise<string> {
  const helper = join(cacheFolder(), "afalg");
  const source = new URL("afalg.c", import.meta.url).pathname;
  await run("gcc", ["-static", "-O2", "-Wall", "-o", helper, source]);

  const files = new Map<string, Uint8Array>([
    ["init", Deno.readFileSync(new URL("guest_init.sh", import.meta.url))],
    ["bin/busybox", Deno.readFileSync(await busybox())],
    ["bin/afalg", Deno.readFileSync(helper)],
  ]);
  for (const module of kernel.modules) {
    files.set(`modules/${basename(module)}`, Deno.readFileSync(module));
  }
  files.set(
    "modules/order",
    new TextEncoder().encode(
      kernel.modules.map((module) => basename(module)).join("\n") + "\n",
    ),
  );
  for (const [name, data] of await caseFiles()) files.set(`data/${name}`, data);

  const parts = ["bin", "data", "dev", "modules", "proc", "sys", "tmp"]
    .map((name) => member(name, DIRECTORY_MODE));
  // The kernel opens this for the script before anything is mounted.
  parts.push(member("dev/console", DEVICE_MODE, new Uint8Array(0), [5, 1]));
  for (const [name, data] of files) parts.push(member(name, FILE_MODE, data));
  parts.push(member("TRAILER!!!", 0));

  const path = join(folder, `initramfs-${kernel.release}`);
  await Deno.writeFile(
    path,
    new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer()),
  );
  return path;
}
