import { assert, assertEquals } from "@std/assert";
import { runProgram } from "../support/programs.ts";

/** Expands keys of each size in turn, often enough to be compiled in between. */
const PROGRAM = `
import { expandInverseKey, expandKey } from "./device/engine/noble/expanded_key.ts";
for (const size of [16, 24, 32]) {
  for (let i = 0; i < 20_000; i++) {
    const key = new Uint8Array(size).fill(i);
    expandKey(key);
    expandInverseKey(key);
  }
}
// What is compiled for numbers, and gets an object.
const half = (value: number) => value / 2;
for (let i = 0; i < 1e6; i++) half(i);
half({} as number);
`;

Deno.test("optimised code that has an AES key in vector registers is never given up", async () => {
  const { code, stdout, stderr } = await runProgram("-", {
    flags: ["--v8-flags=--trace-deopt", "--ext=ts"],
    input: PROGRAM,
  });
  assertEquals([code, stderr], [0, ""]);
  const given = stdout.split("\n").filter((line) => line.includes("bailout"));
  assert(given.some((line) => line.includes(" half ")), "nothing was traced");
  assertEquals(given.filter((line) => line.includes("expandKey")), []);
});
