/**
 * Makes requests that are right, or nearly so.
 *
 * @module
 */

import type { MachineSetup } from "./device.ts";
import { MODEL_ALGORITHMS, type ModelAlgorithm } from "./model/algorithms.ts";
import type {
  CreateOperation,
  DescriptorPatch,
  DestroyOperation,
  FormName,
  Placement,
  RequestOperation,
} from "./operations.ts";
import type { Random } from "./random.ts";
import { REGIONS } from "./memory.ts";
import { hasPara } from "./request_bytes.ts";

/** A session as a generator knows it: it may not exist. */
export interface PlannedSession {
  readonly algorithm: ModelAlgorithm;
  readonly hash: ModelAlgorithm | undefined;
  readonly direction: number;
  readonly resultLength: number;
}

/** Values at which lengths and numbers turn. */
const EDGES = [
  0,
  1,
  2,
  3,
  4,
  5,
  15,
  16,
  17,
  64,
  65,
  255,
  256,
  512,
  513,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_fff0,
  0xffff_ffff,
];
const LENGTHS = [0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 48, 63, 64, 65, 128];

/** A length of data that fits an algorithm. */
function dataLength(random: Random, algorithm: ModelAlgorithm): number {
  const { block, least } = algorithm;
  const length = random.oneIn(12)
    ? random.below(1500)
    : random.oneIn(3)
    ? random.pick(LENGTHS)
    : random.below(100);
  return Math.max(least, length - length % block);
}

function pickAlgorithm(random: Random, service: number): ModelAlgorithm {
  const algorithms = MODEL_ALGORITHMS[service]!;
  // The slow ones and the rare ones are among the others often enough.
  return random.pick(algorithms);
}

function pickResult(
  random: Random,
  { results }: ModelAlgorithm,
): number {
  if (results === undefined) return random.between(1, 80);
  return random.oneIn(3) ? results.at(-1) ?? 0 : random.pick(results);
}

/** A plan for a session, or for a request without one. */
export function planSession(random: Random): PlannedSession {
  const service = random.pick([0, 0, 0, 1, 2, 3, 3]);
  const algorithm = pickAlgorithm(random, service);
  const hash = service === 0 && random.oneIn(3)
    ? pickAlgorithm(random, 1 + random.below(2))
    : undefined;
  const digest = service === 0 ? hash : algorithm;
  return {
    algorithm,
    hash,
    direction: 1 + random.below(2),
    resultLength: digest === undefined ? 0 : pickResult(random, digest),
  };
}

function someKey(random: Random, { keys }: ModelAlgorithm): number {
  return random.oneIn(3) ? keys[0]! : random.pick(keys);
}

/** How long a key is, and that a neighbour of it is tried now and then. */
function maybeWrong(random: Random, value: number): number {
  if (!random.oneIn(30)) return value;
  return random.oneIn(2)
    ? Math.max(0, value + random.between(-1, 1))
    : random.pick(EDGES);
}

/** Cuts a length into buffers. */
export function cut(random: Random, length: number): number[] {
  if (random.oneIn(3)) return [length];
  const parts: number[] = [];
  for (let left = length; left > 0 && parts.length < 12;) {
    const most = random.oneIn(4) ? Math.min(left, 4) : left;
    const part = random.oneIn(12) ? 0 : 1 + random.below(most);
    parts.push(part);
    left -= part;
  }
  const sum = parts.reduce((a, b) => a + b, 0);
  return sum < length ? [...parts, length - sum] : parts;
}

/**
 * How a request lies in memory.
 *
 * @param random where everything comes from
 * @param setup the machine
 * @param readable bytes of its readable part
 * @param writable bytes of its writable part
 * @param hostility one in so many has a descriptor changed; 0: none
 * @returns the placement
 */
export function placement(
  random: Random,
  setup: MachineSetup,
  readable: number,
  writable: number,
  hostility: number,
): Placement {
  const result: Placement = {
    readable: cut(random, readable).slice(0, -1),
    writable: writable > 0 ? cut(random, writable) : [],
    style: random.pick(
      setup.indirect || random.oneIn(10)
        ? ["direct", "indirect", "indirect", "mixed"]
        : ["direct"],
    ),
    gap: random.pick([0, 1, 3, 16, 61]),
    ...(random.oneIn(6) ? { high: true } : {}),
  };
  if (hostility === 0 || !random.oneIn(hostility)) return result;
  const count = result.readable.length + result.writable.length + 1;
  const patches = Array.from(
    { length: random.oneIn(4) ? 2 : 1 },
    () => patch(random, setup, count),
  );
  return { ...result, patches };
}

