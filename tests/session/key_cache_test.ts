import { assertEquals } from "@std/assert";
import type { InPlaceCipher } from "../../device/engine/engine.ts";
import { KeyCache } from "../../device/session/key_cache.ts";
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

/** Bytes of a key, as the ciphers here count them. */
const KEY_BYTES = 100;

/** A cipher that only keeps keys, and remembers which it had. */
class Keeper implements InPlaceCipher {
  readonly most = 64;
  readonly mostAlike = 64;
  readonly batchBytes = 4096;
  readonly keyBytes = KEY_BYTES;
  /** The first byte of each key, or 0 where there is none. */
  readonly kept: number[] = [];
  readonly given: Uint8Array[] = [];
  /** First bytes of the keys that were removed. */
  readonly removed: number[] = [];
  readonly touched: number[][] = [];
  refuses = false;

  addKey(key: Uint8Array): number {
    this.given.push(key);
    if (this.refuses) return -1;
    const free = this.kept.indexOf(0);
    const number = free < 0 ? this.kept.length : free;
    this.kept[number] = key[0]!;
    return number;
  }

  removeKey(number: number): void {
    this.removed.push(this.kept[number]!);
    this.kept[number] = 0;
  }

  touchKeys(numbers: Int32Array, count: number): number {
    this.touched.push([...numbers.subarray(0, count)]);
    return 0;
  }

  begin(): void {}

  add(): boolean {
    return false;
  }

  finish(): Uint8Array {
    return new Uint8Array(0);
  }
}

/** The algorithm whose requests do not run in place. */
const ELSEWHERE = 9;

/**
 * A cache of sessions whose keys are a byte long, and its ciphers: one in all
 * for what is alone, and else one for each algorithm.
 */
function cacheOf(slots: number, keys = slots) {
  const buffer = createSessionTable(slots);
  const registry = new SessionRegistry(new SessionTable(buffer));
  const ciphers = [new Keeper(), new Keeper()] as const;
  const alone = new Keeper();
  const asked: number[] = [];
  const cache = new KeyCache(
    new SessionTable(buffer),
    ({ algorithm }) => {
      asked.push(algorithm);
      const cipher = ciphers[algorithm];
      return cipher && { cipher, cipherAlone: alone, algorithm };
    },
    keys * KEY_BYTES,
  );
  const create = (name: number, algorithm = 0): SessionId =>
    registry.create(
      fieldsOf({ algorithm, keyLength: 1 }),
      Uint8Array.of(name),
    )!;
  const destroy = ({ low, high }: SessionId) => registry.destroy(low, high);
  /** First byte of a session's key, or a number below 0. */
  const find = ({ low, high }: SessionId, mayDrop = true) => {
    const kind = cache.find(low, high, mayDrop);
    if (kind < 0) return kind;
    const key = cache.key(low);
    return key < 0 ? key : cache.kind(kind).cipher.kept[key]!;
  };
  return { cache, ciphers, alone, asked, create, destroy, find };
}

Deno.test("KeyCache expands a session's key once", () => {
  const { cache, ciphers, create, find } = cacheOf(4);
  const id = create(7);
  assertEquals([find(id), find(id)], [7, 7]);
  assertEquals(ciphers[0].given.length, 1);
  assertEquals([cache.size, cache.bytes], [1, KEY_BYTES]);
});

Deno.test("KeyCache asks once for the kind of sessions that are alike", () => {
  const { cache, ciphers, asked, create, find } = cacheOf(8);
  const ids = [create(1), create(2), create(3, 1), create(4, 1), create(5)];
  assertEquals(ids.map((id) => find(id)), [1, 2, 3, 4, 5]);
  assertEquals(asked, [0, 1]);
  assertEquals(ciphers.map(({ kept }) => kept), [[1, 2, 5], [3, 4]]);
  const [first] = ids;
  assertEquals(
    cache.kind(cache.find(first!.low, first!.high, true)).algorithm,
    0,
  );
});

Deno.test("KeyCache knows no ids that are not live", () => {
  const { cache, ciphers, create, destroy, find } = cacheOf(2);
  const { low, high } = create(1);
  assertEquals(cache.find(low, high + 1, true), -1);
  assertEquals(cache.find(1 - low, high, true), -1);
  assertEquals(cache.find(2, high, true), -1);
  assertEquals(cache.find(0xffff_ffff, 0xffff_ffff, true), -1);
  assertEquals(find({ low, high }), 1);
  destroy({ low, high });
  assertEquals(find({ low, high }), -1);
  assertEquals(ciphers[0].given.length, 1);
});

