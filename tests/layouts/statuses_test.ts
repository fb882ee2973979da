import type { CryptoDriver } from "../../device/driver/driver.ts";
import {
  chainRequest,
  type Operation,
  operationRequest,
} from "../../device/driver/operation.ts";
import type { DataLayout, RequestBytes } from "../../device/driver/requests.ts";
import {
  type ChainSessionOptions,
  type SessionOptions,
  sessionParameters,
} from "../../device/driver/session_options.ts";
import { Random } from "../engine/random.ts";
import { assertStatus, attach, LAYOUTS, performChain } from "./layouts.ts";
import {
  changed,
  type Changes,
  ERR,
  expectStatus,
  INVSESS,
  NOTSUPP,
  OK,
  withRoom,
  withVariable,
} from "./raw.ts";

const random = new Random(7);
const KEY = random.bytes(16);
const AUTH_KEY = random.bytes(20);
const IV = random.bytes(16);
const DATA = random.bytes(64);
const AAD = random.bytes(5);

const CHAIN: ChainSessionOptions = {
  service: "chain",
  cipher: { algorithm: "aes-ctr", key: KEY, direction: "encrypt" },
  hash: { algorithm: "hmac-sha256", key: AUTH_KEY },
  order: "cipher-then-hash",
};

/** Where the le32 fields of a chain stand, header included. */
interface ChainFields {
  readonly ivLen: number;
  readonly srcLen: number;
  readonly dstLen: number;
  readonly cipherStart: number;
  readonly cipherLen: number;
  readonly hashStart: number;
  readonly hashLen: number;
  readonly aadLen: number;
  readonly resultLen: number;
  readonly opType: number;
}

const WITHOUT_PARAMETERS: ChainFields = {
  ivLen: 24,
  srcLen: 28,
  dstLen: 32,
  cipherStart: 36,
  cipherLen: 40,
  hashStart: 44,
  hashLen: 48,
  aadLen: 52,
  resultLen: 56,
  opType: 64,
};
const WITH_PARAMETERS: ChainFields = {
  ivLen: 56,
  srcLen: 60,
  dstLen: 64,
  cipherStart: 68,
  cipherLen: 72,
  hashStart: 76,
  hashLen: 80,
  aadLen: 84,
  resultLen: 88,
  opType: 96,
};
const FIELDS: Readonly<Record<DataLayout, ChainFields>> = {
  legacy: WITHOUT_PARAMETERS,
  v15: WITH_PARAMETERS,
  revision1: WITHOUT_PARAMETERS,
  "revision1-stateless": WITH_PARAMETERS,
};
/** sess_para of a chain, header included. */
const PARAMETERS = {
  order: 24,
  algo: 32,
  keyLen: 36,
  op: 40,
  hashAlgo: 44,
  authKeyLen: 48,
  hashMode: 52,
} as const;

const OPCODE = 0;
const SESSION_LOW = 8;
const SESSION_HIGH = 12;

/** A good request of a chain, and the driver it is for. */
async function chainOf(
  driver: CryptoDriver,
  stateless: boolean,
): Promise<RequestBytes> {
  const sessionId = stateless
    ? undefined
    : (await driver.createSession(CHAIN)).id;
  const operator = { parameters: sessionParameters(CHAIN), sessionId };
  const operation = { data: DATA, iv: IV, aad: AAD };
  return chainRequest(driver.dataLayout(0), operator, operation).bytes;
}

/** A good request of another operation. */
async function requestOf(
  driver: CryptoDriver,
  stateless: boolean,
  options: SessionOptions,
  operation: Operation,
): Promise<RequestBytes> {
  const parameters = sessionParameters(options);
  const sessionId = stateless
    ? undefined
    : (await driver.createSession(options)).id;
  const layout = driver.dataLayout(parameters.service << 8);
  return operationRequest(layout, { parameters, sessionId }, operation).bytes;
}

