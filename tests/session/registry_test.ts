import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { SessionRegistry } from "../../device/session/registry.ts";
import {
  createSessionTable,
  MAX_GENERATION,
  SessionTable,
} from "../../device/session/table.ts";
import { fieldsOf } from "../support/sessions.ts";

function registryOf(slots: number) {
  const table = new SessionTable(createSessionTable(slots));
  return { table, registry: new SessionRegistry(table) };
}

const KEY = Uint8Array.of(1, 2, 3);
const FIELDS = fieldsOf({ service: 2, keyLength: 3 });

Deno.test("SessionRegistry gives ids of a slot and a generation from 1 on", () => {
  const { registry, table } = registryOf(3);
  const ids = [0, 1, 2].map(() => registry.create(FIELDS, KEY)!);
  assertEquals(new Set(ids.map((id) => id.low)).size, 3);
  for (const { low, high } of ids) {
    assert(low >= 0 && low < 3);
    assertEquals(high, 1);
    assertEquals(table.isLive(low, high), true);
    assertEquals(registry.service(low, high), 2);
  }
  assertEquals(registry.size, 3);
});

Deno.test("SessionRegistry begins with the generation it is given", () => {
  const table = new SessionTable(createSessionTable(2));
  const registry = new SessionRegistry(table, 77);
  const { low, high } = registry.create(FIELDS, KEY)!;
  assertEquals(high, 77);
  assertEquals(registry.clear(), 1);
  const ids = [0, 1].map(() => registry.create(FIELDS, KEY)!);
  assertEquals(ids.find((id) => id.low === low)?.high, 78);
  assertEquals(ids.find((id) => id.low !== low)?.high, 77);
});

Deno.test("SessionRegistry creates no more sessions than it has slots", () => {
  const { registry } = registryOf(2);
  const first = registry.create(FIELDS, KEY)!;
  registry.create(FIELDS, KEY);
  assertEquals(registry.create(FIELDS, KEY), undefined);
  assertEquals(registry.size, 2);
  registry.destroy(first.low, first.high);
  const again = registry.create(FIELDS, KEY)!;
  assertEquals([again.low, again.high], [first.low, 2]);
  assertEquals(registry.create(FIELDS, KEY), undefined);
});

Deno.test("SessionRegistry never gives an id a second time", () => {
  const { registry } = registryOf(1);
  const seen = new Set<number>();
  for (let i = 0; i < 100; i++) {
    const { low, high } = registry.create(FIELDS, KEY)!;
    assertNotEquals(seen.has(high), true);
    seen.add(high);
    assertEquals(registry.destroy(low, high), true);
  }
});

Deno.test("SessionRegistry destroys only what is live", () => {
  const { registry } = registryOf(2);
  const { low, high } = registry.create(FIELDS, KEY)!;
  for (
    const [l, h] of [
      [low, high + 1],
      [low, 0],
      [1 - low, high],
      [2, high],
      [0xffff_ffff, 0xffff_ffff],
      [low, high + 0x8000_0000],
    ] as const
  ) {
    assertEquals(registry.destroy(l, h), false);
    assertEquals(registry.service(l, h), -1);
  }
  assertEquals(registry.destroy(low, high), true);
  assertEquals(registry.destroy(low, high), false);
  assertEquals(registry.service(low, high), -1);
  assertEquals(registry.size, 0);
});

Deno.test("SessionRegistry destroys an id of an earlier generation never", () => {
  const { registry, table } = registryOf(1);
  const old = registry.create(FIELDS, KEY)!;
  registry.destroy(old.low, old.high);
  const now = registry.create(FIELDS, KEY)!;
  assertEquals(now.low, old.low);
  assertEquals(registry.destroy(old.low, old.high), false);
  assertEquals(table.isLive(now.low, now.high), true);
});

Deno.test("SessionRegistry retires a slot whose generations are used up", () => {
  // 2^31 creations are too many for a test: the generations are set.
  class LastGeneration extends SessionTable {
    override publish(
      ...[slot, , fields, key]: Parameters<SessionTable["publish"]>
    ): void {
      super.publish(slot, MAX_GENERATION, fields, key);
    }
  }
  const table = new LastGeneration(createSessionTable(2));
  const registry = new SessionRegistry(table);
  const { low } = registry.create(FIELDS, KEY)!;
  assertEquals(registry.destroy(low, MAX_GENERATION), true);
  assertEquals(registry.size, 0);
  const other = registry.create(FIELDS, KEY)!;
  assertNotEquals(other.low, low);
  assertEquals(registry.destroy(other.low, MAX_GENERATION), true);
  assertEquals(registry.create(FIELDS, KEY), undefined);
});

Deno.test("SessionRegistry clears all sessions, and counts them", () => {
  const { registry, table } = registryOf(4);
  const ids = [0, 1, 2].map(() => registry.create(FIELDS, KEY)!);
  registry.destroy(ids[1]!.low, ids[1]!.high);
  assertEquals(registry.clear(), 2);
  assertEquals(registry.size, 0);
  assertEquals(table.retired, 3);
  for (const { low, high } of ids) assertEquals(table.isLive(low, high), false);
  assertEquals(registry.clear(), 0);
  for (let i = 0; i < 4; i++) assert(registry.create(FIELDS, KEY));
});