/** Addresses at which memory turns, and a little beside them. */
function oddAddress(random: Random): bigint {
  const [start, size] = random.pick(REGIONS);
  const edge = random.pick([
    start,
    start + size,
    start + size,
    start + size,
    0,
    0x1_0000_0000,
    2 ** 53 - 8,
    -1,
  ]);
  const near = random.oneIn(3) ? 0 : random.between(-40, 8);
  return BigInt.asUintN(64, BigInt(edge) + BigInt(near));
}

function patch(
  random: Random,
  setup: MachineSetup,
  count: number,
): DescriptorPatch {
  const at = random.below(count + 1);
  switch (random.below(9)) {
    case 0:
    case 1:
      return { at, address: `0x${oddAddress(random).toString(16)}` };
    case 2:
      return {
        at,
        address: `0x${oddAddress(random).toString(16)}`,
        length: random.pick([1, 4, 16, 40, 256, 4096, 0x9000]),
      };
    case 3:
      return { at, length: random.pick([0, 1, 8, 24, ...EDGES]) };
    case 4:
      return { at, length: 16 * random.between(0, 3) + random.pick([0, 0, 8]) };
    case 5:
      return { at, flags: random.below(8) };
    case 6:
      return {
        at,
        flags: 1 | (random.oneIn(3) ? 2 : 0),
        next: random.pick([
          0,
          1,
          2,
          setup.ringSize - 1,
          setup.ringSize,
          setup.ringSize + 1,
          0xffff,
          random.below(setup.ringSize),
        ]),
      };
    case 7:
      return { at, next: random.pick([0, at, setup.ringSize, 0x7fff, 0xffff]) };
    default:
      return { at, flags: random.pick([4, 5, 6, 7, 0, 2, 1]) };
  }
}

/** The layout a machine takes, by the flag of the request. */
function pickForm(
  random: Random,
  setup: MachineSetup,
  service: number,
): { form: FormName; flag: number } {
  if (random.oneIn(25)) {
    return {
      form: random.pick(["legacy", "revision1", "v15", "revision1-stateless"]),
      flag: random.pick([0, 1, 2, 3, 4, 0xffff_ffff]),
    };
  }
  const mode = setup.features >> (service + 1) & 1;
  if (setup.spec === "v15") {
    if (random.oneIn(2)) return { form: "v15", flag: 2 };
    return (setup.features >> 1) === 0
      ? { form: "legacy", flag: random.below(2) }
      : { form: "v15", flag: 1 };
  }
  if (!(setup.features & 1)) {
    return { form: "legacy", flag: random.pick([0, 1, 1, 7]) };
  }
  if (mode === 0) return { form: "revision1", flag: 1 };
  return { form: "revision1-stateless", flag: random.below(2) };
}

/** Fields that fit, by the names of the documents. */
function goodFields(
  random: Random,
  plan: PlannedSession,
  para: boolean,
): Record<string, number> {
  const { algorithm, hash, direction, resultLength } = plan;
  const { service } = algorithm;
  const iv = algorithm.ivs.length > 0 ? random.pick(algorithm.ivs) : 0;
  const macIv = service === 2 ? algorithm.ivs[0] ?? 0 : 0;
  const data = dataLength(random, algorithm) + macIv;
  const fields: Record<string, number> = { src_data_len: data };
  const key = someKey(random, algorithm);
  const more = random.pick([0, 0, 0, 1, 16]);
  switch (service) {
    case 0:
      fields["iv_len"] = iv;
      fields["dst_data_len"] = data + more;
      break;
    case 3: {
      const opened = direction === 2;
      fields["iv_len"] = iv;
      fields["aad_len"] = random.pick([0, 0, 8, 13, 16, 20]);
      fields["tag_len"] = resultLength;
      fields["src_data_len"] = opened ? data + resultLength : data;
      fields["dst_data_len"] = (opened ? data : data + resultLength) + more;
      break;
    }
    default:
      fields["hash_result_len"] = resultLength;
  }
  if (hash !== undefined) chainFields(random, plan, hash, fields);
  if (para) {
    const chained = hash !== undefined;
    const prefix = chained ? "sess_para.cipher." : "sess_para.";
    fields[`${prefix}algo`] = algorithm.number;
    fields[service === 3 ? `${prefix}key_len` : `${prefix}keylen`] = key;
    fields[`${prefix}op`] = direction;
    if (service === 2) fields["sess_para.auth_key_len"] = key;
    if (chained) {
      fields["sess_para.alg_chain_order"] = 1 + random.below(2);
      fields["sess_para.hash.hash_mode"] = hash.service;
      fields["sess_para.hash.algo"] = hash.number;
      fields["sess_para.hash.auth_key_len"] = hash.service === 2
        ? someKey(random, hash)
        : random.pick([0, 0, 7]);
    }
  }
  return fields;
}