for (const { name, stateless, ...layout } of LAYOUTS) {
  const at = FIELDS[layout.layout];

  Deno.test(`A chain that asks for no known operation gets NOTSUPP, ${name}`, async () => {
    await using driver = await attach(layout);
    const good = await chainOf(driver, stateless);
    await expectStatus(driver, good, OK, "good");
    for (const opType of [0, 3, 0xffff_ffff]) {
      const changes = { [at.opType]: opType };
      const what = `op_type ${opType}`;
      await expectStatus(driver, changed(good, changes), NOTSUPP, what);
      // It is found before a direction that is wrong as well.
      const both = { ...changes, [OPCODE]: 1 };
      await expectStatus(driver, changed(good, both), NOTSUPP, what);
    }
    for (const opcode of [2, 3, 0x400, 0x10000]) {
      const bytes = changed(good, { [OPCODE]: opcode });
      await expectStatus(driver, bytes, NOTSUPP, `opcode ${opcode}`);
    }
  });

  Deno.test(`A chain in the other direction gets ERR, ${name}`, async () => {
    await using driver = await attach(layout);
    const good = await chainOf(driver, stateless);
    await expectStatus(driver, changed(good, { [OPCODE]: 1 }), ERR, "decrypt");
  });

  Deno.test(`A chain whose lengths or ranges are wrong gets ERR, ${name}`, async () => {
    await using driver = await attach(layout);
    const good = await chainOf(driver, stateless);
    const wrong: [string, Changes][] = [
      ["iv one byte short", { [at.ivLen]: 15, [at.aadLen]: 6 }],
      ["no iv", { [at.ivLen]: 0, [at.aadLen]: 21 }],
      ["source too long", { [at.srcLen]: 65 }],
      ["source of 4 GiB", { [at.srcLen]: 0xffff_ffff }],
      ["aad too long", { [at.aadLen]: 6 }],
      ["aad of 4 GiB", { [at.aadLen]: 0xffff_ffff }],
      ["result of 4 GiB", { [at.dstLen]: 0xffff_ffff }],
      ["result longer than its room", { [at.dstLen]: 65 }],
      ["result shorter than the source", { [at.dstLen]: 63 }],
      ["no result", { [at.dstLen]: 0 }],
      ["no digest", { [at.resultLen]: 0 }],
      ["digest longer than its room", { [at.resultLen]: 33 }],
      ["cipher beyond the end", { [at.cipherStart]: 1 }],
      ["cipher longer than the source", { [at.cipherLen]: 65 }],
      ["cipher start at 4 GiB", {
        [at.cipherStart]: 0xffff_ffff,
        [at.cipherLen]: 1,
      }],
      ["cipher of 4 GiB", { [at.cipherLen]: 0xffff_ffff }],
      ["cipher that wraps", {
        [at.cipherStart]: 16,
        [at.cipherLen]: 0xffff_fff0,
      }],
      ["empty cipher range outside", {
        [at.cipherStart]: 65,
        [at.cipherLen]: 0,
      }],
      ["hash beyond the end", { [at.hashStart]: 1 }],
      ["hash longer than the source", { [at.hashLen]: 65 }],
      ["hash start at 4 GiB", {
        [at.hashStart]: 0xffff_ffff,
        [at.hashLen]: 1,
      }],
      ["hash that wraps", { [at.hashStart]: 16, [at.hashLen]: 0xffff_fff0 }],
      ["empty hash range outside", { [at.hashStart]: 65, [at.hashLen]: 0 }],
    ];
    for (const [what, changes] of wrong) {
      await expectStatus(driver, changed(good, changes), ERR, what);
    }
    const long = changed(good, { [at.resultLen]: 33 });
    await expectStatus(driver, withRoom(long, 64 + 33 + 1), ERR, "digest");
    await expectStatus(driver, withRoom(good, 64 + 32), ERR, "no room");
    await expectStatus(driver, withRoom(good, 1), ERR, "status only");
    await expectStatus(driver, good, OK, "good");
    await expectStatus(driver, withRoom(good, 64 + 32 + 9), OK, "more room");
  });

  Deno.test(`Only the legacy layout allows bytes behind a chain, ${name}`, async () => {
    await using driver = await attach(layout);
    const good = await chainOf(driver, stateless);
    const longer = {
      ...good,
      readable: [...good.readable, new Uint8Array(1)],
    };
    const status = layout.layout === "legacy" ? OK : ERR;
    await expectStatus(driver, longer, status, "longer");
    const whole = good.readable.at(-1)!;
    const shorter = withVariable(good, [
      ...good.readable.slice(1, -1),
      whole.subarray(1),
    ]);
    await expectStatus(driver, shorter, ERR, "shorter");
    for (const length of [0, 23, 24, good.readable[0]!.length - 1]) {
      const cut = {
        ...good,
        readable: [good.readable[0]!.subarray(0, length)],
      };
      await expectStatus(driver, cut, ERR, `${length} bytes`);
    }
  });

  Deno.test(`A MAC in a chain takes its iv from an aad of its size, ${name}`, async () => {
    await using driver = await attach(layout);
    for (
      const [algorithm, sizes] of [
        ["snow3g-uia2", [16]],
        ["zuc-eia3", [16]],
        ["gmac-aes", [12, 16]],
        ["gmac-twofish", [12, 16]],
      ] as const
    ) {
      const options = { ...CHAIN, hash: { algorithm, key: KEY } };
      const run = (aad: number) =>
        performChain(driver, stateless, options, {
          data: DATA,
          iv: IV,
          aad: new Uint8Array(aad),
        });
      for (const aad of [0, 1, 8, 11, 12, 13, 15, 16, 17, 32]) {
        if (sizes.some((size) => size === aad)) await run(aad);
        else await assertStatus(() => run(aad), "ERR", `${algorithm} ${aad}`);
      }
      const mac: SessionOptions = { service: "mac", algorithm, key: KEY };
      for (let length = 0; length < sizes[0]; length++) {
        const data = new Uint8Array(length);
        const bytes = await requestOf(driver, stateless, mac, { data });
        await expectStatus(driver, bytes, ERR, `source of ${length}`);
      }
    }
  });

  Deno.test(`Ranges that are not whole blocks get ERR, ${name}`, async () => {
    await using driver = await attach(layout);
    for (
      const [algorithm, keyLength, ivLength, wrong, right] of [
        ["aes-cbc", 16, 16, [1, 15, 17, 63], [0, 16]],
        ["aes-ecb", 16, 0, [1, 15, 17, 63], [0, 16]],
        ["3des-cbc", 24, 8, [1, 7, 9, 63], [0, 8]],
        ["aes-xts", 32, 16, [0, 1, 15], [16, 17]],
      ] as const
    ) {
      const key = random.bytes(keyLength);
      const iv = random.bytes(ivLength);
      const options = {
        ...CHAIN,
        cipher: { algorithm, key, direction: "encrypt" },
      } as const;
      const run = (cipherLength: number) =>
        performChain(driver, stateless, options, {
          data: DATA,
          iv,
          cipherLength,
        });
      for (const length of wrong) {
        await assertStatus(() => run(length), "ERR", `${algorithm} ${length}`);
      }
      for (const length of right) await run(length);
    }
    const options = {
      ...CHAIN,
      hash: { algorithm: "cbcmac-aes", key: KEY },
    } as const;
    for (const [aad, hashLength] of [[0, 15], [1, 16], [0, 0]] as const) {
      await assertStatus(
        () =>
          performChain(driver, stateless, options, {
            data: DATA,
            iv: IV,
            aad: new Uint8Array(aad),
            hashLength,
          }),
        "ERR",
      );
    }
  });

  if (!stateless) {
    Deno.test(`A chain of a session that is none gets INVSESS, ${name}`, async () => {
      await using driver = await attach(layout);
      const good = await chainOf(driver, stateless);
      for (const word of [SESSION_LOW, SESSION_HIGH]) {
        const bytes = changed(good, { [word]: 0x7fff_ffff });
        await expectStatus(driver, bytes, INVSESS, "another id");
        // It is found before an op_type that is unknown as well.
        const both = changed(bytes, { [at.opType]: 0 });
        await expectStatus(driver, both, INVSESS, "another id");
      }
      const hash = await driver.createSession({
        service: "hash",
        algorithm: "sha1",
      });
      const other = changed(good, {
        [SESSION_LOW]: Number(hash.id & 0xffff_ffffn),
        [SESSION_HIGH]: Number(hash.id >> 32n),
      });
      await expectStatus(driver, other, INVSESS, "of another service");
    });

    Deno.test(`A session's requests are chains or not, as it is, ${name}`, async () => {
      await using driver = await attach(layout);
      const chain = await chainOf(driver, false);
      const bytes = changed(chain, { [at.opType]: 1 });
      await expectStatus(driver, bytes, ERR, "plain request of a chain");
      const plain = await driver.createSession({
        ...CHAIN.cipher,
        service: "cipher",
      });
      const other = changed(chain, {
        [SESSION_LOW]: Number(plain.id & 0xffff_ffffn),
        [SESSION_HIGH]: Number(plain.id >> 32n),
      });
      await expectStatus(driver, other, ERR, "chain of a plain session");
    });

    if (layout.layout === "v15" || layout.layout === "revision1-stateless") {
      Deno.test(`A session's request does not look at its sess_para, ${name}`, async () => {
        await using driver = await attach(layout);
        const good = await chainOf(driver, false);
        const filled: Record<number, number> = {};
        for (let offset = 24; offset < 56; offset += 4) {
          filled[offset] = 0xffff_ffff;
        }
        await expectStatus(driver, changed(good, filled), OK, "filled");
      });
    }
    continue;
  }

  Deno.test(`A chain's parameters in the request are judged, ${name}`, async () => {
    await using driver = await attach(layout);
    const good = await chainOf(driver, true);
    const [, , , ...rest] = good.readable;
    for (
      const [status, field, values] of [
        [NOTSUPP, "order", [0, 3, 0xffff_ffff]],
        // 3 is NESTED.
        [NOTSUPP, "hashMode", [0, 3, 4, 0xffff_ffff]],
        [NOTSUPP, "algo", [0, 15, 31, 63, 0xffff_ffff]],
        [NOTSUPP, "hashAlgo", [0, 7, 24, 63, 0xffff_ffff]],
        [ERR, "op", [0, 2, 3, 0xffff_ffff]],
      ] as const
    ) {
      for (const value of values) {
        const bytes = changed(good, { [PARAMETERS[field]]: value });
        await expectStatus(driver, bytes, status, `${field} ${value}`);
      }
    }
    for (const keyLength of [0, 1, 15, 17, 33, 300]) {
      const bytes = withVariable(
        changed(good, { [PARAMETERS.keyLen]: keyLength }),
        [new Uint8Array(keyLength), AUTH_KEY, ...rest],
      );
      await expectStatus(driver, bytes, ERR, `key of ${keyLength} bytes`);
    }
    for (const keyLength of [0, 513, 2000]) {
      const bytes = withVariable(
        changed(good, { [PARAMETERS.authKeyLen]: keyLength }),
        [KEY, new Uint8Array(keyLength), ...rest],
      );
      await expectStatus(driver, bytes, ERR, `MAC key of ${keyLength} bytes`);
    }
    for (const field of ["keyLen", "authKeyLen"] as const) {
      const bytes = changed(good, { [PARAMETERS[field]]: 0xffff_ffff });
      await expectStatus(driver, bytes, ERR, `${field} of 4 GiB`);
    }
    const longest = withVariable(
      changed(good, { [PARAMETERS.authKeyLen]: 512 }),
      [KEY, new Uint8Array(512), ...rest],
    );
    await expectStatus(driver, longest, OK, "MAC key of 512 bytes");
  });

  Deno.test(`What is not offered is found before what is wrong, ${name}`, async () => {
    await using driver = await attach(layout);
    const good = await chainOf(driver, true);
    const wrong = {
      [OPCODE]: 1,
      [PARAMETERS.keyLen]: 0,
      [at.srcLen]: 0xffff_ffff,
    };
    for (const field of ["order", "hashMode", "algo", "hashAlgo"] as const) {
      const bytes = changed(good, { ...wrong, [PARAMETERS[field]]: 0 });
      await expectStatus(driver, bytes, NOTSUPP, field);
    }
    await expectStatus(driver, changed(good, wrong), ERR, "wrong");
  });

  Deno.test(`Keys of other lengths get ERR in every service, ${name}`, async () => {
    await using driver = await attach(layout);
    const direction = "encrypt";
    const services: readonly [SessionOptions, Operation][] = [
      [
        { service: "cipher", algorithm: "aes-cbc", key: KEY, direction },
        { data: DATA, iv: IV },
      ],
      [
        { service: "mac", algorithm: "cmac-aes", key: KEY },
        { data: DATA },
      ],
      [
        { service: "aead", algorithm: "aes-gcm", key: KEY, direction },
        { data: DATA, iv: IV },
      ],
    ];
    for (const [options, operation] of services) {
      for (const length of [0, 15, 17, 33]) {
        const key = new Uint8Array(length);
        const wrong = { ...options, key } as SessionOptions;
        const bytes = await requestOf(driver, true, wrong, operation);
        const what = `${options.service}, key of ${length} bytes`;
        await expectStatus(driver, bytes, ERR, what);
      }
      const good = await requestOf(driver, true, options, operation);
      await expectStatus(driver, good, OK, options.service);
    }
  });
}
