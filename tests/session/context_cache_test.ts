import { assert, assertEquals, assertThrows } from "@std/assert";
import { ALGORITHMS } from "../../device/engine/algorithm.ts";
import type { Context } from "../../device/engine/engine.ts";
import { NobleEngine } from "../../device/engine/noble.ts";
import {
  ContextCache,
  type Prepare,
} from "../../device/session/context_cache.ts";
import {
  type SessionId,
  SessionRegistry,
} from "../../device/session/registry.ts";
import {
  createSessionTable,
  MAX_ENDED,
  SessionTable,
} from "../../device/session/table.ts";
import { fieldsOf } from "../support/sessions.ts";

const ENGINE = new NobleEngine();

/** A context that tells whether it was wiped, and of which key it is. */
class Traced implements Context {
  readonly engine = ENGINE;
  readonly algorithm = ALGORITHMS["aes-cbc"];
  readonly direction = "encrypt";
  readonly group = 0;
  readonly name: number;
  wiped = 0;

  constructor(name: number) {
    this.name = name;
  }

  wipe(): void {
    this.wiped++;
  }
}

/** A cache, what it prepared, and the sessions it is of. */
function cacheOf(slots: number, capacity: number) {
  const buffer = createSessionTable(slots);
  const registry = new SessionRegistry(new SessionTable(buffer));
  const made: Traced[] = [];
  const keys: Uint8Array[] = [];
  const prepare: Prepare = (_fields, key) => {
    keys.push(key);
    const context = new Traced(key[0]!);
    made.push(context);
    return context;
  };
  const cache = new ContextCache(new SessionTable(buffer), capacity, prepare);
  const create = (name: number): SessionId =>
    registry.create(
      fieldsOf({ algorithm: name, keyLength: 1 }),
      Uint8Array.of(name),
    )!;
  return { registry, cache, made, keys, create };
}

Deno.test("ContextCache prepares a session once", () => {
  const { cache, made, create } = cacheOf(4, 4);
  const { low, high } = create(9);
  const session = cache.get(low, high)!;
  assertEquals(cache.get(low, high), session);
  assertEquals([session.low, session.high], [low, high]);
  assertEquals(session.parameters, fieldsOf({ algorithm: 9, keyLength: 1 }));
  assertEquals(made.length, 1);
  assertEquals(session.context, made[0]);
  assertEquals(session.algorithm, ALGORITHMS["aes-cbc"]);
  assertEquals(cache.size, 1);
});

Deno.test("ContextCache knows no ids that are not live", () => {
  const { cache, made, create } = cacheOf(2, 2);
  const { low, high } = create(1);
  assertEquals(cache.get(low, high + 1), undefined);
  assertEquals(cache.get(1 - low, high), undefined);
  assertEquals(cache.get(2, high), undefined);
  assertEquals(cache.get(0xffff_ffff, 0xffff_ffff), undefined);
  assertEquals(made.length, 0);
});

Deno.test("ContextCache gives an ended session no more, before it is swept too", () => {
  const { registry, cache, made, create } = cacheOf(2, 2);
  const { low, high } = create(1);
  cache.get(low, high);
  registry.destroy(low, high);
  assertEquals(cache.get(low, high), undefined);
  assertEquals(made[0]!.wiped, 0);
  assertEquals(cache.sweep(), true);
  assertEquals([made[0]!.wiped, cache.size], [1, 0]);
  assertEquals(cache.sweep(), false);
});

Deno.test("ContextCache sweeps ended sessions and keeps the others", () => {
  const { registry, cache, made, create } = cacheOf(8, 8);
  const ids = [0, 1, 2, 3].map(create);
  for (const { low, high } of ids) cache.get(low, high);
  registry.destroy(ids[1]!.low, ids[1]!.high);
  registry.destroy(ids[3]!.low, ids[3]!.high);
  cache.sweep();
  assertEquals(made.map((c) => c.wiped), [0, 1, 0, 1]);
  assertEquals(cache.size, 2);
  for (const i of [0, 2]) {
    assertEquals(cache.get(ids[i]!.low, ids[i]!.high)!.context, made[i]);
  }
});

Deno.test("ContextCache sweeps when more sessions ended than the table tells apart", () => {
  const { registry, cache, made, create } = cacheOf(4, 4);
  const [kept, ended] = [create(1), create(2)];
  for (const { low, high } of [kept, ended]) cache.get(low, high);
  registry.destroy(ended.low, ended.high);
  for (let i = 1; i < MAX_ENDED; i++) {
    const { low, high } = create(3);
    registry.destroy(low, high);
  }
  assertEquals(cache.sweep(), true);
  assertEquals([made.map(({ wiped }) => wiped), cache.size], [[0, 1], 1]);
  assertEquals(cache.sweep(), false);
});