function chainFields(
  random: Random,
  { algorithm, resultLength }: PlannedSession,
  hash: ModelAlgorithm,
  fields: Record<string, number>,
): void {
  const aad = hash.ivs.length > 0
    ? random.pick(hash.ivs)
    : hash.block > 1
    ? random.pick([0, hash.block])
    : random.pick([0, 0, 5, 16]);
  const length = (of: ModelAlgorithm) =>
    Math.max(of.least, dataLength(random, of) % 128 & -of.block);
  const cipherLength = length(algorithm);
  const hashLength = length(hash);
  const [cipherStart, hashStart] = [0, 0].map(() =>
    random.pick([0, 0, 1, 8, 16, 40])
  );
  const source = Math.max(
    cipherStart! + cipherLength,
    hashStart! + hashLength,
  ) + random.pick([0, 0, 1, 16]);
  Object.assign(fields, {
    src_data_len: source,
    dst_data_len: source + random.pick([0, 0, 3]),
    cipher_start_src_offset: cipherStart,
    len_to_cipher: cipherLength,
    hash_start_src_offset: hashStart,
    len_to_hash: hashLength,
    aad_len: aad,
    hash_result_len: resultLength,
  });
}

const LENGTH_FIELDS = [
  "iv_len",
  "src_data_len",
  "dst_data_len",
  "aad_len",
  "hash_result_len",
  "tag_len",
  "cipher_start_src_offset",
  "len_to_cipher",
  "hash_start_src_offset",
  "len_to_hash",
  "sess_para.keylen",
  "sess_para.key_len",
  "sess_para.auth_key_len",
  "sess_para.cipher.keylen",
  "sess_para.hash.auth_key_len",
];

/** Fields that count bytes of the readable part. */
const READABLE = /(iv|src_data|aad|key)_?len$/;

/** Start and length of a range, and lengths that make up a part. */
const PAIRS = [
  ["cipher_start_src_offset", "len_to_cipher"],
  ["hash_start_src_offset", "len_to_hash"],
  ["dst_data_len", "hash_result_len"],
  ["src_data_len", "aad_len"],
] as const;

/**
 * Makes one or two lengths wrong.
 *
 * @returns bytes that the request is to be shorter by, in 32 bits
 */
function bendFields(
  random: Random,
  setup: MachineSetup,
  fields: Record<string, number>,
): number {
  const names = LENGTH_FIELDS.filter((name) => name in fields);
  const name = random.pick(names);
  const value = fields[name]!;
  switch (random.below(6)) {
    case 0:
      fields[name] = Math.max(0, value + random.pick([-16, -8, -1, 1, 8, 16]));
      break;
    case 1:
      fields[name] = random.pick(EDGES);
      break;
    case 2:
      fields[name] = random.pick([
        setup.maxSize - 1,
        setup.maxSize,
        setup.maxSize + 1,
        value * 2,
      ]);
      break;
    case 3: {
      // The sum stays what it is in 32 bits.
      const [one, other] = random.oneIn(2)
        ? random.pick(PAIRS)
        : [name, random.pick(names)] as const;
      if (!(one in fields) || !(other in fields)) break;
      const by = random.pick([0x8000_0000, 0xffff_fff0, 16, 1]);
      fields[one] = (fields[one]! + by) >>> 0;
      fields[other] = (fields[other]! - by) >>> 0;
      break;
    }
    case 4: {
      // One below 0: in 32 bits the sum is that of a shorter request.
      const by = value + random.pick([1, 8, 12, 16, 28, 32]);
      fields[name] = (value - by) >>> 0;
      return READABLE.test(name) ? by : 0;
    }
    default:
      // Two that belong together.
      fields[name] = value + 16;
      fields["dst_data_len"] = (fields["dst_data_len"] ?? 0) + 16;
  }
  return 0;
}

