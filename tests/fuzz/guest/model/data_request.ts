/**
 * A second reading of data requests: which status each gets, or what work it
 * asks for. Offsets are written out by the order of the documents' fields.
 *
 * @module
 */

import {
  givesResult,
  type ModelAlgorithm,
  modelAlgorithm,
} from "./algorithms.ts";
import {
  ERR,
  hasMode,
  INVSESS,
  isRevision1,
  type ModelSession,
  NOTSUPP,
  type Rules,
} from "./rules.ts";

/** The readable part of a chain. */
export interface Readable {
  readonly length: number;
  /** Bytes from an offset on; fewer where the part ends. */
  slice(at: number, length: number): Uint8Array;
}

/** What a good request asks for. */
export interface Work {
  readonly algorithm: ModelAlgorithm;
  readonly hash: ModelAlgorithm | undefined;
  readonly decrypts: boolean;
  readonly key: Uint8Array;
  readonly authKey: Uint8Array;
  readonly iv: Uint8Array;
  readonly source: Uint8Array;
  /** Where the source starts in the readable part. */
  readonly sourceAt: number;
  readonly aad: Uint8Array;
  readonly resultLength: number;
  readonly destinationLength: number;
  readonly order: number;
  readonly cipherStart: number;
  readonly cipherLength: number;
  readonly hashStart: number;
  readonly hashLength: number;
}

const HEADER = 24;
const OPCODES = [0x000, 0x001, 0x100, 0x200, 0x300, 0x301];

/** Fields of le32 each, by whether there is sess_para, and by service. */
const FIELDS = {
  plain: [
    "iv src dst",
    "src result",
    "src result",
    "iv aad src dst tag",
  ],
  para: [
    "algo key op iv src dst",
    "algo src result",
    "algo authKey src result",
    "algo key op iv tag aad src dst",
  ],
} as const;
const CHAIN_FIELDS = {
  plain: "iv src dst cipherStart cipherLength hashStart hashLength aad result",
  para:
    "order _ algo key op hashAlgo authKey mode iv src dst cipherStart cipherLength hashStart hashLength aad result",
} as const;

/** Which fixed part a request has, by negotiation and `flag`. */
interface Form {
  readonly session: boolean;
  readonly para: boolean;
  readonly padded: boolean;
}

const LEGACY: Form = { session: true, para: false, padded: true };

function formOf(rules: Rules, flag: number, service: number): Form | number {
  if (rules.spec === "v15") {
    if (flag === 2) return { session: false, para: true, padded: false };
    if ((rules.features & 0b11110n) === 0n) return flag > 1 ? ERR : LEGACY;
    if (flag !== 1 || !hasMode(rules, service)) return ERR;
    return { session: true, para: true, padded: false };
  }
  if (!isRevision1(rules)) return LEGACY;
  const session = (flag & 1) === 1;
  const para = hasMode(rules, service);
  return session || para ? { session, para, padded: false } : NOTSUPP;
}

function fixedSize(rules: Rules, form: Form, service: number): number {
  if (form.padded) return 48;
  if (!form.para) return [48, 8, 8, 24][service]!;
  return [rules.spec === "v15" ? 80 : 76, 16, 16, 32][service]!;
}

/** The operation of a request, its session's or its own. */
interface Operation {
  readonly algorithm: ModelAlgorithm;
  readonly hash: ModelAlgorithm | undefined;
  readonly order: number;
  readonly op: number;
  readonly resultLength: number;
}

/**
 * Judges a data request.
 *
 * @param rules what was negotiated
 * @param session finds a live session by the halves of its id
 * @param readable the readable part
 * @param writable bytes of the writable part
 * @returns the status it gets, or its work
 */
