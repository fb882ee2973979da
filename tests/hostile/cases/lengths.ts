/**
 * Cases of lengths that wrap, lie or do not fit.
 *
 * @module
 */

import type { AlgorithmName } from "../../../device/engine/algorithm.ts";
import { SERVICE_ALGORITHMS } from "../../../device/service/algorithms.ts";
import { decodeConfig } from "../../../device/spec/config.ts";
import { Random } from "../../engine/random.ts";
import { reference } from "../../engine/reference.ts";
import { handmade } from "../../support/handmade.ts";
import {
  answered,
  type Case,
  guestCases,
  type GuestSays,
  refused,
  served,
} from "../case.ts";
import { ERR, OK } from "../expected.ts";
import type { HostileGuest } from "../hostile_guest.ts";
import {
  altered,
  cut,
  fieldAt,
  fieldsOf,
  type Good,
  type Kind,
  KINDS,
  lengthFieldsOf,
  type Mode,
  MODES,
  readableLength,
  type Request,
  resultOf,
} from "../requests.ts";

const TWO_32 = 2 ** 32;
const random = new Random(5);

/** Cases for each kind and mode. */
function each(
  make: (kind: Kind, mode: Mode) => readonly GuestSays[],
): GuestSays[] {
  return KINDS.flatMap((kind) => MODES.flatMap((mode) => make(kind, mode)));
}

/** A request whose le32 fields are replaced, by their names. */
function spoiled(
  kind: Kind,
  mode: Mode,
  changes: Readonly<Record<string, number>>,
): (guest: HostileGuest) => Request {
  const fields = fieldsOf(kind, mode);
  return (guest) =>
    altered(
      guest.good(kind, mode),
      Object.fromEntries(
        Object.entries(changes).map(([name, value]) => [fields[name]!, value]),
      ),
    );
}

/** A field made such that the sum of all lengths is so much modulo 2^32. */
function wrapped(
  kind: Kind,
  mode: Mode,
  field: string,
  sum: number,
): (guest: HostileGuest) => Request {
  const fields = fieldsOf(kind, mode);
  return (guest) => {
    const request = guest.good(kind, mode);
    const others = lengthFieldsOf(kind, mode).filter((name) => name !== field)
      .reduce((total, name) => total + fieldAt(request, fields[name]!), 0);
    return altered(request, { [fields[field]!]: TWO_32 - others + sum });
  };
}

const WRAPPING = each((kind, mode) => {
  const names = lengthFieldsOf(kind, mode);
  return [
    ...names.flatMap((field) =>
      [0, 1].map((sum) =>
        refused(
          `${kind}, ${mode}: ${field} that makes the sum 2^32 + ${sum}`,
          wrapped(kind, mode, field, sum),
        )
      )
    ),
    ...names.slice(1).map((field, i) =>
      refused(
        `${kind}, ${mode}: ${names[i]} and ${field} of 2^31`,
        spoiled(kind, mode, { [names[i]!]: 2 ** 31, [field]: 2 ** 31 }),
      )
    ),
  ];
});

/** Kinds whose result goes to dst_data. */
const WITH_DESTINATION = KINDS.filter((kind) => resultOf(kind) > 0);

const DESTINATIONS = WITH_DESTINATION.flatMap((kind) =>
  MODES.flatMap((mode): GuestSays[] => {
    const fits = resultOf(kind);
    return [
      ...[0, 1, fits - 16, fits - 1].map((destination) =>
        refused(
          `${kind}, ${mode}: dst_data_len ${destination} for ${fits} bytes`,
          (guest) => guest.good(kind, mode, { destination }),
        )
      ),
      refused(
        `${kind}, ${mode}: dst_data_len ${fits} with a buffer of ${fits - 1}`,
        (guest) => shrunk(guest.good(kind, mode)),
      ),
      ...[fits + 1, fits + 16, fits + 4096].map((destination) =>
        served(
          `${kind}, ${mode}: dst_data_len ${destination} for ${fits} bytes`,
          (guest) => guest.good(kind, mode, { destination }),
        )
      ),
    ];
  })
);

/** A request whose first writable buffer is a byte shorter. */
function shrunk<R extends Request>(request: R): R {
  const [first, ...rest] = request.writable;
  return { ...request, writable: [first! - 1, ...rest] };
}

/** A request by every cipher and AEAD, with its keys and any destination. */
function byAlgorithm(
  service: 0 | 3,
  number: number,
  destination: (fits: number) => number,
): Good {
  const algorithm =
    SERVICE_ALGORITHMS[service]!.find(([n]) => n === number)![1];
  const key = random.bytes(Math.min(algorithm.key.max, 32));
  const iv = random.bytes(algorithm.iv.min);
  const source = random.bytes(64);
  const result = algorithm.result.max;
  const name = algorithm.name as AlgorithmName;
  const expected = reference(name, key, { source, iv, resultLength: result });
  const request = handmade("v15", {
    opcode: service << 8,
    flag: 2,
    algorithm: number,
    op: 1,
    key,
    iv,
    source,
    result,
    destination: destination(expected.length),
  });
  return { ...request, writes: [[0, expected]] };
}

