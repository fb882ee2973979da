import { assertEquals } from "@std/assert";
import type { SpecName } from "../../device/spec/request_layout.ts";
import type { SessionParameters } from "../../device/spec/session_parameters.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { reference } from "../engine/reference.ts";
import { FILL } from "../support/guest_queue.ts";
import { fieldsOf as sessionFields } from "../support/sessions.ts";
import {
  ERR,
  INVSESS,
  NOTSUPP,
  OK,
  patched,
  TestDevice,
} from "../support/device.ts";
import { type Form, handmade, type Parts } from "../support/handmade.ts";

const random = new Random(42);
const KEY = random.bytes(16);
const AUTH_KEY = random.bytes(40);
const IV = random.bytes(16);
const SOURCE = random.bytes(80);
const AAD = random.bytes(11);
const HASH_THEN_CIPHER = 1;
const CIPHER_THEN_HASH = 2;
const PLAIN = 1;
const AUTH = 2;

/** Every way to ask for a chain: the last one says whether by a session. */
const WAYS: readonly [string, SpecName, bigint, Form, number, boolean][] = [
  ["legacy", "v15", 0n, "legacy", 0, true],
  ["v15", "v15", 0b11110n, "v15", 1, true],
  ["v15 non-session", "v15", 0n, "v15", 2, false],
  ["revision 1", "1.4", 1n, "revision1", 1, true],
  ["revision 1, bits", "1.4", 0b11111n, "revision1-stateless", 1, true],
  [
    "revision 1 stateless",
    "1.4",
    0b11111n,
    "revision1-stateless",
    0,
    false,
  ],
];

type ChainParts = Parts & { chain: NonNullable<Parts["chain"]> };

/** A chain of AES-CBC and HMAC-SHA1 over parts of the source. */
function chainOf(changes: Partial<ChainParts> = {}): ChainParts {
  return {
    opcode: 0x000,
    flag: 0,
    algorithm: 3,
    op: 1,
    key: KEY,
    authKey: AUTH_KEY,
    iv: IV,
    source: SOURCE,
    aad: AAD,
    destination: SOURCE.length,
    result: 20,
    ...changes,
    chain: {
      order: CIPHER_THEN_HASH,
      hashMode: AUTH,
      hashAlgorithm: 2,
      cipher: [16, 48],
      hash: [3, 70],
      ...changes.chain,
    },
  };
}

/** What a chain has to give: source with a range ciphered, then the digest. */
function expectedOf(parts: ChainParts): Uint8Array {
  const { chain, source = SOURCE, aad = AAD, result = 20 } = parts;
  const [cipherStart, cipherLength] = chain.cipher;
  const [hashStart, hashLength] = chain.hash;
  const ciphered = source.slice();
  ciphered.set(
    reference("aes-cbc", KEY, {
      source: source.subarray(cipherStart, cipherStart + cipherLength),
      iv: IV,
    }),
    cipherStart,
  );
  const from = chain.order === HASH_THEN_CIPHER ? source : ciphered;
  const digest = reference(
    chain.hashMode === AUTH ? "hmac-sha1" : "sha1",
    AUTH_KEY,
    {
      source: concat(aad, from.subarray(hashStart, hashStart + hashLength)),
      resultLength: result,
    },
  );
  return concat(ciphered, digest);
}

/** A device, and the request of a chain on it. */
function pairOf(
  [, spec, features, form, flag, bySession]: typeof WAYS[number],
  parts: ChainParts,
) {
  const device = new TestDevice({ device: { spec }, features });
  const { chain, key = KEY, authKey = AUTH_KEY } = parts;
  const auth = chain.hashMode === AUTH ? authKey : new Uint8Array(0);
  const parameters: SessionParameters = {
    ...sessionFields({
      opType: 2,
      algorithm: parts.algorithm ?? 0,
      op: parts.op ?? 0,
      keyLength: key.length,
      chainOrder: chain.order ?? 0,
      hashMode: chain.hashMode ?? 0,
      hashAlgorithm: chain.hashAlgorithm ?? 0,
      authKeyLength: auth.length,
      resultLength: 20,
    }),
    key: concat(key, auth),
  };
  const session = bySession
    ? device.core.sessions.create(parameters, 0)
    : undefined;
  const build = (changes: Partial<ChainParts> = {}) => {
    const all = {
      ...parts,
      ...changes,
      chain: { ...parts.chain, ...changes.chain },
      flag,
    };
    const none = new Uint8Array(0);
    return handmade(
      form,
      session === undefined
        ? { ...all, authKey: auth }
        : { ...all, key: none, authKey: none, session },
    );
  };
  return { device, build, session };
}

