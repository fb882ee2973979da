// The requests that a guest makes: the published vectors, and generated data whose ciphertext is computed here, so
// that the device is compared with two others: the Web Crypto of this host and the guest kernel's own ciphers.

/** One line of the table that the guest's program reads; both directions are run. */
interface Case {
  label: string;
  key: string;
  iv: string;
  plain: string;
  cipher: string;
  length: number;
  /** Offsets of source and destination from the start of a page. */
  sourceOffset: number;
  destinationOffset: number;
  /** Bytes in each piece of source and destination; 0 is all in one. */
  piece: number;
  /** send: the kernel copies the source; splice: the device reads the program's own pages. */
  way: "send" | "splice";
}

/** NIST SP 800-38A, F.2.1 to F.2.6: CBC-AES with each key size, and the four blocks of its appendix F. */
const NIST_PLAINTEXT = "6bc1bee22e409f96e93d7e117393172a" +
  "ae2d8a571e03ac9c9eb76fac45af8e51" +
  "30c81c46a35ce411e5fbc1191a0a52ef" +
  "f69f2445df4f9b17ad2b417be66c3710";
const NIST_IV = "000102030405060708090a0b0c0d0e0f";
const NIST = [
  {
    key: "2b7e151628aed2a6abf7158809cf4f3c",
    cipher: "7649abac8119b246cee98e9b12e9197d" +
      "5086cb9b507219ee95db113a917678b2" +
      "73bed6b8e3c1743b7116e69e22229516" +
      "3ff1caa1681fac09120eca307586e1a7",
  },
  {
    key: "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
    cipher: "4f021db243bc633d7178183a9fa071e8" +
      "b4d9ada9ad7dedf4e5e738763f69145a" +
      "571b242012fb7ae07fa9baac3df102e0" +
      "08b0e27988598881d920a9e64f5615cd",
  },
  {
    key: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    cipher: "f58c4c04d6e5f1ba779eabfb5f7bfbd6" +
      "9cfc4e967edb808d679f777bc6702c7d" +
      "39f23369a9d9bacfa530e26304231461" +
      "b2eb05e2c39be9fcda6c19078c6a9d1b",
  },
];

const PAGE = 4096;

/**
 * Linux's driver builds its chain from every tail of its lists of pages: n source and n destination pages become
 * n * (n + 1) + 3 entries of an indirect table. These are 16515, far more than the ring has descriptors.
 */
const LONGEST = 128 * PAGE;
/** More than the 65536 entries that a table can have. */
const TOO_LONG = 256 * PAGE;

/** The same bytes for the same seed, everywhere (xorshift32). */
function seededBytes(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let x = seed;
  for (let i = 0; i < length; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    bytes[i] = x >>> 8;
  }
  return bytes;
}

const hex = (bytes: Uint8Array): string => bytes.toHex();

const keys = [16, 24, 32].map((length) => ({
  bits: length * 8,
  key: seededBytes(0x5eed0000 + length, length),
  iv: seededBytes(0x1c000000 + length, 16),
}));