/** Every cipher and AEAD that the device says it offers. */
function* offered(guest: HostileGuest): Generator<readonly [0 | 3, number]> {
  const { cipherAlgoL, aeadAlgo } = decodeConfig(guest.carrier.config);
  for (const service of [0, 3] as const) {
    const mask = service === 0 ? cipherAlgoL : aeadAlgo;
    for (const [number] of SERVICE_ALGORITHMS[service]!) {
      if (mask >>> number & 1) yield [service, number];
    }
  }
}

const EVERY_ALGORITHM: readonly GuestSays[] = [
  {
    sends: "every cipher and AEAD, with a destination that is a byte too short",
    verdict: "REJECT",
    async run(guest) {
      for (const [service, number] of offered(guest)) {
        const request = byAlgorithm(service, number, (fits) => fits - 1);
        await guest.send(request, { status: ERR });
      }
    },
  },
  {
    sends: "every cipher and AEAD, with a destination that is too long",
    verdict: "PASS",
    async run(guest) {
      for (const [service, number] of offered(guest)) {
        const request = byAlgorithm(service, number, (fits) => fits + 33);
        await guest.exchange([guest.sendable(request)]);
      }
    },
  },
];

const HUGE = each((kind, mode) => {
  const names = lengthFieldsOf(kind, mode);
  const source = names.includes("src_data_len");
  const destination = names.includes("dst_data_len");
  return [
    ...names.flatMap((field) =>
      [TWO_32 - 1, 2 ** 31, (16 << 20) + 1].map((value) =>
        refused(
          `${kind}, ${mode}: ${field} ${value}`,
          spoiled(kind, mode, { [field]: value }),
        )
      )
    ),
    ...(source && destination
      ? [2 ** 31, 16, TWO_32 - 16].map((value) =>
        refused(
          `${kind}, ${mode}: src_data_len ${value}, dst_data_len ${
            TWO_32 - value
          }`,
          spoiled(kind, mode, {
            src_data_len: value,
            dst_data_len: TWO_32 - value,
          }),
        )
      )
      : []),
  ];
});

/** Whether more bytes than the request names are a fault (v15, AEAD). */
function isExact(kind: Kind, mode: Mode): boolean {
  return mode === "stateless" || kind === "seal" || kind === "open";
}

const HELD = each((kind, mode) => {
  // 4 bytes more would make a GCM iv one of 16 bytes.
  const more = [1, 5, 4096].map((extra) => {
    const longer = (guest: HostileGuest) => {
      const request = guest.good(kind, mode);
      return {
        ...request,
        readable: [...request.readable, random.bytes(extra)],
      };
    };
    const sends = `${kind}, ${mode}: ${extra} bytes more than it names`;
    return isExact(kind, mode) ? refused(sends, longer) : served(sends, longer);
  });
  const less = [1, 16].map((missing) =>
    refused(
      `${kind}, ${mode}: ${missing} bytes less than it names`,
      (guest) => {
        const request = guest.good(kind, mode);
        return cut(request, readableLength(request) - missing);
      },
    )
  );
  return [
    ...more,
    ...less,
    served(`${kind}, ${mode}: more room than it names`, (guest) => {
      const request = guest.good(kind, mode);
      return { ...request, writable: [...request.writable, 100] };
    }),
  ];
});

const OVERSIZED = each((kind, mode) => {
  const names = fieldsOf(kind, mode);
  const ivs = names["iv_len"] === undefined ? [] : [17, 64, 255, 4096];
  const digests = kind === "hash" || kind === "mac" || kind === "chain"
    ? [0, 33, 64, 4096]
    : [];
  const tags = mode === "stateless" && (kind === "seal" || kind === "open")
    ? [0, 1, 3, 17, 64, 4096]
    : [];
  const destination = resultOf(kind) + 8192;
  return [
    ...ivs.map((length) =>
      refused(
        `${kind}, ${mode}: an iv of ${length} bytes that come along`,
        (guest) => guest.good(kind, mode, { iv: random.bytes(length) }),
      )
    ),
    ...digests.map((result) =>
      refused(
        `${kind}, ${mode}: hash_result_len ${result}, with room`,
        (guest) => guest.good(kind, mode, { result }),
      )
    ),
    ...tags.map((result) =>
      refused(
        `${kind}, ${mode}: tag_len ${result}, with room`,
        (guest) => guest.good(kind, mode, { result, destination }),
      )
    ),
    ...["iv_len", "hash_result_len", "tag_len"]
      .filter((name) => names[name] !== undefined)
      .map((name) =>
        refused(
          `${kind}, ${mode}: ${name} 65535 that does not come along`,
          spoiled(kind, mode, { [name]: 65535 }),
        )
      ),
  ];
});

