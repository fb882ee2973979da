/**
 * What the device really answers: the request is put through the queues of a
 * device in this process.
 *
 * @module
 */

import { CryptoDriver } from "../../driver/driver.ts";
import { InProcessDevice } from "../../in_process.ts";
import {
  VIRTIO_CRYPTO_SERVICE_AEAD,
  VIRTIO_CRYPTO_SERVICE_CIPHER,
  VIRTIO_CRYPTO_SERVICE_HASH,
  VIRTIO_CRYPTO_SERVICE_MAC,
  VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_VERSION_1,
} from "../../spec/constants.ts";
import {
  AEAD_SESSION_PARA,
  CHAIN_SESSION_PARA,
  CIPHER_SESSION_PARA,
  CTRL_HEADER,
  DESTROY_SESSION,
  HASH_SESSION_PARA,
  MAC_SESSION_PARA,
  SESSION_INPUT,
  SYM_SESSION_TAIL,
} from "../../spec/control_structures.ts";
import { OP_HEADER } from "../../spec/data_structures.ts";
import type { ServiceName } from "../../spec/services.ts";
import type { OperationParameters } from "../../spec/session_parameters.ts";
import type { Decoded } from "../../explain/decoded.ts";

const RING_FEATURES = 1n << BigInt(VIRTIO_F_VERSION_1) |
  1n << BigInt(VIRTIO_F_RING_INDIRECT_DESC) |
  1n << BigInt(VIRTIO_F_RING_EVENT_IDX);

const CREATE_SESSION = 0x02;
const AT = CTRL_HEADER.size;

/** What a device is asked. */
export interface Question {
  /** The request's readable part. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The request, decoded. */
  readonly decoded: Decoded;
  /** Services it offers; all when left out. */
  readonly services?: readonly ServiceName[] | undefined;
  /** Data queues of the device. */
  readonly queues: number;
  /** Largest content of a request in bytes. */
  readonly maxSize: number;
}

/** Writable bytes beside a result: those of any answer. */
const SPARE = 64;

/** Memory beside the request's own: rings, guards, tables. */
const MEMORY = 4 << 20;

/**
 * Asks the device. A request of a session gets one made as it is told, with a
 * key of no meaning, so what it computes is nothing to look at.
 *
 * @param question the request and the device
 * @returns the status it answers; undefined where it wrote none
 */
export async function askDevice(
  question: Question,
): Promise<number | undefined> {
  const { bytes, decoded, services, queues, maxSize } = question;
  const { reading, queue, session } = decoded;
  // Room for more than max_size changes no status, and needs no memory.
  const writableLength = Math.min(decoded.writableLength, maxSize + SPARE);
  await using driver = await CryptoDriver.attach(
    new InProcessDevice({
      workers: 0,
      spec: reading.spec,
      features: RING_FEATURES | reading.features,
      services,
      queues,
      maxSize,
      maxSessions: 1,
      memorySize: MEMORY + bytes.length + writableLength,
    }),
    { queues: 1, queueSize: 16, controlQueueSize: 16 },
  );
  const request = bytes.slice();
  if (session !== undefined) {
    const input = await driver.submitRaw("control", [creation(session)], [
      SESSION_INPUT.size,
    ]);
    const at = queue === "data"
      ? OP_HEADER.at.session_id
      : AT + DESTROY_SESSION.at.session_id;
    if (request.length >= at + 8) request.set(input.bytes.subarray(0, 8), at);
  }
  const { usedLength, bytes: written } = await driver.submitRaw(
    queue === "data" ? 0 : "control",
    [request],
    writableLength > 0 ? [writableLength] : [],
  );
  if (usedLength === 0) return undefined;
  if (queue === "data") return written.at(-1);
  if (usedLength === 1) return written[0];
  const view = new DataView(written.buffer);
  return view.getUint32(
    usedLength === SESSION_INPUT.size ? SESSION_INPUT.at.status : 0,
    true,
  );
}

/** A request that creates a session, unpadded, with keys of no meaning. */
function creation(session: OperationParameters): Uint8Array<ArrayBuffer> {
  const { service, keyLength, authKeyLength } = session;
  const sizes = [
    CIPHER_SESSION_PARA.size + SYM_SESSION_TAIL.size,
    HASH_SESSION_PARA.size,
    MAC_SESSION_PARA.size,
    AEAD_SESSION_PARA.size,
  ];
  const fixed = AT + sizes[service]!;
  const bytes = new Uint8Array(fixed + keyLength + authKeyLength);
  // Halves of a key that are the same would be a weak one.
  for (let i = fixed; i < bytes.length; i++) bytes[i] = i;
  const view = new DataView(bytes.buffer);
  const put = (
    at: Readonly<Record<string, number>>,
    values: Readonly<Record<string, number>>,
    base = AT,
  ): void => {
    for (const [name, value] of Object.entries(values)) {
      view.setUint32(base + at[name]!, value, true);
    }
  };
  put(CTRL_HEADER.at, { opcode: service << 8 | CREATE_SESSION }, 0);
  const { algorithm, op, resultLength } = session;
  switch (service) {
    case VIRTIO_CRYPTO_SERVICE_CIPHER:
      put(
        SYM_SESSION_TAIL.at,
        { op_type: session.opType },
        AT + CIPHER_SESSION_PARA.size,
      );
      if (session.opType === VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING) {
        put(CHAIN_SESSION_PARA.at, {
          alg_chain_order: session.chainOrder,
          hash_mode: session.hashMode,
          "cipher_param.algo": algorithm,
          "cipher_param.keylen": keyLength,
          "cipher_param.op": op,
          "u.algo": session.hashAlgorithm,
          "u.hash_result_len": resultLength,
          "u.mac_param.auth_key_len": authKeyLength,
        });
      } else {
        put(CIPHER_SESSION_PARA.at, { algo: algorithm, keylen: keyLength, op });
      }
      break;
    case VIRTIO_CRYPTO_SERVICE_HASH:
      put(HASH_SESSION_PARA.at, {
        algo: algorithm,
        hash_result_len: resultLength,
      });
      break;
    case VIRTIO_CRYPTO_SERVICE_MAC:
      put(MAC_SESSION_PARA.at, {
        algo: algorithm,
        hash_result_len: resultLength,
        auth_key_len: keyLength,
      });
      break;
    case VIRTIO_CRYPTO_SERVICE_AEAD:
      put(AEAD_SESSION_PARA.at, {
        algo: algorithm,
        key_len: keyLength,
        tag_len: resultLength,
        op,
      });
  }
  return bytes;
}

/**
 * Whether a device can be asked about a request: it can not about one of a
 * session that nobody told.
 *
 * @param decoded the request
 * @returns true when it can
 */
export function canAsk(decoded: Decoded): boolean {
  return decoded.condition === undefined || decoded.session !== undefined ||
    decoded.problems.some(({ status }) => status === undefined);
}
