/**
 * What a measurement was made on.
 *
 * @module
 */

import { ipsecMb } from "../../device/host/ipsec_mb.ts";
import { LibraryError } from "../../device/host/library_error.ts";

/** @returns the processor's name as the kernel has it */
export function cpuModel(): string {
  // Deno itself reads /proc with every permission only.
  const { stdout } = new Deno.Command("cat", { args: ["/proc/cpuinfo"] })
    .outputSync();
  const text = new TextDecoder().decode(stdout);
  const model = /^model name\s*:\s*(.*)$/m.exec(text)?.[1] ?? "unknown";
  const { length } = text.match(/^processor\s*:/gm) ?? [];
  return `${model}, ${length} CPUs`;
}

/** @returns libcrypto's version, or that it is not there */
export function libcryptoVersion(): string {
  try {
    // const char *OpenSSL_version(int type)
    const library = Deno.dlopen("libcrypto.so.3", {
      OpenSSL_version: { parameters: ["i32"], result: "pointer" },
    });
    const text = library.symbols.OpenSSL_version(0);
    const version = text === null
      ? "unknown"
      : new Deno.UnsafePointerView(text).getCString();
    library.close();
    return version;
  } catch {
    return "not there";
  }
}

/** @returns the multi-buffer library's version, or that it is not there */
export function ipsecMbVersion(): string {
  try {
    const { version } = ipsecMb();
    return [version >> 16, version >> 8 & 0xff, version & 0xff].join(".");
  } catch (error) {
    if (error instanceof LibraryError) return "not there";
    throw error;
  }
}
