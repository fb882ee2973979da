import { assertEquals, assertThrows } from "@std/assert";
import {
  CONFIG_SIZE,
  decodeConfig,
  type DeviceConfig,
  encodeConfig,
} from "../../device/spec/config.ts";
import { concat } from "../engine/guest.ts";
import { le32 } from "../support/bytes.ts";

const CONFIG: DeviceConfig = {
  status: 1,
  maxDataqueues: 0x0102,
  cryptoServices: 0b1111,
  cipherAlgoL: 0x8000_001c,
  cipherAlgoH: 0x1122_3344,
  hashAlgo: 0x1ffe,
  macAlgoL: 0xfe00_007e,
  macAlgoH: 0x0062_0600,
  aeadAlgo: 0x0e,
  maxCipherKeyLen: 256,
  maxAuthKeyLen: 512,
  maxSize: 0x12_3456_789a,
};

/** As struct virtio_crypto_config has them, in order. */
const BYTES = le32(
  1,
  0x0102,
  0b1111,
  0x8000_001c,
  0x1122_3344,
  0x1ffe,
  0xfe00_007e,
  0x0062_0600,
  0x0e,
  256,
  512,
  0,
  0x3456_789a,
  0x12,
);

Deno.test("The configuration space is 56 bytes in the document's order", () => {
  assertEquals(CONFIG_SIZE, 56);
  assertEquals(encodeConfig(CONFIG), BYTES);
});

Deno.test("decodeConfig reads what encodeConfig writes, at any place", () => {
  assertEquals(decodeConfig(BYTES), CONFIG);
  const shifted = concat(Uint8Array.of(1, 2, 3), BYTES, Uint8Array.of(4));
  assertEquals(decodeConfig(shifted.subarray(3)), CONFIG);
});

Deno.test("decodeConfig refuses fewer than 56 bytes", () => {
  for (const length of [0, 44, 55]) {
    assertThrows(() => decodeConfig(BYTES.subarray(0, length)), RangeError);
  }
});
