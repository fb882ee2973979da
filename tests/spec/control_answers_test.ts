import { assertEquals } from "@std/assert";
import {
  encodeCreateAnswer,
  encodeDestroyAnswer,
} from "../../device/spec/control_request.ts";
import { concat } from "../engine/guest.ts";
import { le32 } from "../support/bytes.ts";

/** 20 bytes that hold something else. */
function target(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(20).fill(0xee);
}

const REST = Uint8Array.of(0xee, 0xee, 0xee, 0xee);

Deno.test("A creation's answer is id, status and padding in 16 bytes", () => {
  const bytes = target();
  const length = encodeCreateAnswer(
    new DataView(bytes.buffer),
    0xfedc_ba98,
    0x7654_3210,
    0,
  );
  assertEquals(length, 16);
  assertEquals(bytes, concat(le32(0xfedc_ba98, 0x7654_3210, 0, 0), REST));
});

Deno.test("A creation's answer has no id when it failed", () => {
  for (const status of [1, 3]) {
    const bytes = target();
    encodeCreateAnswer(new DataView(bytes.buffer), 5, 6, status);
    assertEquals(bytes, concat(le32(0, 0, status, 0), REST));
  }
});

Deno.test("A destruction's answer is 8 bytes, or the status byte below 8", () => {
  for (let writable = 1; writable <= 20; writable++) {
    const bytes = target();
    const expected = target();
    if (writable < 8) expected[0] = 3;
    else expected.set(le32(3, 0));
    assertEquals(
      encodeDestroyAnswer(new DataView(bytes.buffer), writable, 3),
      writable < 8 ? 1 : 8,
    );
    assertEquals(bytes, expected, `${writable} writable bytes`);
  }
});