Deno.test("ContextCache makes a new context for a slot's next generation", () => {
  const { registry, cache, made, create } = cacheOf(1, 1);
  const old = create(1);
  cache.get(old.low, old.high);
  registry.destroy(old.low, old.high);
  const now = create(2);
  assertEquals(now.low, old.low);
  const session = cache.get(now.low, now.high)!;
  assertEquals((session.context as Traced).name, 2);
  assertEquals(made.map((c) => c.wiped), [1, 0]);
  cache.sweep();
  assertEquals(made.map((c) => c.wiped), [1, 0]);
  assertEquals(cache.get(now.low, now.high), session);
});

Deno.test("ContextCache drops the least recently used context", () => {
  const { cache, made, create } = cacheOf(8, 3);
  const ids = [0, 1, 2, 3, 4].map(create);
  const use = (i: number) => {
    const { low, high } = ids[i]!;
    assertEquals((cache.get(low, high)!.context as Traced).name, i);
  };
  const wiped = () => made.map((c) => `${c.name}:${c.wiped}`).join(" ");
  [0, 1, 2].forEach(use);
  [1, 0, 0].forEach(use);
  use(3);
  assertEquals(wiped(), "0:0 1:0 2:1 3:0");
  use(4);
  assertEquals(wiped(), "0:0 1:1 2:1 3:0 4:0");
  use(0);
  use(2);
  assertEquals(wiped(), "0:0 1:1 2:1 3:1 4:0 2:0");
  assertEquals(cache.size, 3);
});

Deno.test("ContextCache of one context works", () => {
  const { cache, made, create } = cacheOf(4, 1);
  const [a, b] = [create(1), create(2)];
  for (let i = 0; i < 3; i++) {
    cache.get(a.low, a.high);
    cache.get(b.low, b.high);
  }
  assertEquals(made.length, 6);
  assertEquals(made.filter((c) => c.wiped === 1).length, 5);
  assertEquals(cache.size, 1);
});

Deno.test("ContextCache agrees with a plain list over many uses", () => {
  const { registry, cache, create } = cacheOf(12, 5);
  const live: SessionId[] = [];
  let recent: string[] = [];
  const keyOf = ({ low, high }: SessionId) => `${low}.${high}`;
  let random = 12345;
  for (let step = 0; step < 3000; step++) {
    random = (Math.imul(random, 1103515245) + 12345) >>> 0;
    const pick = (random >>> 8) % 16;
    if (live.length < 3 || (pick === 0 && live.length < 12)) {
      live.push(create(step & 0xff));
    } else if (pick === 1) {
      const [gone] = live.splice((random >>> 16) % live.length, 1);
      registry.destroy(gone!.low, gone!.high);
      cache.sweep();
      recent = recent.filter((k) => k !== keyOf(gone!));
    } else {
      const id = live[(random >>> 16) % live.length]!;
      assert(cache.get(id.low, id.high));
      recent = [keyOf(id), ...recent.filter((k) => k !== keyOf(id))].slice(
        0,
        5,
      );
    }
    assertEquals(cache.size, recent.length);
  }
});

Deno.test("ContextCache wipes its copy of the key", () => {
  const { cache, keys, create } = cacheOf(2, 2);
  const { low, high } = create(0x77);
  cache.get(low, high);
  assertEquals(keys[0]!.length, 1);
  assertEquals(new Uint8Array(keys[0]!.buffer).some((b) => b !== 0), false);
});

Deno.test("ContextCache wipes its copy of the key when nothing could be made of it", () => {
  const buffer = createSessionTable(1);
  const registry = new SessionRegistry(new SessionTable(buffer));
  const { low, high } = registry.create(
    fieldsOf({ keyLength: 1 }),
    Uint8Array.of(5),
  )!;
  let seen: Uint8Array | undefined;
  const throwing = new ContextCache(new SessionTable(buffer), 1, (_, key) => {
    seen = key;
    throw new RangeError("No");
  });
  assertThrows(() => throwing.get(low, high), RangeError, "No");
  assertEquals(seen, Uint8Array.of(0));
  const refusing = new ContextCache(
    new SessionTable(buffer),
    1,
    () => undefined,
  );
  assertEquals(refusing.get(low, high), undefined);
  assertEquals(refusing.size, 0);
});

Deno.test("ContextCache wipes all contexts when it is cleared", () => {
  const { cache, made, create } = cacheOf(4, 4);
  for (const { low, high } of [create(1), create(2)]) cache.get(low, high);
  cache.clear();
  assertEquals(made.map((c) => c.wiped), [1, 1]);
  assertEquals(cache.size, 0);
});