const SHORT = each((kind, mode) => [
  {
    sends: `${kind}, ${mode}: a chain that ends at each of its bytes in turn`,
    verdict: "REJECT",
    async run(guest) {
      const request = guest.good(kind, mode);
      const all = readableLength(request);
      for (let length = 0; length < all; length += 24) {
        const cuts = Array.from(
          { length: Math.min(24, all - length) },
          (_, i) => {
            const { readable, writable } = cut(request, length + i);
            return {
              buffers: guest.buffers({ readable, writable }),
              style: "indirect" as const,
              expected: { status: ERR },
            };
          },
        );
        await guest.exchange(cuts);
      }
    },
  },
  refused(
    `${kind}, ${mode}: room for the status and nothing else`,
    (guest) => ({
      ...guest.good(kind, mode),
      writable: [1],
    }),
  ),
  answered(
    `${kind}, ${mode}: no room for a status`,
    "REJECT",
    (guest) => ({ ...guest.good(kind, mode), writable: [] }),
    { used: 0 },
  ),
]);

/** The source of a chain's good request has so many bytes. */
const CHAIN_SOURCE = 48;

/** Start and length of ranges that are not in the source. */
const OUTSIDE: readonly (readonly [start: number, length: number])[] = [
  [CHAIN_SOURCE + 1, 0],
  [CHAIN_SOURCE, 16],
  [0, CHAIN_SOURCE + 16],
  [16, CHAIN_SOURCE],
  [TWO_32 - 16, 32],
  [16, TWO_32 - 16],
  [TWO_32 - 16, TWO_32 - 16],
  [2 ** 31, 2 ** 31],
];

/** Ranges that are in it: cipher, hash. */
const INSIDE: readonly (readonly [
  readonly [number, number],
  readonly [number, number],
])[] = [
  [[0, 48], [0, 48]],
  [[16, 16], [0, 48]],
  [[32, 16], [47, 1]],
  [[7, 32], [5, 20]],
];

const RANGES = MODES.flatMap((mode) => [
  ...OUTSIDE.flatMap(([start, length]) => [
    refused(
      `${mode}: ${length} bytes to cipher at ${start} of ${CHAIN_SOURCE}`,
      spoiled("chain", mode, {
        cipher_start_src_offset: start,
        len_to_cipher: length,
      }),
    ),
    refused(
      `${mode}: ${length} bytes to hash at ${start} of ${CHAIN_SOURCE}`,
      spoiled("chain", mode, {
        hash_start_src_offset: start,
        len_to_hash: length,
      }),
    ),
  ]),
  ...INSIDE.map(([cipher, hash]) =>
    served(
      `${mode}: ${cipher[1]} bytes to cipher at ${cipher[0]}, ${
        hash[1]
      } to hash at ${hash[0]}, the rest copied`,
      (guest) => {
        const chain = { order: 2, hashMode: 2, hashAlgorithm: 4, cipher, hash };
        return guest.good("chain", mode, { chain });
      },
    )
  ),
]);

/** Any spoiled request: what comes back is one of the document's statuses. */
const SWEEP: readonly GuestSays[] = [{
  sends: "requests with up to three fields of any value",
  verdict: "REJECT",
  async run(guest) {
    const seeded = new Random(1);
    const values = [0, 1, 15, 16, 17, 48, 49, 255, 65536, 2 ** 31, TWO_32 - 1];
    for (let round = 0; round < 20; round++) {
      const chains = Array.from({ length: 24 }, () => {
        const kind = KINDS[seeded.below(KINDS.length)]!;
        const mode = MODES[seeded.below(2)]!;
        const fields = Object.values(fieldsOf(kind, mode));
        const changes = Array.from({ length: 1 + seeded.below(3) }, () => [
          fields[seeded.below(fields.length)]!,
          values[seeded.below(values.length)]!,
        ]);
        const request = altered(
          guest.good(kind, mode),
          Object.fromEntries(changes),
        );
        return {
          buffers: guest.buffers(request),
          style: "indirect" as const,
          expected: { any: true },
        };
      });
      const answers = await guest.exchange(chains);
      for (const { used, written } of answers) checkAnswer(used, written);
    }
  },
}];

/** The used length is that of the writable part, and the status is one. */
function checkAnswer(used: number, written: Uint8Array): void {
  const status = written.at(-1)!;
  if (used !== written.length) {
    throw new Error(`used.len is ${used}, of ${written.length} bytes`);
  }
  if (status > 4) throw new Error(`There is no status ${status}`);
  const rest = written.subarray(0, -1);
  if (status !== OK && rest.some((byte) => byte !== 0xa5)) {
    throw new Error(`Something was written before status ${status}`);
  }
}

/** The cases. */
export const LENGTH_CASES: readonly Case[] = [
  ...guestCases("CVE-2017-5931", WRAPPING),
  ...guestCases("CVE-2023-3180", [...DESTINATIONS, ...EVERY_ALGORITHM]),
  ...guestCases("CVE-2025-14876", HUGE),
  ...guestCases("CVE-2020-14374", HELD),
  ...guestCases("CVE-2020-14376/14377", OVERSIZED),
  ...guestCases("CVE-2020-14378", SHORT),
  ...guestCases("DPDK, chain offsets", RANGES),
  ...guestCases("Linux, used length", SWEEP),
];
