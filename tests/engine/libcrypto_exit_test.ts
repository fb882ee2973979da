import { assertEquals } from "@std/assert";
import { libcrypto } from "../../device/host/libcrypto.ts";
import { LibraryError } from "../../device/host/library_error.ts";
import { runProgram } from "../support/programs.ts";

/** Whether the library can be opened; engines.ts says so where it cannot. */
function isThere(): boolean {
  try {
    libcrypto();
    return true;
  } catch (error) {
    if (error instanceof LibraryError) return false;
    throw error;
  }
}

/** Ends itself with libcrypto in use; aborts where that is then cleaned up. */
const PROGRAM = `
import { openLibcryptoEngine } from "./device/engine/libcrypto.ts";

openLibcryptoEngine();
const library = Deno.dlopen("libcrypto.so.3", {
  // int OPENSSL_atexit(void (*handler)(void))
  OPENSSL_atexit: { parameters: ["usize"], result: "i32" },
  // void *dlsym(void *handle, const char *symbol), of the C library
  dlsym: { parameters: ["usize", "buffer"], result: "usize" },
}).symbols;
const abort = library.dlsym(0n, new TextEncoder().encode("abort\\0"));
console.log(library.OPENSSL_atexit(abort));
`;

Deno.test({
  name:
    "A process that ends does not free what workers inside libcrypto still use",
  ignore: !isThere(),
  fn: async () => {
    const { code, stdout } = await runProgram("-", {
      flags: ["--ext=ts", "--allow-ffi"],
      input: PROGRAM,
    });
    assertEquals({ code, stdout }, { code: 0, stdout: "1" });
  },
});
