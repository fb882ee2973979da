import { assertEquals, assertThrows } from "@std/assert";
import {
  DumpError,
  parseDump,
  requestFrom,
} from "../../device/commands/decode/input.ts";

const BYTES = Uint8Array.from({ length: 20 }, (_, i) => i * 11);

Deno.test("A dump may be plain hex in words of any length", () => {
  for (
    const text of [
      "000b1621 2c37424d\n58636e79 848f9aa5 b0bbc6d1",
      "00 0b 16 21 2c 37 42 4d 58 63 6e 79 84 8f 9a a5 b0 bb c6 d1\n",
      "0x00,0x0b, 0x16,0x21,0x2c,0x37,0x42,0x4D,0x58,0x63,\r\n" +
      "0x6e,0x79,0x84,0x8f,0x9a,0xa5,0xb0,0xbb,0xc6,0xd1",
      "0x000b16212c37424d58636e79848f9aa5b0bbc6d1",
      "# a comment\n\n000b16212c37424d5863\n  # another\n6e79848f9aa5b0bbc6d1",
    ]
  ) assertEquals(parseDump(text), BYTES, text);
});

Deno.test("A dump's 0x word of one digit is one byte", () => {
  assertEquals(parseDump("0x0, 0x1, 0xa"), Uint8Array.of(0, 1, 10));
});

Deno.test("A dump may be xxd's", () => {
  assertEquals(
    parseDump(
      "00000000: 000b 1621 2c37 424d 5863 6e79 848f 9aa5  ...!,7BMXcny....\n" +
        "00000010: b0bb c6d1                                ....\n",
    ),
    BYTES,
  );
});

Deno.test("A dump may be that of hexdump -C", () => {
  assertEquals(
    parseDump(
      "00000000  00 0b 16 21 2c 37 42 4d  58 63 6e 79 84 8f 9a a5  |...!,7BMXcny....|\n" +
        "00000010  b0 bb c6 d1                                       |....|\n" +
        "00000014\n",
    ),
    BYTES,
  );
});

Deno.test("A star in a dump repeats the line before it", () => {
  const line = "00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |......|";
  assertEquals(
    parseDump(`00000000  ${line}\n*\n00000030  01 02    |..|\n00000032`),
    Uint8Array.from([...new Uint8Array(48), 1, 2]),
  );
  assertEquals(
    parseDump(`00000000  ${line}\n*\n00000040\n`),
    new Uint8Array(64),
  );
});

Deno.test("A dump that is none is refused with its line", () => {
  for (
    const [text, message] of [
      ["00 zz", "Cannot read line 1 of the dump: it is not hexadecimal"],
      [
        "00\n012",
        "Cannot read line 2 of the dump: it has an odd number of digits",
      ],
      [
        "00000000: 0001  ..\n00000010: 0203  ..",
        "Cannot read line 2 of the dump: offset 0x10 does not follow",
      ],
      [
        "00000000: 0001  ..\nzz",
        "Cannot read line 2 of the dump: it has no offset",
      ],
      ["# nothing", "Cannot find bytes in the dump"],
      ["", "Cannot find bytes in the dump"],
    ] as const
  ) assertThrows(() => parseDump(text), DumpError, message);
});

Deno.test("A file that is no text holds the bytes themselves", () => {
  assertEquals(requestFrom(BYTES), BYTES);
  const text = new TextEncoder().encode("00 01\n");
  assertEquals(requestFrom(text), Uint8Array.of(0, 1));
});
