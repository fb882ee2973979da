// What the guests are made of, from Debian: the host's QEMU, a kernel with its modules, busybox, and a newer QEMU in
// a folder of its own. Everything but the host's own packages is kept in a cache folder, so that a second run
// fetches nothing.

import { join } from "node:path";

/** A QEMU that can be run: its command with the arguments it always needs. */
export interface Qemu {
  command: string;
  args: string[];
  env: Record<string, string>;
  version: string;
}

/** A kernel image and the modules the guest loads, in an order that satisfies their dependencies. */
export interface Kernel {
  release: string;
  image: string;
  modules: string[];
}

/** Where Debian's packages are fetched from when the machine's own lists do not say. */
const MIRROR = "http://deb.debian.org/debian";

/** The modules a guest needs; a kernel has some of them built in, and a few kernels lack the optional ones. */
const MODULES = [
  "virtio_pci",
  "cbc",
  "aes_generic",
  "aesni_intel",
  "algif_skcipher",
  "virtio_crypto",
];

const projectRoot = new URL("../../", import.meta.url).pathname;

/** The folder that outlives a run. Removing it makes the next run fetch the newest of everything. */
export function cacheFolder(): string {
  const folder = Deno.env.get("VIRTIO_CRYPTO_GUEST_CACHE") ??
    join(projectRoot, ".cache", "guest");
  Deno.mkdirSync(folder, { recursive: true });
  return folder;
}

export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Hands on what a process prints, as it prints it, until its end. */
export async function collect(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    take(text);
  }
}