function allCases(): Case[] {
  const cases: Case[] = NIST.map(({ key, cipher }, i) => ({
    label: `SP800-38A-F.2.${2 * i + 1}`,
    key,
    iv: NIST_IV,
    plain: "nist-plain",
    cipher: `nist-cipher-${key.length * 4}`,
    length: cipher.length / 2,
    sourceOffset: 0,
    destinationOffset: 0,
    piece: 0,
    way: "send",
  }));

  const generated = (
    length: number,
    options: Partial<Case> = {},
    which = keys,
  ) => {
    for (const { bits, key, iv } of which) {
      const one = {
        length,
        sourceOffset: 0,
        destinationOffset: 0,
        piece: 0,
        way: "send" as const,
        ...options,
      };
      cases.push({
        label: `aes${bits}-${length}-bytes-${one.way}-offsets-` +
          `${one.sourceOffset}-${one.destinationOffset}-pieces-${one.piece}`,
        key: hex(key),
        iv: hex(iv),
        plain: "plain",
        cipher: `cipher-${bits}`,
        ...one,
      });
    }
  };

  for (
    const length of [16, 32, 48, 1024, 4080, 4096, 4112, 16384, 65520, 65536]
  ) {
    generated(length);
  }
  // Places in a page: odd ones, the last byte, and blocks that lie across two pages.
  for (
    const [sourceOffset, destinationOffset] of [
      [1, 3],
      [4095, 0],
      [0, 4095],
      [4088, 2055],
    ]
  ) {
    const options = { way: "splice" as const, sourceOffset, destinationOffset };
    for (const length of [16, 4096, 65536]) {
      generated(length, options as Partial<Case>, keys.slice(0, 1));
    }
    generated(8192, options as Partial<Case>, keys.slice(1));
  }
  // Pieces that cut blocks, down to single bytes.
  for (
    const [length, piece] of [
      [32, 1],
      [320, 8],
      [1008, 24],
      [16384, 1000],
      [65536, 4093],
    ] as const
  ) {
    generated(length, { way: "splice", piece, sourceOffset: 5 });
  }
  // Near the 1024 buffers that QEMU's own device takes, in the way that Linux fills them.
  generated(31 * PAGE, { way: "splice" }, keys.slice(0, 2));
  generated(
    30 * PAGE,
    { way: "splice", sourceOffset: 7, destinationOffset: 9 },
    keys.slice(2),
  );
  return cases;
}

function longCase(length: number): Case {
  const { key, iv } = keys[2]!;
  return {
    label: `aes256-${length}-bytes`,
    key: hex(key),
    iv: hex(iv),
    plain: "plain",
    cipher: "cipher-256",
    length,
    sourceOffset: 0,
    destinationOffset: 0,
    piece: 0,
    way: "splice",
  };
}

const line = (c: Case): string =>
  [
    c.label,
    c.key,
    c.iv,
    `/data/${c.plain}`,
    `/data/${c.cipher}`,
    c.length,
    c.sourceOffset,
    c.destinationOffset,
    c.piece,
    c.way,
  ].join(" ");

/** A table for `afalg`, and the labels in it, in order. */
export interface CaseTable {
  path: string;
  labels: string[];
}

const all = allCases();
const tables: Record<string, Case[]> = {
  all,
  published: all.filter((c) => c.label.startsWith("SP800")),
  one: all.filter((c) => c.label.startsWith("aes256-4096-bytes-send")),
  longest: [longCase(LONGEST)],
  too_long: [longCase(TOO_LONG)],
};

const table = (name: string): CaseTable => ({
  path: `/data/${name}`,
  labels: tables[name]!.map((c) => c.label),
});

export const ALL_CASES: CaseTable = table("all");
/** The published vectors alone. */
export const PUBLISHED_CASES: CaseTable = table("published");
/** One case, for repeating. */
export const ONE_CASE: CaseTable = table("one");
/** One request with the most pages that the device serves, and one with more. */
export const LONGEST_CASE: CaseTable = table("longest");
export const TOO_LONG_CASE: CaseTable = table("too_long");

/** The files that the tables and their lines name, by their name in the guest's /data. */
export async function caseFiles(): Promise<Map<string, Uint8Array>> {
  const plain = seededBytes(0xda7a, TOO_LONG);
  const files = new Map<string, Uint8Array>([
    ["plain", plain],
    ["nist-plain", Uint8Array.fromHex(NIST_PLAINTEXT)],
  ]);
  for (const [name, cases] of Object.entries(tables)) {
    const text = cases.map((c) => line(c) + "\n").join("");
    files.set(name, new TextEncoder().encode(text));
  }
  for (const { key, cipher } of NIST) {
    files.set(`nist-cipher-${key.length * 4}`, Uint8Array.fromHex(cipher));
  }
  // In CBC the ciphertext of a beginning is the beginning of the ciphertext: one file serves every length.
  for (const { bits, key, iv } of keys) {
    const imported = await crypto.subtle.importKey(
      "raw",
      key,
      "AES-CBC",
      false,
      ["encrypt"],
    );
    const cipher = await crypto.subtle.encrypt(
      { name: "AES-CBC", iv },
      imported,
      plain,
    );
    // Without the block of padding that it adds.
    files.set(`cipher-${bits}`, new Uint8Array(cipher, 0, plain.length));
  }
  return files;
}
