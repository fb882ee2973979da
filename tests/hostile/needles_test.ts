import { assertEquals, assertThrows } from "@std/assert";
import { GuestMemory } from "../../device/memory/guest_memory.ts";
import { plainRegion } from "../support/plain_memory.ts";
import { GuardError, MemoryImage } from "./image.ts";
import { Needles } from "./needles.ts";
import { NEEDLES } from "./secret.ts";

const KEY = Uint8Array.of(9, 8, 7, 6);
const DATA = Uint8Array.of(9, 9, 8, 8);

Deno.test("Needles finds each of them, wherever it is", () => {
  const needles = new Needles([KEY, DATA]);
  for (const needle of [KEY, DATA]) {
    for (let at = 0; at <= 12; at++) {
      // With the beginning of one before it, and cut off behind it.
      const bytes = new Uint8Array(16).fill(9);
      bytes.set(needle, at);
      assertEquals(needles.indexIn(bytes), at, `${needle} at ${at}`);
      assertEquals(needles.indexIn(bytes.subarray(0, at + 3)), -1);
    }
  }
  assertEquals(needles.indexIn(Uint8Array.of(9)), -1);
  assertEquals(needles.indexIn(new Uint8Array()), -1);
});

Deno.test("A secret anywhere in guest memory is found", () => {
  const memory = new GuestMemory([plainRegion(1 << 16)]);
  const image = new MemoryImage(memory);
  image.checkAbsent(NEEDLES);
  const [bytes] = memory.bytes;
  for (const needle of NEEDLES.all) {
    for (const at of [0, 77, 0x8000, bytes!.length - needle.length]) {
      const before = bytes!.slice(at, at + needle.length);
      bytes!.set(needle, at);
      assertThrows(() => image.checkAbsent(NEEDLES), GuardError, "secret");
      bytes!.set(before, at);
    }
  }
  image.checkAbsent(NEEDLES);
});
