import { assertEquals, assertThrows } from "@std/assert";
import {
  answerCryptoSession,
  answeredCryptoSession,
  type CryptoSessionInfo,
  decodeCryptoSessionCreate,
  encodeCryptoSessionCreate,
} from "../../device/vhost_user/crypto_session.ts";
import {
  encodeAck,
  encodeReply,
  encodeU64Reply,
  encodeVringStateReply,
} from "../../device/vhost_user/encode.ts";
import {
  decodeConfig,
  decodeMemReg,
  decodeMemTable,
  decodeU64,
  decodeVringAddr,
  decodeVringFd,
  decodeVringState,
  encodeConfig,
  encodeMemReg,
  encodeMemTable,
  encodeU64,
  encodeVringAddr,
  encodeVringFd,
  encodeVringState,
  PayloadError,
} from "../../device/vhost_user/payload.ts";
import { payloadOf } from "./bytes.ts";

const REGION = {
  guestAddress: 0x4000_0000,
  size: 0x20_0000,
  userAddress: 0x7f12_3456_7000,
  mmapOffset: 0x1000,
};

function u64s(...values: bigint[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

Deno.test("a vring state is an index and a number", () => {
  const payload = payloadOf(8, { 0: 3, 4: 0x8000_0001 });
  assertEquals(decodeVringState(payload), { index: 3, num: 0x8000_0001 });
  assertEquals(encodeVringState({ index: 3, num: 0x8000_0001 }), payload);
});

Deno.test("vring addresses are in the order descriptor, used, available", () => {
  const payload = u64s(
    2n | 1n << 32n,
    0x1000n,
    0x3000n,
    0x2000n,
    2n ** 64n - 1n,
  );
  const addr = {
    index: 2,
    flags: 1,
    descriptor: 0x1000,
    used: 0x3000,
    available: 0x2000,
  };
  assertEquals(decodeVringAddr(payload), addr);
  assertEquals(
    encodeVringAddr(addr).subarray(0, 32),
    payload.subarray(0, 32),
  );
});

Deno.test("vring addresses above 2^53 are refused", () => {
  for (let field = 0; field < 3; field++) {
    for (const value of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
      const addresses = [0x1000n, 0x1000n, 0x1000n];
      addresses[field] = value;
      const payload = u64s(0n, ...addresses, 0n);
      assertThrows(() => decodeVringAddr(payload), PayloadError, "above 2^53");
    }
  }
});

Deno.test("a memory table is decoded in the order of its descriptors", () => {
  const other = { ...REGION, guestAddress: 0, userAddress: 0x5000 };
  const payload = encodeMemTable([REGION, other]);
  assertEquals(payload.length, 8 + 64);
  assertEquals(decodeU64(payload), 2n);
  assertEquals(decodeMemTable(payload, 2), [REGION, other]);
});

Deno.test("a memory table with more or fewer descriptors than regions is refused", () => {
  const payload = encodeMemTable([REGION, REGION]);
  for (const fds of [0, 1, 3, 8]) {
    assertThrows(() => decodeMemTable(payload, fds), PayloadError);
  }
});

Deno.test("a memory table without regions is refused", () => {
  assertThrows(() => decodeMemTable(encodeMemTable([]), 0), PayloadError);
});

Deno.test("regions that are empty, wrap or end above 2^53 are refused", () => {
  const big = 2n ** 53n;
  const cases: [bigint, bigint, bigint, bigint][] = [
    [0n, 0n, 0n, 0n],
    [big - 0x1000n, 0x1000n, 0n, 0n],
    [0n, 0x1000n, big - 0x1000n, 0n],
    [0n, 0x1000n, 0n, big - 0x1000n],
    [big, 0x1000n, 0n, 0n],
    [2n ** 64n - 0x1000n, 0x1000n, 0n, 0n],
    [0n, 2n ** 64n - 1n, 0n, 0n],
    [0n, 0x1000n, 2n ** 64n - 1n, 0n],
    [0n, 0x1000n, 0n, 2n ** 64n - 1n],
  ];
  for (const fields of cases) {
    assertThrows(() => decodeMemReg(u64s(0n, ...fields)), PayloadError);
    assertThrows(() => decodeMemTable(u64s(1n, ...fields), 1), PayloadError);
  }
});

Deno.test("a single region is preceded by padding, whatever that holds", () => {
  const payload = encodeMemReg(REGION);
  assertEquals(payload.length, 40);
  payload.fill(0xff, 0, 8);
  assertEquals(decodeMemReg(payload), REGION);
});

Deno.test("a configuration access has its bytes after offset, size and flags", () => {
  const payload = encodeConfig({
    offset: 8,
    flags: 1,
    data: Uint8Array.of(1, 2, 3),
  });
  assertEquals(
    payload,
    Uint8Array.of(8, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 1, 2, 3),
  );
  assertEquals(decodeConfig(payload), {
    offset: 8,
    flags: 1,
    data: Uint8Array.of(1, 2, 3),
  });
});

Deno.test("a ring's eventfd comes along unless bit 8 says that none does", () => {
  assertEquals(decodeVringFd(encodeVringFd(3, true), [9]), { index: 3, fd: 9 });
  assertEquals(decodeVringFd(encodeVringFd(255, false), []), {
    index: 255,
    fd: undefined,
  });
  assertEquals(encodeVringFd(3, false), encodeU64(0x103n));
  assertThrows(() => decodeVringFd(encodeVringFd(3, true), []), PayloadError);
  assertThrows(() => decodeVringFd(encodeVringFd(3, false), [9]), PayloadError);
});

Deno.test("survives CVE-2020-10723: a ring index with bits above 8 is refused", () => {
  for (let shift = 9n; shift < 64n; shift++) {
    assertThrows(
      () => decodeVringFd(encodeU64(1n << shift), [9]),
      PayloadError,
    );
  }
});

const INFO: CryptoSessionInfo = {
  cipherAlgo: 3,
  keyLength: 16,
  hashAlgo: 2,
  hashResultLength: 20,
  authKeyLength: 40,
  aadLength: 5,
  opType: 2,
  direction: 1,
  hashMode: 1,
  chainOrder: 2,
};

for (const [size, idOffset] of [[632, 0], [1072, 1064]] as const) {
  Deno.test(`a session message of ${size} bytes is decoded field by field`, () => {
    const payload = payloadOf(size, {
      8: 3,
      12: 16,
      16: 2,
      20: 20,
      24: 40,
      28: 5,
      32: 0x02_01_01_02,
      // Two pointers, which may be anything.
      40: 0xdead_beef,
      48: 0xdead_beef,
    });
    if (size === 1072) payload[0] = 2;
    payload.fill(0x11, 56, 72);
    payload.fill(0x22, 120, 160);
    const decoded = decodeCryptoSessionCreate(payload);
    assertEquals(decoded, {
      size,
      idOffset,
      info: INFO,
      key: new Uint8Array(16).fill(0x11),
      authKey: new Uint8Array(40).fill(0x22),
    });
    const { key, authKey } = decoded;
    const encoded = encodeCryptoSessionCreate(INFO, key, authKey, size);
    payload.fill(0, 40, 56);
    assertEquals(encoded, payload);
  });

  Deno.test(`a session message of ${size} bytes is answered in its own payload`, () => {
    const payload = payloadOf(size, { 8: 3 });
    answerCryptoSession(payload, 0x1234_5678_9abc_def0n);
    assertEquals(answeredCryptoSession(payload), 0x1234_5678_9abc_def0n);
    assertEquals(payload[8], 3);
    answerCryptoSession(payload, -1n);
    assertEquals(
      payload.slice(idOffset, idOffset + 8),
      new Uint8Array(8).fill(0xff),
    );
  });

  Deno.test(`survives CVE-2020-10724: key lengths without room in ${size} bytes are refused`, () => {
    for (
      const lengths of [
        { keyLength: 65 },
        { keyLength: 0xffff_ffff },
        { authKeyLength: 513 },
        { authKeyLength: 0xffff_ffff },
      ]
    ) {
      const none = new Uint8Array();
      const info = { ...INFO, ...lengths };
      const payload = encodeCryptoSessionCreate(info, none, none, size);
      assertThrows(() => decodeCryptoSessionCreate(payload), PayloadError);
    }
    const most = { ...INFO, keyLength: 64, authKeyLength: 512 };
    const decoded = decodeCryptoSessionCreate(
      encodeCryptoSessionCreate(
        most,
        new Uint8Array(64),
        new Uint8Array(512).fill(7),
        size,
      ),
    );
    assertEquals(decoded.authKey, new Uint8Array(512).fill(7));
  });
}

Deno.test("a session message of another opcode than the cipher's is refused", () => {
  for (const opcode of [0n, 0x102n, 0x302n, 2n | 1n << 32n, 2n ** 64n - 1n]) {
    const payload = payloadOf(1072);
    payload.set(encodeU64(opcode));
    assertThrows(() => decodeCryptoSessionCreate(payload), PayloadError);
  }
});

Deno.test("replies carry version 1 and the reply flag", () => {
  assertEquals(
    encodeU64Reply(1, 0x0102n),
    Uint8Array.of(1, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0),
  );
  assertEquals(encodeAck(5, true), encodeU64Reply(5, 0n));
  assertEquals(encodeAck(5, false)[12], 1);
  assertEquals(
    encodeVringStateReply(11, 2, 77),
    Uint8Array.of(11, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 0, 77, 0, 0, 0),
  );
  assertEquals(
    encodeReply(24, new Uint8Array()),
    Uint8Array.of(24, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0),
  );
});