Deno.test("KeyCache serves a batch those sessions that were live when all of it was offered", () => {
  const { cache, ciphers, create, destroy, find } = cacheOf(2);
  const [first, second] = [create(1), create(2)];
  find(first);
  cache.begin();
  destroy(first);
  assertEquals(find(first, false), 1);
  // It is not known: it must be live now.
  destroy(second);
  assertEquals(find(second, false), -1);
  const next = create(3);
  assertEquals(next.low, second.low);
  assertEquals(find(next, false), 3);
  // The next batch comes before the sweep that says so, or after.
  for (const sweep of [false, true]) {
    if (sweep) cache.sweep();
    cache.begin();
    assertEquals(find(first, false), -1);
    assertEquals(cache.find(first.low, 0, false), -1);
    assertEquals(find(next, false), 3);
  }
  assertEquals(ciphers[0].given.length, 2);
});

Deno.test("KeyCache has no place for a key of too large a number", () => {
  const { cache, ciphers, create, find } = cacheOf(2);
  const removed: number[] = [];
  ciphers[0].addKey = () => (1 << 18) - 1;
  ciphers[0].removeKey = (number) => void removed.push(number);
  const id = create(1);
  assertEquals([find(id), find(id)], [-1, -1]);
  assertEquals([removed, cache.bytes], [[(1 << 18) - 1], 0]);
  ciphers[0].addKey = () => (1 << 18) - 2;
  const { low, high } = create(2);
  assertEquals(cache.find(low, high, true), 0);
  assertEquals(cache.key(low), (1 << 18) - 2);
});

Deno.test("KeyCache knows a session that is served elsewhere, without a key", () => {
  const { cache, asked, create, find } = cacheOf(4);
  const ids = [create(1, ELSEWHERE), create(2, ELSEWHERE)];
  for (const id of ids) assertEquals([find(id), find(id)], [-1, -1]);
  assertEquals([asked, cache.size, cache.bytes], [[ELSEWHERE], 2, 0]);
});

Deno.test("KeyCache has no key that a cipher refuses, and does not ask again", () => {
  const { cache, ciphers, create, find } = cacheOf(4);
  const id = create(1);
  ciphers[0].refuses = true;
  assertEquals([find(id), find(id)], [-1, -1]);
  assertEquals([ciphers[0].given.length, cache.bytes], [1, 0]);
});

Deno.test("KeyCache takes an engine that throws for one that serves nothing in place", () => {
  const buffer = createSessionTable(2);
  const registry = new SessionRegistry(new SessionTable(buffer));
  const cache = new KeyCache(new SessionTable(buffer), () => {
    throw new RangeError("Array buffer allocation failed");
  });
  const { low, high } = registry.create(fieldsOf(), new Uint8Array(0))!;
  assertEquals(cache.find(low, high, true), -1);
});

Deno.test("KeyCache sweeps the keys of ended sessions and keeps the others", () => {
  const { cache, ciphers, create, destroy, find } = cacheOf(8);
  const ids = [1, 2, 3, 4].map((name) => create(name));
  ids.forEach((id) => find(id));
  destroy(ids[1]!);
  destroy(ids[3]!);
  assertEquals(ciphers[0].removed, []);
  cache.sweep();
  cache.sweep();
  assertEquals(ciphers[0].removed, [2, 4]);
  assertEquals([cache.size, cache.bytes], [2, 2 * KEY_BYTES]);
  assertEquals([find(ids[0]!), find(ids[2]!)], [1, 3]);
  assertEquals(ciphers[0].given.length, 4);
});

Deno.test("KeyCache sweeps when more sessions ended than the table tells apart", () => {
  const { cache, ciphers, create, destroy, find } = cacheOf(4);
  const [kept, ended] = [create(1), create(2)];
  for (const id of [kept, ended]) find(id);
  destroy(ended);
  for (let i = 1; i < MAX_ENDED; i++) destroy(create(3));
  cache.sweep();
  assertEquals(ciphers[0].removed, [2]);
  assertEquals(find(kept), 1);
});

Deno.test("KeyCache expands the key of a slot's next generation, and drops the old one", () => {
  const { cache, ciphers, create, destroy, find } = cacheOf(1);
  const old = create(1);
  find(old);
  destroy(old);
  const now = create(2);
  assertEquals(now.low, old.low);
  assertEquals(find(now), 2);
  assertEquals(ciphers[0].removed, [1]);
  cache.sweep();
  assertEquals([find(now), cache.size], [2, 1]);
  assertEquals(ciphers[0].given.length, 2);
});

Deno.test("KeyCache leaves an old key alone where a batch may work with it", () => {
  const { ciphers, create, destroy, find } = cacheOf(1);
  const old = create(1);
  find(old);
  destroy(old);
  const now = create(2);
  assertEquals(find(now, false), -1);
  assertEquals([ciphers[0].removed, ciphers[0].given.length], [[], 1]);
  assertEquals(find(now), 2);
});