/** Bytes that are behind the fixed part where its fields are true. */
function variableLength(
  fields: Readonly<Record<string, number>>,
  para: boolean,
  session: boolean,
): number {
  const f = (name: string) => fields[name] ?? 0;
  const keys = para && !session
    ? f("sess_para.keylen") + f("sess_para.key_len") +
      f("sess_para.auth_key_len") + f("sess_para.cipher.keylen") +
      (f("sess_para.hash.hash_mode") === 2
        ? f("sess_para.hash.auth_key_len")
        : 0)
    : 0;
  return keys + f("iv_len") + f("src_data_len") + f("aad_len");
}

/** What of a request is not as it should be. */
export interface Hostility {
  /** One request in so many has something wrong in its bytes. */
  readonly bytes: number;
  /** One in so many has something wrong in its descriptors; 0: none. */
  readonly descriptors: number;
}

/**
 * Makes a data request.
 *
 * @param random where everything comes from
 * @param setup the machine
 * @param sessions sessions there may be, in the order of their creation
 * @param hostility how much of it is wrong
 * @returns the request
 */
export function makeRequest(
  random: Random,
  setup: MachineSetup,
  sessions: readonly PlannedSession[],
  hostility: Hostility,
): RequestOperation {
  const session = random.below(Math.max(1, sessions.length));
  const known = sessions[session];
  let plan = known === undefined || random.oneIn(12)
    ? planSession(random)
    : known;
  let { form, flag } = pickForm(random, setup, plan.algorithm.service);
  const para = hasPara(form);
  const inSession = flag !== 2 && !(form === "revision1-stateless" && !flag);
  if (!inSession && random.oneIn(2)) plan = planSession(random);
  const { service } = plan.algorithm;
  const fields = goodFields(random, plan, para);
  const before = variableLength(fields, para, inSession);
  const bent = random.oneIn(hostility.bytes);
  let extra = 0;
  let shorter = 0;
  let opcode = service << 8 |
    (service === 0 || service === 3 ? plan.direction - 1 : 0);
  let idXor: string | undefined;
  const words: [number, number][] = [];
  let writable = -1;
  for (let n = bent ? random.between(1, 2) : 0; n > 0; n--) {
    switch (random.below(9)) {
      case 0:
      case 1:
      case 2:
        shorter += bendFields(random, setup, fields);
        break;
      case 3:
        extra = random.pick([-1, 1, -16, 16, -40, random.between(-200, 64)]);
        break;
      case 4:
        writable = random.below(40);
        break;
      case 5:
        if (random.oneIn(2)) flag = random.pick([0, 1, 2, 3, 0x100]);
        else opcode = random.pick([0, 1, 2, 0x100, 0x101, 0x200, 0x300, 0x301]);
        break;
      case 6:
        idXor = `0x${
          (1n << BigInt(random.pick([0, 1, 31, 32, 33, 62, 63]))).toString(16)
        }`;
        break;
      case 7:
        words.push([4 * random.below(30), random.pick(EDGES)]);
        break;
      default:
        // v15's iv of a full 16 bytes.
        extra = 16 - (fields["iv_len"] ?? 0);
    }
  }
  const f = (name: string) => fields[name] ?? 0;
  if (shorter > 0) extra = -shorter;
  // Bytes are there as the fields said before, or as they say now.
  const now = variableLength(fields, para, inSession);
  const variable = now <= 6000 && random.oneIn(2) ? now : before;
  const room = ((f("dst_data_len") + f("hash_result_len")) >>> 0) + 1;
  if (writable < 0) writable = room <= 6000 ? room : 64;
  if (random.oneIn(10)) writable += random.pick([1, 7, 100]);
  const readable = Math.max(0, 24 + 48 + variable + extra);
  return {
    op: "request",
    queue: random.below(2),
    form,
    opcode,
    flag,
    session,
    ...(idXor === undefined ? {} : { idXor }),
    chained: plan.hash !== undefined,
    fields,
    variable,
    data: random.word(),
    ...(opcode === 0x301 && !random.oneIn(4) ? { sealed: true } : {}),
    ...(words.length > 0 ? { words } : {}),
    ...(extra !== 0 ? { extra } : {}),
    placement: placement(
      random,
      setup,
      readable,
      writable,
      hostility.descriptors,
    ),
  };
}

