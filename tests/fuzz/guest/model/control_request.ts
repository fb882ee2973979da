/**
 * A second reading of control requests: what each gets, and what session it
 * makes or ends.
 *
 * @module
 */

import { givesResult, modelAlgorithm } from "./algorithms.ts";
import {
  ERR,
  isRevision1,
  type ModelSession,
  NOSPC,
  NOTSUPP,
  OK,
  type Rules,
} from "./rules.ts";

/** What a control request gets. */
export interface ControlVerdict {
  readonly status: number;
  /** The form of the answer; none: nothing is written, used.len is 0. */
  readonly answer: "create" | "destroy" | "none";
  /** The session that a creation makes. */
  readonly creates?: ModelSession;
  /** The halves of the id of the session that ends. */
  readonly ends?: readonly [low: number, high: number];
}

const HEADER = 16;
const PADDED = 56;
const FIXED = [56, 8, 16, 24] as const;

/**
 * Judges a control request.
 *
 * @param rules what was negotiated
 * @param sessions finds a live session by the halves of its id
 * @param live number of live sessions
 * @param bytes the readable part
 * @param writable bytes of the writable part
 * @returns what it gets
 */
export function judgeControl(
  rules: Rules,
  sessions: (low: number, high: number) => ModelSession | undefined,
  live: number,
  bytes: Uint8Array,
  writable: number,
): ControlVerdict {
  if (writable === 0) return { status: ERR, answer: "none" };
  const created = (status: number): ControlVerdict => ({
    status,
    answer: writable >= 16 ? "create" : "none",
  });
  const destroyed = (status: number): ControlVerdict => ({
    status,
    answer: "destroy",
  });
  const either = writable >= 16 ? created : destroyed;
  if (bytes.length < HEADER) return either(ERR);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const le32 = (at: number) => view.getUint32(HEADER + at, true);
  const opcode = view.getUint32(0, true);
  const service = opcode >>> 8;
  const creates = (opcode & 0xff) === 2;
  if (service > 3 || (!creates && (opcode & 0xff) !== 3)) {
    return either(NOTSUPP);
  }
  if (!(rules.services >> service & 1)) {
    return creates ? created(NOTSUPP) : destroyed(NOTSUPP);
  }
  const revision1 = isRevision1(rules);
  const fits = (fixed: number, keys: number) =>
    bytes.length === HEADER + fixed + keys
      ? fixed
      : !revision1 && bytes.length === HEADER + PADDED + keys
      ? PADDED
      : -1;
  if (!creates) {
    if (fits(8, 0) < 0) return destroyed(ERR);
    const id = [le32(0), le32(4)] as const;
    return sessions(...id)?.service === service
      ? { ...destroyed(OK), ends: id }
      : destroyed(ERR);
  }
  const fixed = FIXED[service]!;
  if (bytes.length < HEADER + fixed) return created(ERR);
  const judged = judgeParameters(rules, service, le32);
  if (typeof judged === "number") return created(judged);
  const keys = judged.keyLength + judged.authKeyLength;
  const at = fits(fixed, keys);
  if (at < 0) return created(ERR);
  if (writable < 16) return created(ERR);
  if (!revision1 && view.getUint32(12, true) >= rules.dataQueues) {
    return created(ERR);
  }
  if (live >= rules.maxSessions) return created(revision1 ? NOSPC : ERR);
  const keyAt = HEADER + at;
  return {
    ...created(OK),
    creates: {
      ...judged.session,
      key: bytes.slice(keyAt, keyAt + judged.keyLength),
      authKey: bytes.slice(keyAt + judged.keyLength, keyAt + keys),
    },
  };
}

interface Judged {
  readonly session: Omit<ModelSession, "key" | "authKey">;
  readonly keyLength: number;
  readonly authKeyLength: number;
}

function judgeParameters(
  rules: Rules,
  service: number,
  le32: (at: number) => number,
): Judged | number {
  const opType = service === 0 ? le32(48) : 0;
  if (service === 0 && opType !== 1 && opType !== 2) return NOTSUPP;
  const chained = opType === 2;
  const order = chained ? le32(0) : 0;
  const mode = chained ? le32(4) : 0;
  const at = chained ? 8 : 0;
  if (chained && ((mode !== 1 && mode !== 2) || (order !== 1 && order !== 2))) {
    return NOTSUPP;
  }
  const hash = chained ? modelAlgorithm(mode, le32(24)) : undefined;
  if (chained && (hash === undefined || !rules.serves(hash))) return NOTSUPP;
  const algorithm = modelAlgorithm(service, le32(at));
  if (algorithm === undefined || !rules.serves(algorithm)) return NOTSUPP;
  const [keyLength, authKeyLength, op, resultLength] = [
    () => [le32(at + 4), mode === 2 ? le32(32) : 0, le32(at + 8), le32(28)],
    () => [0, 0, 0, le32(4)],
    () => [le32(8), 0, 0, le32(4)],
    () => [le32(4), 0, le32(16), le32(8)],
  ][service]!() as [number, number, number, number];
  if ((service === 0 || service === 3) && op !== 1 && op !== 2) return ERR;
  if (
    !algorithm.keys.includes(service === 1 ? 0 : keyLength) ||
    !rules.serves(algorithm, keyLength)
  ) return ERR;
  if (hash !== undefined) {
    if (!hash.keys.includes(authKeyLength)) return ERR;
    if (!rules.serves(hash, authKeyLength)) return ERR;
  }
  const digest = service === 0 ? hash : algorithm;
  if (
    digest !== undefined && !givesResult(digest, resultLength, rules.maxSize)
  ) return ERR;
  return {
    session: { service, opType, algorithm, hash, order, op, resultLength },
    keyLength,
    authKeyLength,
  };
}