Deno.test("KeyCache drops what was not used since the hand came by", () => {
  const { cache, ciphers, create, find } = cacheOf(8, 3);
  const ids = [1, 2, 3, 4, 5, 6].map((name) => create(name));
  for (const i of [0, 1, 2]) find(ids[i]!);
  // All count as used: the hand goes round once, and takes the first.
  find(ids[3]!);
  assertEquals(ciphers[0].removed, [1]);
  find(ids[1]!);
  find(ids[4]!);
  assertEquals(find(ids[1]!), 2);
  assertEquals(ciphers[0].removed.includes(2), false);
  assertEquals([cache.size, cache.bytes], [3, 3 * KEY_BYTES]);
  assertEquals(find(ids[0]!), 1);
});

Deno.test("KeyCache drops nothing for a later request of a batch", () => {
  const { ciphers, create, find } = cacheOf(4, 2);
  const ids = [1, 2, 3].map((name) => create(name));
  assertEquals([find(ids[0]!), find(ids[1]!, false)], [1, 2]);
  assertEquals(find(ids[2]!, false), -1);
  assertEquals(ciphers[0].removed, []);
  assertEquals(find(ids[2]!), 3);
  assertEquals(ciphers[0].removed.length, 1);
});

Deno.test("KeyCache never holds more bytes than it may, whoever is used", () => {
  const { cache, ciphers, alone, create, find } = cacheOf(32, 5);
  const ids = Array.from({ length: 32 }, (_, i) => create(i + 1, i % 2));
  for (let use = 0; use < 2000; use++) {
    const i = (use * use + 7 * use) % 32;
    const id = ids[i]!;
    assertEquals(find(id), i + 1, `use ${use}`);
    if (use % 3 === 0) {
      assertEquals(alone.kept[cache.keyAlone(id.low)], i + 1, `use ${use}`);
    }
    const kept = [...ciphers, alone].flatMap(({ kept }) =>
      kept.filter((name) => name !== 0)
    );
    assertEquals(cache.bytes, kept.length * KEY_BYTES);
    assertEquals(kept.length <= 5, true);
  }
});

Deno.test("KeyCache expands a key for what is alone when it is first asked for", () => {
  const { cache, ciphers, alone, create, destroy, find } = cacheOf(4);
  const id = create(7);
  find(id);
  assertEquals(alone.given.length, 0);
  for (let i = 0; i < 2; i++) {
    assertEquals(alone.kept[cache.keyAlone(id.low)], 7);
  }
  assertEquals([alone.given.length, cache.bytes], [1, 2 * KEY_BYTES]);
  destroy(id);
  cache.sweep();
  assertEquals([ciphers[0].removed, alone.removed], [[7], [7]]);
  assertEquals(cache.bytes, 0);
});

Deno.test("KeyCache has one key where the same cipher runs what is alone", () => {
  const buffer = createSessionTable(2);
  const registry = new SessionRegistry(new SessionTable(buffer));
  const cipher = new Keeper();
  const cache = new KeyCache(
    new SessionTable(buffer),
    () => ({ cipher, cipherAlone: cipher }),
  );
  const { low, high } = registry.create(
    fieldsOf({ keyLength: 1 }),
    Uint8Array.of(3),
  )!;
  cache.find(low, high, true);
  assertEquals(cache.keyAlone(low), cache.key(low));
  cache.clear();
  assertEquals([cipher.given.length, cipher.removed], [1, [3]]);
});

Deno.test("KeyCache touches the keys of a batch's kind, and no slot that is none", () => {
  const { cache, ciphers, create, find } = cacheOf(8);
  const ids = [create(1), create(2), create(3), create(4, 1)];
  for (const id of ids) find(id);
  const unknown = create(5);
  const lows = [unknown, { low: -1 }, ids[0]!, ids[2]!, ids[1]!, ids[3]!];
  const rows = Int32Array.from(lows.flatMap(({ low }) => [0, low, 0]));
  cache.touch(rows, 1, 3, 6);
  assertEquals(ciphers[0].touched, [[0, 2, 1]]);
  assertEquals(ciphers[1].touched, []);
});

Deno.test("KeyCache wipes its copy of the key, and all keys when it is cleared", () => {
  const { cache, ciphers, alone, create, find } = cacheOf(4);
  const ids = [create(1), create(2, 1)];
  for (const id of ids) {
    find(id);
    cache.keyAlone(id.low);
  }
  const given = [...ciphers, alone].flatMap(({ given }) => given);
  assertEquals(given.map((key) => [...key]), [[0], [0], [0], [0]]);
  cache.clear();
  assertEquals([cache.size, cache.bytes], [0, 0]);
  assertEquals(ciphers.map(({ removed }) => removed), [[1], [2]]);
  assertEquals(alone.removed.sort(), [1, 2]);
});
