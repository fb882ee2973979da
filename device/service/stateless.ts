/**
 * Requests that bring their keys along: v15's non-session mode, and the
 * stateless mode of virtio 1.4.
 *
 * @module
 */

import type { Job } from "../engine/engine.ts";
import type { SegmentCursor } from "../memory/segments.ts";
import { MAX_KEY_MATERIAL } from "../session/table.ts";
import { VIRTIO_CRYPTO_ERR, VIRTIO_CRYPTO_OK } from "../spec/constants.ts";
import { type DataRequest, parametersOf } from "../spec/data_request.ts";
import type { OperationParameters } from "../spec/session_parameters.ts";
import type { Chain } from "../virtqueue/chain.ts";
import type { Capabilities } from "./capabilities.ts";
import { directionFits, prepareJob } from "./data_service.ts";

/** Judges and prepares requests without a session. Each thread has its own. */
export class StatelessOperation {
  readonly #capabilities: Capabilities;
  readonly #key = new Uint8Array(MAX_KEY_MATERIAL);

  /** @param capabilities what the thread's engines serve */
  constructor(capabilities: Capabilities) {
    this.#capabilities = capabilities;
  }

  /**
   * Judges a request in the order of the session's creation and then of its
   * use: what is not offered (NOTSUPP), direction, values, lengths (ERR).
   *
   * @param request the decoded request
   * @param chain where the request lies
   * @param maxSize largest content of a request in bytes
   * @param cursor a cursor over the chain's segments
   * @param job receives the work to do and a context, which the caller wipes
   * @returns VIRTIO_CRYPTO_OK, or the status the request gets
   */
  judge(
    request: DataRequest,
    chain: Chain,
    maxSize: number,
    cursor: SegmentCursor,
    job: Job,
  ): number {
    const parameters = parametersOf(request);
    const offered = this.#capabilities.checkOffered(parameters);
    if (offered !== VIRTIO_CRYPTO_OK) return offered;
    if (!directionFits(request.opcode, request.op)) return VIRTIO_CRYPTO_ERR;
    const values = this.#capabilities.checkValues(parameters, maxSize);
    if (values !== VIRTIO_CRYPTO_OK) return values;
    const { algorithm, hash } = this.#capabilities.algorithms(parameters);
    if (algorithm === undefined) return VIRTIO_CRYPTO_ERR;
    const { resultLength } = parameters;
    const operation = { algorithm, hash, resultLength };
    const status = prepareJob(request, operation, chain, maxSize, cursor, job);
    if (status !== VIRTIO_CRYPTO_OK) return status;
    return this.#prepare(request, parameters, chain, cursor, job);
  }

  /** Reads the keys, which the chain holds, and makes a context of them. */
  #prepare(
    request: DataRequest,
    parameters: OperationParameters,
    chain: Chain,
    cursor: SegmentCursor,
    job: Job,
  ): number {
    // Both were judged legal, and so fit.
    const length = request.keyLength + request.authKeyLength;
    const key = this.#key.subarray(0, length);
    cursor.seek(chain.readableFirst);
    cursor.skip(request.variableAt);
    cursor.read(key, 0, length);
    try {
      job.context = this.#capabilities.prepare(parameters, key);
    } finally {
      key.fill(0);
    }
    return job.context === undefined ? VIRTIO_CRYPTO_ERR : VIRTIO_CRYPTO_OK;
  }
}
