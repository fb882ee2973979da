/**
 * Data requests of every layout and mode, put together by hand from the
 * documents' structures.
 *
 * @module
 */

import { concat } from "../engine/guest.ts";
import { le32, zeros } from "./bytes.ts";
import type { GuestRequest } from "./guest_queue.ts";

/**
 * A layout and mode.
 *
 * - legacy, revision1: session mode, without the parameters of a session
 * - v15, revision1-stateless: with them, in either mode
 */
export type Form = "legacy" | "v15" | "revision1" | "revision1-stateless";

/** What a request says. What is left out is 0 or empty. */
export interface Parts {
  readonly opcode: number;
  readonly flag: number;
  readonly session?: { readonly low: number; readonly high: number };
  readonly algorithm?: number;
  readonly op?: number;
  readonly key?: Uint8Array;
  readonly authKey?: Uint8Array;
  readonly iv?: Uint8Array;
  readonly source?: Uint8Array;
  readonly aad?: Uint8Array;
  /** dst_data_len. */
  readonly destination?: number;
  /** hash_result_len or tag_len. */
  readonly result?: number;
  readonly chain?: {
    readonly order?: number;
    readonly hashMode?: number;
    readonly hashAlgorithm?: number;
    /** start and length of the ciphered range. */
    readonly cipher: readonly [number, number];
    /** start and length of the hashed range. */
    readonly hash: readonly [number, number];
  };
}

const NONE = new Uint8Array(0);

/**
 * Builds a request.
 *
 * @param form layout and mode
 * @param parts what it says
 * @returns header and fixed part, then each variable field; result and status
 */
export function handmade(form: Form, parts: Parts): GuestRequest {
  const { opcode, flag, session = { low: 0, high: 0 } } = parts;
  const { key = NONE, authKey = NONE, iv = NONE, source = NONE } = parts;
  const { aad = NONE, destination = 0, result = 0, chain } = parts;
  const header = le32(opcode, 0, session.low, session.high, flag, 0);
  const fixed = fixedPart(form, parts);
  const service = opcode >> 8;
  const aadFirst = form === "revision1-stateless" && chain !== undefined;
  const fields = aadFirst ? [iv, aad, source] : [iv, source, aad];
  const digest = service === 1 || service === 2 || chain ? result : 0;
  return {
    readable: [concat(header, fixed), key, authKey, ...fields]
      .filter((field) => field.length > 0),
    writable: [destination, digest, 1].filter((length) => length > 0),
  };
}

function fixedPart(form: Form, parts: Parts): Uint8Array {
  const stateless = form === "v15" || form === "revision1-stateless";
  const fixed = stateless ? withParameters(parts) : withoutParameters(parts);
  if (parts.opcode >> 8 !== 0) {
    return form === "legacy"
      ? concat(fixed, zeros(48 - fixed.length)).subarray(0, 48)
      : fixed;
  }
  const union = concat(fixed, zeros((stateless ? 72 : 40) - fixed.length));
  const opType = parts.chain === undefined ? 1 : 2;
  return concat(
    union,
    form === "revision1-stateless" ? le32(opType) : le32(opType, 0),
  );
}

function withoutParameters(parts: Parts): Uint8Array {
  const { opcode, iv = NONE, source = NONE, aad = NONE, chain } = parts;
  const { destination = 0, result = 0 } = parts;
  const lengths = [iv.length, source.length, destination];
  switch (opcode >> 8) {
    case 0:
      return chain === undefined ? le32(...lengths, 0) : le32(
        ...lengths,
        ...chain.cipher,
        ...chain.hash,
        aad.length,
        result,
        0,
      );
    case 3:
      return le32(
        iv.length,
        aad.length,
        source.length,
        destination,
        result,
        0,
      );
    default:
      return le32(source.length, result);
  }
}

function withParameters(parts: Parts): Uint8Array {
  const { opcode, iv = NONE, source = NONE, aad = NONE, chain } = parts;
  const { destination = 0, result = 0, algorithm = 0, op = 0 } = parts;
  const { key = NONE, authKey = NONE } = parts;
  const lengths = [iv.length, source.length, destination];
  switch (opcode >> 8) {
    case 0:
      return chain === undefined
        ? le32(algorithm, key.length, op, ...lengths)
        : le32(
          chain.order ?? 0,
          0xffff_ffff,
          algorithm,
          key.length,
          op,
          chain.hashAlgorithm ?? 0,
          authKey.length,
          chain.hashMode ?? 0,
          ...lengths,
          ...chain.cipher,
          ...chain.hash,
          aad.length,
          result,
          0,
        );
    case 1:
      return le32(algorithm, source.length, result, 0);
    case 2:
      return le32(algorithm, key.length, source.length, result);
    default:
      return le32(
        algorithm,
        key.length,
        op,
        iv.length,
        result,
        aad.length,
        source.length,
        destination,
      );
  }
}