/** Runs a command to its end and returns its standard output; its standard error is shown only when it fails. */
export async function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string>; seconds?: number } =
    {},
): Promise<string> {
  const { seconds = 300, ...rest } = options;
  const { code, stdout, stderr } = await new Deno.Command("timeout", {
    args: ["--kill-after=5", `${seconds}`, command, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...rest,
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) {
    const text = (decoder.decode(stdout) + decoder.decode(stderr)).trimEnd();
    throw new Error(
      `Cannot run ${command} ${args.join(" ")}: exit code ${code}\n${
        text.split("\n").slice(-15).join("\n")
      }`,
    );
  }
  return decoder.decode(stdout);
}

const apt = (...args: string[]) =>
  ["-qq", "-o", "DPkg::Lock::Timeout=120", "-o", "APT::Sandbox::User=root"]
    .concat(args);
let updated = false;

/** Runs `attempt`, and once more with fresh package lists where it fails: old lists name packages that are gone. */
async function withPackageLists<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch (error) {
    if (updated) throw error;
    updated = true;
    await run("apt-get", apt("update"));
    return await attempt();
  }
}

/** Installs on this machine those packages whose file is not there. */
async function installOnHost(wanted: Record<string, string>): Promise<void> {
  const missing = Object.keys(wanted).filter((file) => !exists(file))
    .map((file) => wanted[file]!);
  if (missing.length === 0) return;
  console.log(`guest tests: installing ${missing.join(", ")}`);
  await withPackageLists(() =>
    run(
      "apt-get",
      apt("install", "--yes", "--no-install-recommends", ...missing),
      { env: { DEBIAN_FRONTEND: "noninteractive" } },
    )
  );
}

/** The QEMU that this machine's Debian has (7.2 on Debian 12), and the compiler for the guest's own program. */
export async function hostQemu(): Promise<Qemu> {
  await installOnHost({
    "/usr/bin/qemu-system-x86_64": "qemu-system-x86",
    "/usr/bin/gcc": "gcc",
    "/usr/include/linux/if_alg.h": "linux-libc-dev",
    "/usr/lib/x86_64-linux-gnu/libc.a": "libc6-dev",
    "/usr/bin/xz": "xz-utils",
  });
  const qemu = { command: "qemu-system-x86_64", args: [], env: {} };
  return { ...qemu, version: await qemuVersion(qemu) };
}

async function qemuVersion(qemu: Omit<Qemu, "version">): Promise<string> {
  const text = await run(qemu.command, [...qemu.args, "--version"], {
    env: qemu.env,
  });
  return /version (\S+)/.exec(text)?.[1] ?? "unknown";
}

/**
 * Makes `folder` by `fill` where it is not there. It is filled under another name and renamed, so that a run that is
 * interrupted leaves nothing that looks complete.
 */
async function cached(
  folder: string,
  what: string,
  fill: (into: string) => Promise<void>,
): Promise<string> {
  const path = join(cacheFolder(), folder);
  if (exists(path)) return path;
  console.log(`guest tests: fetching ${what} into ${path}`);
  const unfinished = `${path}.unfinished`;
  if (exists(unfinished)) await Deno.remove(unfinished, { recursive: true });
  await Deno.mkdir(unfinished);
  try {
    await fill(unfinished);
    await Deno.rename(unfinished, path);
  } catch (error) {
    await Deno.remove(unfinished, { recursive: true }).catch(() => {});
    throw error;
  }
  return path;
}

/** busybox-static's one file, from the package: installing it could displace the machine's own busybox. */
export async function busybox(): Promise<string> {
  const folder = await cached("busybox", "busybox-static", async (into) => {
    await withPackageLists(() =>
      run("apt-get", apt("download", "busybox-static"), { cwd: into })
    );
    await unpack(into);
  });
  for (const path of ["bin/busybox", "usr/bin/busybox"]) {
    if (exists(join(folder, path))) return join(folder, path);
  }
  throw new Error(`Cannot find busybox in ${folder}`);
}

/** Unpacks the packages that lie in `folder` into it, and removes them. */
async function unpack(folder: string): Promise<void> {
  for (const { name } of [...Deno.readDirSync(folder)]) {
    if (!name.endsWith(".deb")) continue;
    await run("dpkg-deb", ["-x", join(folder, name), folder]);
    await Deno.remove(join(folder, name));
  }
}

/** This machine's Debian's own kernel (6.1 on Debian 12); nothing of it is installed. */
export async function debianKernel(): Promise<Kernel> {
  const folder = await cached("kernel", "Debian's kernel", async (into) => {
    const packages = await withPackageLists(() =>
      kernelPackages((name) => run("apt-cache", ["depends", name]))
    );
    await withPackageLists(() =>
      run("apt-get", apt("download", ...packages), { cwd: into })
    );
    await unpack(into);
    await keepKernel(into);
  });
  return readKernel(folder);
}

/** The packages that hold the image and the modules: one until Debian 13, several since. */
async function kernelPackages(
  depends: (name: string) => Promise<string>,
): Promise<string[]> {
  const found: string[] = [];
  const visit = async (name: string) => {
    for (
      const [, dependency] of (await depends(name)).matchAll(
        /^ *Depends: (linux-(?:image|binary|modules)-\d\S*)$/gm,
      )
    ) {
      if (found.includes(dependency!)) continue;
      found.push(dependency!);
      await visit(dependency!);
    }
  };
  await visit("linux-image-amd64");
  if (found.length === 0) {
    throw new Error("Cannot find the package that linux-image-amd64 names");
  }
  return found;
}

/** Reduces an unpacked kernel to the image and the modules needed, with a list of these in their order. */
async function keepKernel(folder: string): Promise<void> {
  const tree = exists(join(folder, "usr/lib/modules"))
    ? join(folder, "usr/lib/modules")
    : join(folder, "lib/modules");
  const release = [...Deno.readDirSync(tree)][0]!.name;
  const files = new Map<string, string>();
  const collect = (path: string) => {
    for (const entry of Deno.readDirSync(path)) {
      const child = join(path, entry.name);
      if (entry.isDirectory) collect(child);
      const name = /^(.*)\.ko(?:\.xz)?$/.exec(entry.name)?.[1];
      if (name !== undefined) files.set(name.replaceAll("-", "_"), child);
    }
  };
  collect(join(tree, release, "kernel"));

  const kept = join(folder, "modules");
  await Deno.mkdir(kept);
  const order: string[] = [];
  const keep = async (name: string) => {
    const file = files.get(name);
    // A module that is not there is built in; were it really missing, the guest would say so.
    if (file === undefined || order.includes(name)) return;
    const target = join(kept, `${name}.ko`);
    if (file.endsWith(".xz")) await run("xz", ["--decompress", file]);
    await Deno.copyFile(file.replace(/\.xz$/, ""), target);
    for (const dependency of moduleDependencies(target)) await keep(dependency);
    order.push(name);
  };
  for (const name of MODULES) await keep(name);

  const image = [
    join(folder, "boot", `vmlinuz-${release}`),
    join(tree, release, "vmlinuz"),
  ].find(exists);
  if (image === undefined) {
    throw new Error(`Cannot find the image of kernel ${release} in ${folder}`);
  }
  await Deno.rename(image, join(folder, "vmlinuz"));
  await Deno.writeTextFile(
    join(folder, "kernel.json"),
    JSON.stringify({ release, order }),
  );
  for (const top of ["boot", "lib", "usr", "etc"]) {
    const path = join(folder, top);
    if (exists(path)) await Deno.remove(path, { recursive: true });
  }
}

/** What a module's own information section says it depends on. */
function moduleDependencies(path: string): string[] {
  const text = new TextDecoder("latin1").decode(Deno.readFileSync(path));
  const list = /\0depends=([^\0]*)\0/.exec(text)?.[1] ?? "";
  return list.split(",").filter((name) => name !== "")
    .map((name) => name.replaceAll("-", "_"));
}

function readKernel(folder: string): Kernel {
  const { release, order } = JSON.parse(
    Deno.readTextFileSync(join(folder, "kernel.json")),
  ) as { release: string; order: string[] };
  return {
    release,
    image: join(folder, "vmlinuz"),
    modules: order.map((name) => join(folder, "modules", `${name}.ko`)),
  };
}

/**
 * The QEMU of Debian's newest release, or the reason why it cannot be had. It is installed with its libraries into a
 * folder, and run from there by its own dynamic loader.
 */
export async function newestQemu(): Promise<Qemu | string> {
  const reasons: string[] = [];
  for (const suite of ["sid", "testing"]) {
    try {
      const root = await cached(
        suite,
        `the QEMU of Debian ${suite}`,
        async (into) => {
          await installOnHost({ "/usr/sbin/debootstrap": "debootstrap" });
          await run("debootstrap", [
            "--variant=minbase",
            "--include=qemu-system-x86",
            suite,
            into,
            MIRROR,
          ]);
          // The packages themselves, about as large as what came out of them.
          await run("chroot", [into, "apt-get", "clean"]);
        },
      );
      return await qemuIn(root);
    } catch (error) {
      reasons.push(`${suite}: ${(error as Error).message.split("\n").at(-1)}`);
    }
  }
  return reasons.join("; ");
}

async function qemuIn(root: string): Promise<Qemu> {
  const libraries = join(root, "usr/lib/x86_64-linux-gnu");
  const qemu = {
    command: join(root, "usr/lib64/ld-linux-x86-64.so.2"),
    args: [
      "--library-path",
      libraries,
      join(root, "usr/bin/qemu-system-x86_64"),
      "-L",
      join(root, "usr/share/qemu"),
      "-L",
      join(root, "usr/share/seabios"),
    ],
    env: { QEMU_MODULE_DIR: join(libraries, "qemu") },
  };
  return { ...qemu, version: await qemuVersion(qemu) };
}

/** Whether a QEMU has a device of that name. */
export async function hasDevice(qemu: Qemu, name: string): Promise<boolean> {
  // Asked for by name: the whole list would load modules, and where one is missing, those of the host's QEMU.
  try {
    const options = await run(
      qemu.command,
      [...qemu.args, "-device", `${name},help`],
      { env: qemu.env },
    );
    return options.includes("chardev=");
  } catch {
    return false;
  }
}

/** The kernel of the same newest release, or the reason why it cannot be had. */
export async function newestKernel(): Promise<Kernel | string> {
  const suite = ["sid", "testing"].find((suite) =>
    exists(join(cacheFolder(), suite))
  );
  if (suite === undefined) return "no newest Debian to take it from";
  const root = join(cacheFolder(), suite);
  try {
    const folder = await cached(
      `kernel-${suite}`,
      `the kernel of Debian ${suite}`,
      async (into) => {
        const packages = await kernelPackages((name) =>
          run("chroot", [root, "apt-cache", "depends", name])
        );
        await run("chroot", [
          root,
          "sh",
          "-c",
          'cd /tmp && apt-get -qq -o APT::Sandbox::User=root download "$@"',
          "sh",
          ...packages,
        ]);
        for (const { name } of [...Deno.readDirSync(join(root, "tmp"))]) {
          if (!name.endsWith(".deb")) continue;
          await run("mv", [join(root, "tmp", name), into]);
        }
        await unpack(into);
        await keepKernel(into);
      },
    );
    return readKernel(folder);
  } catch (error) {
    return (error as Error).message.split("\n")[0]!;
  }
}