/**
 * Makes a creation.
 *
 * @param random where everything comes from
 * @param setup the machine
 * @param plan what it is to create
 * @param hostility one in so many has something wrong; 0: none
 * @returns the creation
 */
export function makeCreate(
  random: Random,
  setup: MachineSetup,
  plan: PlannedSession,
  hostility: number,
): CreateOperation {
  const { algorithm, hash, direction, resultLength } = plan;
  const wrong = (value: number) =>
    hostility > 0 ? maybeWrong(random, value) : value;
  const words: [number, number][] = [];
  let extra = 0;
  let writable = random.pick([16, 16, 16, 17, 40]);
  if (hostility > 0 && random.oneIn(hostility)) {
    switch (random.below(4)) {
      case 0:
        words.push([4 * random.below(18), random.pick(EDGES)]);
        break;
      case 1:
        extra = random.pick([-1, 1, -8, 48, random.between(-90, 40)]);
        break;
      case 2:
        writable = random.below(18);
        break;
      default:
        words.push([
          0,
          random.pick([0, 1, 2, 3, 0x102, 0x202, 0x302, 0x303, 0x402, 0x10002]),
        ]);
    }
  }
  const padded = setup.spec === "1.4" && setup.features & 1
    ? random.oneIn(20)
    : random.oneIn(2);
  return {
    op: "create",
    service: algorithm.service,
    algorithm: wrong(algorithm.number),
    direction: algorithm.service === 0 || algorithm.service === 3
      ? wrong(direction)
      : 0,
    keyLength: wrong(someKey(random, algorithm)) & 0xffff,
    resultLength: wrong(resultLength),
    ...(hash === undefined ? {} : {
      chain: {
        order: wrong(1 + random.below(2)),
        mode: wrong(hash.service),
        hash: wrong(hash.number),
        authKeyLength: hash.service === 2
          ? wrong(someKey(random, hash)) & 0xffff
          : random.pick([0, 0, 9]),
      },
    }),
    padded,
    queueId: hostility > 0 && random.oneIn(10) ? random.pick(EDGES) : 0,
    data: random.word(),
    ...(words.length > 0 ? { words } : {}),
    ...(extra !== 0 ? { extra } : {}),
    placement: placement(random, setup, 90, writable, hostility && 30),
  };
}

/**
 * Makes a destruction.
 *
 * @param random where everything comes from
 * @param setup the machine
 * @param sessions sessions there may be
 * @param hostility one in so many has something wrong; 0: none
 * @returns the destruction
 */
export function makeDestroy(
  random: Random,
  setup: MachineSetup,
  sessions: readonly PlannedSession[],
  hostility: number,
): DestroyOperation {
  const session = random.below(Math.max(1, sessions.length));
  let service = sessions[session]?.algorithm.service ?? 0;
  let idXor: string | undefined;
  let extra = 0;
  let writable = random.pick([1, 1, 7, 8, 8, 16, 20]);
  if (hostility > 0 && random.oneIn(hostility)) {
    switch (random.below(4)) {
      case 0:
        service = random.below(5);
        break;
      case 1: {
        const bits = random.pick([
          1n << BigInt(random.pick([0, 1, 31, 32, 33, 62, 63])),
          0xffff_ffff_ffff_ffffn,
          0xffff_ffff_0000_0000n,
        ]);
        idXor = `0x${bits.toString(16)}`;
        break;
      }
      case 2:
        extra = random.pick([-1, 1, -8, 48, random.between(-30, 60)]);
        break;
      default:
        writable = random.below(9);
    }
  }
  const padded = setup.spec === "1.4" && setup.features & 1
    ? random.oneIn(20)
    : random.oneIn(2);
  return {
    op: "destroy",
    service,
    session,
    ...(idXor === undefined ? {} : { idXor }),
    padded,
    ...(extra !== 0 ? { extra } : {}),
    placement: placement(random, setup, 24, writable, hostility && 30),
  };
}
