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
`;

Deno.test("optimised code that has an AES key in vector registers is never given up", async () => {
  const { code, stdout, stderr } = await runProgram("-", {
    flags: ["--v8-flags=--trace-deopt,--trace-opt", "--ext=ts"],
    input: PROGRAM,
  });
  assertEquals([code, stderr], [0, ""]);
  const lines = stdout.split("\n");
  const bailouts = lines.filter((line) => line.includes("bailout"));
  // The loop itself ends with one.
  assert(bailouts.length > 0, "no bailout was traced");
  for (const name of ["expandKeyLE", "expandKeyDecLE"]) {
    const own = lines.filter((line) => line.includes(`<JSFunction ${name} `));
    assert(own.some((line) => line.includes("completed optimizing")), name);
    assertEquals(own.filter((line) => bailouts.includes(line)), []);
  }
});
