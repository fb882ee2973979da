/**
 * What is particular to requests of algorithm chaining (v15, "Symmetric
 * algorithms Operation").
 *
 * @module
 */

import { type Algorithm, hasSize } from "../engine/algorithm.ts";
import type { Job } from "../engine/engine.ts";
import type { SegmentCursor } from "../memory/segments.ts";
import type { DataRequest } from "../spec/data_request.ts";
import type { Chain } from "../virtqueue/chain.ts";

/**
 * Whether a MAC takes its iv from the chain's aad, which is then nothing else.
 */
function ivFromAad(hash: Algorithm): boolean {
  return hash.kind === "mac" && hash.iv.max > 0;
}

/**
 * Judges the ranges, the aad and the digest's length of a chain. A range lies
 * in the source; the cipher's holds whole blocks, and so does what the hash or
 * MAC is computed on, where it needs that.
 *
 * @param request the decoded request
 * @param cipher the chain's cipher
 * @param hash the chain's hash or MAC
 * @returns true when all are legal
 */
export function chainFits(
  request: DataRequest,
  cipher: Algorithm,
  hash: Algorithm,
): boolean {
  const { sourceLength, cipherLength, aadLength } = request;
  // Sums of two numbers below 2^32 are exact: nothing wraps.
  if (
    request.cipherStart + cipherLength > sourceLength ||
    request.hashStart + request.hashLength > sourceLength ||
    cipherLength < cipher.minimum || cipherLength % cipher.block !== 0 ||
    !hasSize(hash.result, request.resultLength)
  ) return false;
  if (ivFromAad(hash)) {
    return hasSize(hash.iv, aadLength) && request.hashLength >= hash.minimum &&
      request.hashLength % hash.block === 0;
  }
  const hashed = aadLength + request.hashLength;
  return hashed >= hash.minimum && hashed % hash.block === 0;
}

/**
 * Fills the part of a job that only chains have. The rest is filled.
 *
 * @param request the decoded request, which was judged good
 * @param hash the chain's hash or MAC
 * @param chain where the request lies
 * @param cursor a cursor over the chain's segments
 * @param job receives the part
 */
export function fillChain(
  request: DataRequest,
  hash: Algorithm,
  chain: Chain,
  cursor: SegmentCursor,
  job: Job,
): void {
  const part = job.chain;
  part.cipherStart = request.cipherStart;
  part.cipherLength = request.cipherLength;
  part.hashStart = request.hashStart;
  part.hashLength = request.hashLength;
  part.authIvLength = 0;
  if (ivFromAad(hash)) {
    part.authIvLength = request.aadLength;
    cursor.seekSpan(job.aad);
    cursor.read(part.authIv, 0, request.aadLength);
    job.aad.clear();
  }
  // hash_result lies behind dst_data, however much of that is written.
  cursor.seek(chain.writableFirst);
  cursor.skip(request.destinationLength);
  cursor.take(part.digest, request.resultLength);
}
