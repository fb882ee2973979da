/**
 * Sessions by vhost-user message (vhost-user, VHOST_USER_CREATE_CRYPTO_SESSION
 * and VHOST_USER_CLOSE_CRYPTO_SESSION).
 *
 * @module
 */

import {
  VIRTIO_CRYPTO_ERR,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
} from "../spec/constants.ts";
import type { SessionParameters } from "../spec/session_parameters.ts";
import { CryptoStatusError } from "./errors.ts";
import type { SessionMessages } from "./transport.ts";
import type { VhostUserFrontend } from "./vhost_user_frontend.ts";

/**
 * The session messages of a connection. The messages have room for symmetric
 * sessions only.
 *
 * @param frontend the connection
 * @returns how to make and end sessions by it
 */
export function sessionMessagesOf(
  frontend: VhostUserFrontend,
): SessionMessages {
  return {
    async create(parameters: SessionParameters): Promise<bigint> {
      if (parameters.service !== VIRTIO_CRYPTO_SERVICE_CIPHER) {
        throw new TypeError(
          `Cannot create a session of service ${parameters.service} by message: only ciphers and chains have one`,
        );
      }
      const id = await frontend.createCryptoSession(
        {
          cipherAlgo: parameters.algorithm,
          keyLength: parameters.keyLength,
          hashAlgo: parameters.hashAlgorithm,
          hashResultLength: parameters.resultLength,
          authKeyLength: parameters.authKeyLength,
          aadLength: 0,
          opType: parameters.opType,
          direction: parameters.op,
          hashMode: parameters.hashMode,
          chainOrder: parameters.chainOrder,
        },
        parameters.key.subarray(0, parameters.keyLength),
        parameters.key.subarray(parameters.keyLength),
      );
      // Any negative id is a refusal, and it says no more than that.
      if (id < 0n) {
        throw new CryptoStatusError("create a session", VIRTIO_CRYPTO_ERR);
      }
      return id;
    },
    async close(sessionId: bigint): Promise<void> {
      await frontend.closeCryptoSession(sessionId);
    },
  };
}
