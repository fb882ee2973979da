import { assertEquals } from "@std/assert";
import {
  expandTwofishKey,
  twofishEncryptBlock,
} from "../../device/engine/primitives/twofish.ts";
import { loadVectors } from "../vectors/vectors.ts";
import { concat } from "./guest.ts";
import { Random } from "./random.ts";

function encrypt(key: Uint8Array, block: Uint8Array): Uint8Array {
  const bytes = Uint8Array.from(block);
  twofishEncryptBlock(expandTwofishKey(key), new Uint32Array(bytes.buffer));
  return bytes;
}

Deno.test("twofishEncryptBlock agrees with the vectors of twofish", () => {
  const sizes = new Set<number>();
  for (const { key, msg, ct, source } of loadVectors("twofish")) {
    sizes.add(key.length);
    assertEquals(encrypt(key, msg).toHex(), ct.toHex(), source);
  }
  assertEquals([...sizes], [16, 24, 32]);
});

Deno.test("twofishEncryptBlock follows the chains of ecb_tbl to their ends", () => {
  const vectors = loadVectors("twofish");
  for (const size of [16, 24, 32]) {
    let key: Uint8Array = new Uint8Array(size);
    let plain: Uint8Array = new Uint8Array(16);
    for (let i = 1; i < 49; i++) {
      const cipher = encrypt(key, plain);
      key = concat(plain, key).subarray(0, size);
      plain = cipher;
    }
    const last = vectors.findLast((vector) => vector.key.length === size)!;
    assertEquals(key.toHex(), last.key.toHex());
    assertEquals(plain.toHex(), last.msg.toHex());
    assertEquals(encrypt(key, plain).toHex(), last.ct.toHex());
  }
});

Deno.test("twofishEncryptBlock works on a block among others", () => {
  const random = new Random(1);
  const key = random.bytes(24);
  const bytes = random.bytes(48);
  const expected = bytes.slice();
  expected.set(encrypt(key, bytes.subarray(16, 32)), 16);
  twofishEncryptBlock(expandTwofishKey(key), new Uint32Array(bytes.buffer), 4);
  assertEquals(bytes, expected);
});

Deno.test("expandTwofishKey leaves the caller's key as it is", () => {
  for (const size of [16, 24, 32]) {
    const key = new Random(size).bytes(size);
    const copy = key.slice();
    expandTwofishKey(key);
    assertEquals(key, copy);
  }
});
