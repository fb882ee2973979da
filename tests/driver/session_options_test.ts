import { assertEquals, assertThrows } from "@std/assert";
import {
  type ChainSessionOptions,
  type CipherSessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";

const key = new Uint8Array(16);

const CIPHER: CipherSessionOptions = {
  service: "cipher",
  algorithm: "aes-cbc",
  key,
  direction: "decrypt",
};

const CHAIN: ChainSessionOptions = {
  service: "chain",
  cipher: { algorithm: "aes-cbc", key, direction: "encrypt" },
  hash: { algorithm: "sha256" },
  order: "hash-then-cipher",
};

/** Options as a program without types may have them. */
function untyped<Options>(
  options: Options,
  changed: Readonly<Record<string, unknown>>,
): Options {
  return { ...options, ...changed };
}

Deno.test("a direction that is none is refused, and does not decrypt", () => {
  assertEquals(sessionParameters(CIPHER).op, 2);
  for (const direction of [undefined, "Encrypt", 1]) {
    const cipher = untyped(CIPHER, { direction });
    const aead = untyped(CIPHER, {
      service: "aead",
      algorithm: "aes-gcm",
      direction,
    });
    const chain = untyped(CHAIN, { cipher });
    for (const options of [cipher, aead, chain]) {
      assertThrows(
        () => sessionParameters(options),
        TypeError,
        `direction "${direction}"`,
      );
    }
  }
});

Deno.test("an order of chaining that is none is refused", () => {
  assertEquals(sessionParameters(CHAIN).chainOrder, 1);
  for (const order of [undefined, "hash"]) {
    assertThrows(
      () => sessionParameters(untyped(CHAIN, { order })),
      TypeError,
      `order "${order}"`,
    );
  }
});
