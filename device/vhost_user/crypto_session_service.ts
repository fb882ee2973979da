/**
 * Sessions made by message: CREATE_CRYPTO_SESSION, judged and answered.
 *
 * @module
 */

import type { Log } from "../log.ts";
import type { SessionService } from "../service/session_service.ts";
import {
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
} from "../spec/constants.ts";
import {
  answerCryptoSession,
  decodeCryptoSessionCreate,
} from "./crypto_session.ts";
import { PayloadError } from "./payload.ts";

/**
 * Creates the session a message asks for, and turns the message into its
 * answer: the id, or the negative of a status.
 *
 * @param payload the message's payload; it is changed
 * @param sessions the device's sessions
 * @param log where refusals are written
 */
export function createSessionByMessage(
  payload: Uint8Array<ArrayBuffer>,
  sessions: SessionService,
  log: Log,
): void {
  const answer = (id: bigint) => answerCryptoSession(payload, id);
  let message;
  try {
    message = decodeCryptoSessionCreate(payload);
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    log.warn(`VHOST_USER_CREATE_CRYPTO_SESSION: ${error.message}`);
    answer(-BigInt(VIRTIO_CRYPTO_ERR));
    return;
  }
  const { info, key } = message;
  const parameters = {
    service: VIRTIO_CRYPTO_SERVICE_CIPHER,
    opType: info.opType,
    algorithm: info.cipherAlgo,
    op: info.direction,
    resultLength: 0,
    keyLength: info.keyLength,
    key,
  };
  let status = sessions.check(parameters);
  if (status === VIRTIO_CRYPTO_OK) {
    // The message names no data queue: any of them may use the session.
    const made = sessions.create(parameters, 0);
    status = made.status;
    if (status === VIRTIO_CRYPTO_OK) {
      // Bit 63 is never set: the id is not negative for QEMU.
      answer(BigInt(made.high) << 32n | BigInt(made.low));
      return;
    }
  }
  log.debug(
    `VHOST_USER_CREATE_CRYPTO_SESSION: cipher ${info.cipherAlgo}, op_type ${info.opType}, key of ${info.keyLength} bytes: refused with status ${status}`,
  );
  answer(-BigInt(status));
}
