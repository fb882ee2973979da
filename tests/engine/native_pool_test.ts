import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import { NativePool } from "../../device/engine/ipsec_mb/native_memory.ts";
import { IpsecMbEngine } from "../../device/engine/ipsec_mb.ts";
import { ENGINES } from "./engines.ts";

/** Whether this process may call libraries is what the engine depends on, too. */
const ignore = !("ipsec-mb" in ENGINES);

function test(name: string, fn: () => void): void {
  Deno.test({ name, ignore, fn });
}

test("NativePool overwrites what is given back, and gives it to the next of its size", () => {
  const pool = new NativePool();
  const memory = pool.take(64);
  const other = pool.take(64);
  assertNotEquals(memory.address, other.address);
  memory.bytes.fill(7);
  other.bytes.fill(8);
  pool.giveBack(memory);
  assertEquals(memory.bytes, new Uint8Array(64));
  assertNotEquals(pool.take(80), memory);
  assertEquals(pool.take(64), memory);
  // There is no other.
  assert(![memory, other].includes(pool.take(64)));
});

test("NativePool keeps no more than 256 of a size", () => {
  const pool = new NativePool();
  const taken = Array.from({ length: 300 }, () => pool.take(16));
  for (const memory of taken) pool.giveBack(memory);
  const again = new Set(Array.from({ length: 300 }, () => pool.take(16)));
  assertEquals(again.size, 300);
  assertEquals(taken.filter((memory) => again.has(memory)).length, 256);
});

test("A context that is wiped twice gives its memory back once", () => {
  const engine = new IpsecMbEngine();
  const prepare = () => {
    const context = engine.prepare(
      ALGORITHMS["aes-gcm"],
      "encrypt",
      new Uint8Array(16),
    );
    return context as unknown as {
      readonly memory: { readonly address: bigint };
      wipe(): void;
    };
  };
  const context = prepare();
  context.wipe();
  context.wipe();
  const next = [prepare(), prepare()].map(({ memory }) => memory.address);
  assertEquals(next[0], context.memory.address);
  assertNotEquals(next[1], next[0]);
});