export function judgeData(
  rules: Rules,
  session: (low: number, high: number) => ModelSession | undefined,
  readable: Readable,
  writable: number,
): number | Work {
  if (readable.length < HEADER) return ERR;
  const header = viewOf(readable.slice(0, HEADER));
  const opcode = header.getUint32(0, true);
  const service = opcode >>> 8;
  if (!OPCODES.includes(opcode) || !(rules.services >> service & 1)) {
    return NOTSUPP;
  }
  const form = formOf(rules, header.getUint32(16, true), service);
  if (typeof form === "number") return form;
  const size = fixedSize(rules, form, service);
  if (readable.length < HEADER + size) return ERR;
  const fixed = viewOf(readable.slice(HEADER, size));
  const opType = service === 0 ? fixed.getUint32(form.para ? 72 : 40, true) : 0;
  const chained = opType === 2;
  const names = chained
    ? CHAIN_FIELDS[form.para ? "para" : "plain"]
    : FIELDS[form.para ? "para" : "plain"][service]!;
  const fields: Record<string, number> = {};
  names.split(" ").forEach((name, i) => {
    // The padded form ends before tag_len; it is the session's there.
    if (name === "tag" && form.padded) return;
    fields[name] = fixed.getUint32(4 * i, true);
  });

  let operation: Operation;
  let keyLength = 0;
  let authKeyLength = 0;
  let keys: readonly Uint8Array[] = [];
  if (form.session) {
    const found = session(
      header.getUint32(8, true),
      header.getUint32(12, true),
    );
    if (found === undefined || found.service !== service) return INVSESS;
    if (service === 0) {
      if (opType !== 1 && opType !== 2) return NOTSUPP;
      if (opType !== found.opType) return ERR;
    }
    operation = found;
    keys = [found.key, found.authKey];
    if (service === 3) {
      operation = {
        ...found,
        resultLength: fields["tag"] ?? found.resultLength,
      };
    }
  } else {
    const own = ownOperation(rules, service, opType, fields);
    if (typeof own === "number") return own;
    operation = own;
    // A plain hash has no key, whatever the field holds.
    const keyed = service === 2 || fields["mode"] === 2;
    keyLength = fields["key"] ?? 0;
    authKeyLength = keyed ? fields["authKey"]! : 0;
    if (service === 2) [keyLength, authKeyLength] = [authKeyLength, 0];
  }
  if ((service === 0 || service === 3) && (opcode & 1) + 1 !== operation.op) {
    return ERR;
  }
  const { algorithm, hash } = operation;
  if (!form.session) {
    if (
      !hasKey(rules, algorithm, keyLength) ||
      (hash !== undefined && !hasKey(rules, hash, authKeyLength))
    ) return ERR;
  }

  const iv = fields["iv"] ?? 0;
  const src = fields["src"]!;
  const dst = fields["dst"] ?? 0;
  const aad = fields["aad"] ?? 0;
  const result = fields["result"] ?? 0;
  const given = keyLength + authKeyLength + iv + src + aad;
  if (given + dst + result > rules.maxSize) return ERR;
  if (writable < dst + result + 1) return ERR;
  const room = ivRoom(readable.length - HEADER - size, given, iv, {
    exact: !form.padded || service === 3,
    algorithm,
  });
  if (room < 0) return ERR;

  const macIv = service === 2 && algorithm.ivs.length > 0
    ? algorithm.ivs[0]!
    : 0;
  if (service === 0 || service === 3) {
    const ivs = algorithm.ivs.length > 0 ? algorithm.ivs : [0];
    if (!ivs.includes(iv)) return ERR;
  }
  const resultLength = service === 3 ? operation.resultLength : result;
  const fits = chained
    ? chainFits(rules, operation, fields)
    : plainFits(rules, algorithm, src - macIv, resultLength, opcode, dst, iv);
  if (!fits) return ERR;

  let at = HEADER + size;
  const take = (length: number) => {
    at += length;
    return readable.slice(at - length, length);
  };
  const ownKeys = [take(keyLength), take(authKeyLength)];
  const ivField = take(room);
  let ivBytes = room === iv
    ? ivField
    : ivField.subarray(ivAt(algorithm), ivAt(algorithm) + iv);
  const aadFirst = chained && form.para && rules.spec === "1.4";
  const aadEarly = aadFirst ? take(aad) : undefined;
  const sourceAt = at + macIv;
  if (macIv > 0) ivBytes = take(macIv);
  const source = take(src - macIv);
  const [key, authKey] = form.session ? keys : ownKeys;
  return {
    algorithm,
    hash,
    decrypts: service !== 1 && service !== 2 && (opcode & 1) === 1,
    key: key!,
    authKey: authKey!,
    iv: ivBytes,
    source,
    sourceAt,
    aad: aadEarly ?? take(aad),
    resultLength,
    destinationLength: dst,
    order: operation.order,
    cipherStart: fields["cipherStart"] ?? 0,
    cipherLength: fields["cipherLength"] ?? 0,
    hashStart: fields["hashStart"] ?? 0,
    hashLength: fields["hashLength"] ?? 0,
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The operation that a request without a session brings along. */
function ownOperation(
  rules: Rules,
  service: number,
  opType: number,
  fields: Readonly<Record<string, number>>,
): Operation | number {
  if (service === 0 && opType !== 1 && opType !== 2) return NOTSUPP;
  const algorithm = modelAlgorithm(service, fields["algo"]!);
  let hash: ModelAlgorithm | undefined;
  const order = fields["order"] ?? 0;
  if (opType === 2) {
    const mode = fields["mode"]!;
    if (mode !== 1 && mode !== 2) return NOTSUPP;
    if (order !== 1 && order !== 2) return NOTSUPP;
    hash = modelAlgorithm(mode, fields["hashAlgo"]!);
    if (hash === undefined || !rules.serves(hash)) return NOTSUPP;
  }
  if (algorithm === undefined || !rules.serves(algorithm)) return NOTSUPP;
  return {
    algorithm,
    hash,
    order,
    op: fields["op"] ?? 0,
    resultLength: fields["tag"] ?? 0,
  };
}

function hasKey(
  rules: Rules,
  algorithm: ModelAlgorithm,
  length: number,
): boolean {
  return algorithm.keys.includes(length) && rules.serves(algorithm, length);
}

/** Where the iv is in a field of 16 bytes; -1 where there is no such form. */
function ivAt(algorithm: ModelAlgorithm): number {
  return algorithm.name === "aes-gcm"
    ? 0
    : algorithm.name === "aes-ccm"
    ? 1
    : -1;
}

/** Bytes the iv takes of the readable part; -1 where the length is wrong. */
function ivRoom(
  length: number,
  given: number,
  iv: number,
  { exact, algorithm }: {
    readonly exact: boolean;
    readonly algorithm: ModelAlgorithm;
  },
): number {
  if (!exact) return length >= given ? iv : -1;
  if (length === given) return iv;
  return ivAt(algorithm) >= 0 && length === given - iv + 16 ? 16 : -1;
}

function plainFits(
  rules: Rules,
  algorithm: ModelAlgorithm,
  length: number,
  resultLength: number,
  opcode: number,
  room: number,
  iv: number,
): boolean {
  if (length < algorithm.least || length % algorithm.block !== 0) return false;
  if (algorithm.service === 0) return room >= length;
  if (!givesResult(algorithm, resultLength, rules.maxSize)) return false;
  if (algorithm.service !== 3) return true;
  const text = opcode === 0x301 ? length - resultLength : length;
  if (text < 0) return false;
  // SP 800-38C: the length has 15 - n bytes.
  if (algorithm.name === "aes-ccm" && text >= 2 ** (8 * (15 - iv))) {
    return false;
  }
  return room >= (opcode === 0x301 ? text : text + resultLength);
}

function chainFits(
  rules: Rules,
  { algorithm, hash }: Operation,
  fields: Readonly<Record<string, number>>,
): boolean {
  const f = (name: string) => fields[name]!;
  if (hash === undefined || f("dst") < f("src")) return false;
  if (
    f("cipherStart") + f("cipherLength") > f("src") ||
    f("hashStart") + f("hashLength") > f("src")
  ) return false;
  if (
    f("cipherLength") < algorithm.least ||
    f("cipherLength") % algorithm.block !== 0
  ) return false;
  if (!givesResult(hash, f("result"), rules.maxSize)) return false;
  const fromAad = hash.ivs.length > 0;
  if (fromAad && !hash.ivs.includes(f("aad"))) return false;
  const hashed = f("hashLength") + (fromAad ? 0 : f("aad"));
  return hashed >= hash.least && hashed % hash.block === 0;
}
