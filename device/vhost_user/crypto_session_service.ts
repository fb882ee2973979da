/**
 * Sessions made by message: CREATE_CRYPTO_SESSION, judged and answered.
 *
 * @module
 */

import type { Log } from "../log.ts";
import { copyKey } from "../memory/secrets.ts";
import type { SessionService } from "../service/session_service.ts";
import {
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_OK,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
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
  const { info, key, authKey } = message;
  const chained = info.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING;
  const authenticated = chained &&
    info.hashMode === VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH;
  const keys = new Uint8Array(
    key.length + (authenticated ? authKey.length : 0),
  );
  copyKey(key, keys);
  if (authenticated) copyKey(authKey, keys, key.length);
  const parameters = {
    service: VIRTIO_CRYPTO_SERVICE_CIPHER,
    opType: info.opType,
    algorithm: info.cipherAlgo,
    op: info.direction,
    keyLength: info.keyLength,
    chainOrder: chained ? info.chainOrder : 0,
    hashMode: chained ? info.hashMode : 0,
    hashAlgorithm: chained ? info.hashAlgo : 0,
    authKeyLength: authenticated ? info.authKeyLength : 0,
    resultLength: chained ? info.hashResultLength : 0,
    key: keys,
  };
  try {
    answer(create(parameters, sessions, log));
  } finally {
    keys.fill(0);
  }
}

/** The session's id, or the negative of a status. */
function create(
  parameters: SessionParameters,
  sessions: SessionService,
  log: Log,
): bigint {
  let status = sessions.check(parameters);
  if (status === VIRTIO_CRYPTO_OK) {
    // The message names no data queue: any of them may use the session.
    const made = sessions.create(parameters, 0);
    status = made.status;
    if (status === VIRTIO_CRYPTO_OK) {
      // Bit 63 is never set: the id is not negative for QEMU.
      return BigInt(made.high) << 32n | BigInt(made.low);
    }
  }
  log.debug(
    `VHOST_USER_CREATE_CRYPTO_SESSION: cipher ${parameters.algorithm}, op_type ${parameters.opType}, key of ${parameters.keyLength} bytes: refused with status ${status}`,
  );
  return -BigInt(status);
}