for (const way of WAYS) {
  const [name, , , form, , bySession] = way;
  for (const order of [HASH_THEN_CIPHER, CIPHER_THEN_HASH]) {
    for (const hashMode of [PLAIN, AUTH]) {
      Deno.test(`${name}: a chain of order ${order} and hash mode ${hashMode} gives result and digest`, () => {
        for (
          const [cipher, hash] of [
            [[16, 48], [3, 70]],
            [[0, 80], [0, 80]],
            [[64, 16], [0, 64]],
            [[5, 32], [40, 40]],
            [[80, 0], [80, 0]],
            [[0, 0], [79, 1]],
          ] as const
        ) {
          for (const aad of [AAD, new Uint8Array(0)]) {
            const parts = chainOf({
              aad,
              chain: { order, hashMode, hashAlgorithm: 2, cipher, hash },
            });
            const { device, build } = pairOf(way, parts);
            assertEquals(device.succeed(build()), expectedOf(parts));
          }
        }
      });
    }
  }

  Deno.test(`${name}: a chain's digest lies behind dst_data, and what is between stays`, () => {
    const parts = chainOf();
    const { device, build } = pairOf(way, parts);
    const expected = expectedOf(parts);
    const result = device.succeed(build({ destination: 100 }));
    assertEquals(result.subarray(0, 80), expected.subarray(0, 80));
    assertEquals(result.subarray(80, 100).every((b) => b === FILL), true);
    assertEquals(result.subarray(100), expected.subarray(80));
    for (const destination of [0, 79]) {
      device.fail({ ...build({ destination }), writable: [300] }, ERR);
    }
  });

  Deno.test(`${name}: a chain's ranges outside of its source are ERR`, () => {
    const { device, build } = pairOf(way, chainOf());
    for (
      const range of [
        [0, 96],
        [81, 0],
        [48, 48],
        [0xffff_fff0, 16],
        [0xffff_fff0, 32],
        [16, 0xffff_fff0],
        [0xffff_ffff, 0xffff_ffff],
        [0x8000_0000, 0x8000_0000],
      ] as const
    ) {
      device.fail(build({ chain: { cipher: range, hash: [0, 1] } }), ERR);
      device.fail(build({ chain: { cipher: [0, 16], hash: range } }), ERR);
    }
    // No whole block.
    device.fail(build({ chain: { cipher: [0, 15], hash: [0, 1] } }), ERR);
    device.succeed(build());
  });

  Deno.test(`${name}: a chain's iv and digest lengths are judged`, () => {
    const { device, build } = pairOf(way, chainOf());
    for (const length of [0, 12, 15]) {
      device.fail(build({ iv: IV.subarray(0, length) }), ERR);
    }
    for (const result of [0, 21, 0xffff_ffff]) {
      device.fail({ ...build({ result }), writable: [80, 40, 1] }, ERR);
    }
    for (const result of [1, 12, 20]) {
      assertEquals(
        device.succeed(build({ result })),
        expectedOf(chainOf({ result })),
      );
    }
  });

  Deno.test(`${name}: a chain works in the other direction of its opcode only when made for it`, () => {
    const { device, build } = pairOf(way, chainOf());
    device.fail(build({ opcode: 0x001 }), ERR);
    const parts = chainOf({ op: 2, opcode: 0x001 });
    const decrypting = pairOf(way, parts);
    const result = decrypting.device.succeed(decrypting.build());
    const encrypted = result.slice(0, 80);
    const { chain: { cipher: [start, length] } } = parts;
    encrypted.set(
      reference("aes-cbc", KEY, {
        source: encrypted.subarray(start, start + length),
        iv: IV,
      }),
      start,
    );
    assertEquals(encrypted, SOURCE);
  });

  Deno.test(`${name}: a chain works at every cut of its two parts`, () => {
    const parts = chainOf();
    const { device, build } = pairOf(way, parts);
    const expected = expectedOf(parts);
    const whole = concat(...build().readable);
    for (let at = 1; at < whole.length; at += 7) {
      const readable = [whole.subarray(0, at), whole.subarray(at)];
      const writable = [1 + at % 100, 101 - 1 - at % 100];
      assertEquals(device.succeed({ readable, writable }), expected);
    }
  });

  Deno.test(
    `${name}: a chain's readable part is ${
      form === "legacy" ? "at least" : "exactly"
    } what its lengths name`,
    () => {
      const { device, build } = pairOf(way, chainOf());
      const request = build();
      const whole = concat(...request.readable);
      device.fail({ ...request, readable: [whole.subarray(0, -1)] }, ERR);
      const longer = { ...request, readable: [whole, IV] };
      if (form === "legacy") device.succeed(longer);
      else device.fail(longer, ERR);
    },
  );

  if (bySession) {
    Deno.test(`${name}: op_type has to be that of the session`, () => {
      const { device, build, session } = pairOf(way, chainOf());
      const { chain: _, ...plain } = chainOf();
      const cipher = handmade(form, {
        ...plain,
        key: new Uint8Array(0),
        authKey: new Uint8Array(0),
        aad: new Uint8Array(0),
        result: 0,
        flag: way[4],
        session: session!,
      });
      device.fail(cipher, ERR);
      device.succeed(build());
      // And the other way round: a chain by the session of a cipher.
      const other = device.create({
        service: "cipher",
        algorithm: "aes-cbc",
        key: KEY,
        direction: "encrypt",
      });
      device.fail(patched(build(), { 8: other.low, 12: other.high }), ERR);
      device.core.sessions.clear();
      device.fail(build(), INVSESS);
    });
  } else {
    Deno.test(`${name}: what a chain does not have is NOTSUPP`, () => {
      const { device, build } = pairOf(way, chainOf());
      const { cipher, hash } = chainOf().chain;
      for (
        const wrong of [
          { order: 0 },
          { order: 3 },
          { hashMode: 0 },
          { hashMode: 3 },
          { hashMode: 4 },
          { hashAlgorithm: 0 },
          { hashAlgorithm: 63 },
        ]
      ) {
        const request = build({
          opcode: 0x001,
          result: 99,
          chain: { cipher, hash, ...wrong },
        });
        device.fail(request, NOTSUPP, JSON.stringify(wrong));
      }
      device.fail(build({ algorithm: 0 }), NOTSUPP);
    });
  }
}

