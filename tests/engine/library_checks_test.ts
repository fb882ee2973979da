import { assertEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import type { Engine } from "../../device/engine/engine.ts";
import { IpsecMbEngine } from "../../device/engine/ipsec_mb.ts";
import { openLibcryptoEngine } from "../../device/engine/libcrypto.ts";
import {
  adoptLibraryChecks,
  LIBRARY_CHECKS,
} from "../../device/engine/library_checks.ts";
import { ENGINES } from "./engines.ts";

/** What an engine serves. */
function served(engine: Engine): readonly string[] {
  return Object.values(ALGORITHMS).filter((a) => engine.serves(a)).map((a) =>
    a.name
  );
}

Deno.test({
  name: "a libcrypto engine serves what another thread found to be right",
  ignore: !("libcrypto" in ENGINES),
  fn() {
    const all = served(openLibcryptoEngine());
    const { libcrypto: found } = LIBRARY_CHECKS;
    adoptLibraryChecks(structuredClone({ libcrypto: found! }));
    assertEquals(served(openLibcryptoEngine()), all);
    adoptLibraryChecks({ libcrypto: new Set(["sha256"]) });
    try {
      assertEquals(served(openLibcryptoEngine()), ["sha256"]);
    } finally {
      adoptLibraryChecks({ libcrypto: found! });
    }
  },
});

Deno.test({
  name: "an ipsec-mb engine serves what another thread found to be right",
  ignore: !("ipsec-mb" in ENGINES),
  fn() {
    const all = served(new IpsecMbEngine());
    const { ipsecMb: found } = LIBRARY_CHECKS;
    adoptLibraryChecks(structuredClone({ ipsecMb: found! }));
    assertEquals(served(new IpsecMbEngine()), all);
    adoptLibraryChecks({ ipsecMb: new Map([["aes-cbc", new Set([16])]]) });
    try {
      assertEquals(served(new IpsecMbEngine()), ["aes-cbc"]);
    } finally {
      adoptLibraryChecks({ ipsecMb: found! });
    }
  },
});