Deno.test("A chain's MAC that takes an iv takes it from aad", () => {
  const device = new TestDevice();
  const key = random.bytes(16);
  // ZUC-EIA3 and GMAC-AES.
  for (
    const [hashAlgorithm, result, legal] of [
      [54, 4, [16]],
      [41, 16, [12, 16]],
    ] as const
  ) {
    const digests = new Set<string>();
    for (const length of [0, 11, 12, 15, 16, 17]) {
      const parts = chainOf({
        aad: random.bytes(length),
        result,
        chain: {
          hashAlgorithm,
          hashMode: AUTH,
          cipher: [0, 16],
          hash: [0, 80],
        },
      });
      const request = handmade("v15", {
        ...parts,
        chain: { ...parts.chain, order: CIPHER_THEN_HASH },
        authKey: key,
        flag: 2,
      });
      if ((legal as readonly number[]).includes(length)) {
        digests.add(device.succeed(request).subarray(80).join());
      } else device.fail(request, ERR, `aad of ${length}`);
    }
    assertEquals(digests.size, legal.length);
  }
});

Deno.test("Chains run in one round with other requests, and answers stay in order", () => {
  const device = new TestDevice({ ring: { size: 256 } });
  const parts = chainOf({ flag: 2 });
  const chain = handmade("v15", parts);
  const hash = device.create({ service: "hash", algorithm: "sha1" });
  const request = device.request(hash, { source: SOURCE });
  const answers = device.send(chain, request, chain, chain, request);
  assertEquals(answers.map((a) => a.status), [OK, OK, OK, OK, OK]);
  const digest = new Uint8Array(
    reference("sha1", KEY, { source: SOURCE, resultLength: 20 }),
  );
  answers.forEach(({ result }, i) =>
    assertEquals(result, [1, 4].includes(i) ? digest : expectedOf(parts))
  );
  assertEquals(device.statistics.rounds, 1);
});

Deno.test("A large chain that is given up runs again, with the right result", () => {
  let stop = true;
  const device = new TestDevice({ memorySize: 1 << 20, stopping: () => stop });
  const source = random.bytes(160_000);
  const parts = chainOf({
    flag: 2,
    source,
    destination: source.length,
    chain: {
      order: CIPHER_THEN_HASH,
      hashMode: AUTH,
      hashAlgorithm: 2,
      cipher: [0, 160_000],
      hash: [0, 160_000],
    },
  });
  device.guest.offer(handmade("v15", parts));
  device.guest.watch();
  assertEquals(device.queue.run(), 4);
  assertEquals(device.queue.run(), 4);
  assertEquals(device.guest.answers(), []);
  stop = false;
  device.runAll();
  const [answer] = device.guest.answers();
  const expected = expectedOf(parts);
  assertEquals(answer!.status, OK);
  assertEquals(answer!.result.every((b, i) => b === expected[i]), true);
});

Deno.test("A plain hash in a stateless chain has no key, whatever its length says", () => {
  const device = new TestDevice();
  const request = handmade("v15", {
    opcode: 0,
    flag: 2,
    algorithm: 3,
    op: 1,
    key: new Uint8Array(16),
    iv: new Uint8Array(16),
    source: new Uint8Array(16),
    destination: 16,
    result: 20,
    chain: {
      order: 1,
      hashMode: 1,
      hashAlgorithm: 2,
      cipher: [0, 16],
      hash: [0, 16],
    },
  });
  const expected = device.succeed(request);
  // auth_key_len, behind the header of 24 bytes.
  assertEquals(device.succeed(patched(request, { 48: 7 })), expected);
});
