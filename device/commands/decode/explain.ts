/**
 * What the device makes of a request, for programs: the work of the `decode`
 * command.
 *
 * @module
 */

import {
  type ChainSessionOptions,
  type SessionOptions,
  sessionParameters,
} from "../../driver/session_options.ts";
import type { Layout } from "../../driver/requests.ts";
import { ENGINE_NAMES, openEngines } from "../../engine/engines.ts";
import { Capabilities } from "../../service/capabilities.ts";
import { VIRTIO_CRYPTO_OK } from "../../spec/constants.ts";
import { CTRL_HEADER } from "../../spec/control_structures.ts";
import { nameOf } from "../../spec/names.ts";
import { serviceBits, type ServiceName } from "../../spec/services.ts";
import type { OperationParameters } from "../../spec/session_parameters.ts";
import { askDevice, canAsk } from "./ask.ts";
import { decodeControl } from "./control_view.ts";
import { decodeData } from "../../explain/data_view.ts";
import type { Decoded, Surroundings } from "../../explain/decoded.ts";
import type { Problem } from "../../explain/problem.ts";
import {
  type LayoutName,
  type Reading,
  readingsFor,
} from "../../explain/reading.ts";
import { isGood, reportLines, type Verdict, verdictOf } from "./report.ts";

/** The queue a request is for. */
export type QueueName = "control" | "data";

/** What is known beside a request. Sizes are in bytes. */
export interface Circumstances {
  /** Its layout; all are tried when left out. */
  readonly layout?: LayoutName | undefined;
  /** The queue it is for; by its opcode when left out. */
  readonly queue?: QueueName | undefined;
  /** The services the device offers; all when left out. */
  readonly services?: readonly ServiceName[] | undefined;
  /** One bit a service whose mode feature was negotiated. */
  readonly modes?: number | undefined;
  /** The session of a data request. */
  readonly session?: OperationParameters | undefined;
  /** Bytes of the writable part; what the request needs when left out. */
  readonly writable?: number | undefined;
  /** Data queues of the device. */
  readonly queues: number;
  /** Largest content of a request. */
  readonly maxSize: number;
}

/** A reading that was tried. */
export interface Tried {
  /** The request, read like that. */
  readonly decoded: Decoded;
  /** What the device answers. */
  readonly verdict: Verdict;
}

/** A session that no device would make. */
export class RefusedSessionError extends Error {
  /** The name of the class. */
  override readonly name = "RefusedSessionError";
}

/** How well a reading fits, for the best one to be shown. */
function score({ decoded, verdict }: Tried): number {
  return (isGood(verdict) ? 2 : 0) + (decoded.exact ? 1 : 0);
}

/** The queue a request is for, by its opcode. */
function queueOf(bytes: Uint8Array<ArrayBuffer>): QueueName {
  if (bytes.length < CTRL_HEADER.size) return "data";
  const opcode = new DataView(bytes.buffer).getUint32(0, true);
  return nameOf("controlOpcode", opcode) === undefined ? "data" : "control";
}

/**
 * Reads a request in each way it may be meant, and asks the device.
 *
 * @param bytes its readable part
 * @param known what is known beside it
 * @returns the readings that were tried, and the one that fits best
 * @throws {RefusedSessionError} No device would make such a session
 */
export async function explain(
  bytes: Uint8Array<ArrayBuffer>,
  known: Circumstances,
): Promise<{ tried: readonly Tried[]; best: Tried }> {
  const capabilities = new Capabilities(
    openEngines(ENGINE_NAMES),
    serviceBits(known.services),
  );
  const { session, services, maxSize, queues, writable } = known;
  if (
    session !== undefined &&
    (capabilities.checkOffered(session) !== VIRTIO_CRYPTO_OK ||
      capabilities.checkValues(session, maxSize) !== VIRTIO_CRYPTO_OK)
  ) {
    throw new RefusedSessionError(
      "Cannot explain a request of such a session: the device refuses it",
    );
  }
  const around = { capabilities, queues, maxSize, writable, session };
  const queue = known.queue ?? queueOf(bytes);
  const tried: Tried[] = [];
  for (
    const reading of readingsFor(
      capabilities.services,
      known.layout,
      known.modes,
    )
  ) tried.push(await tryReading(bytes, reading, queue, around, services));
  const best = tried.reduce((a, b) => score(b) > score(a) ? b : a);
  return { tried, best };
}

async function tryReading(
  bytes: Uint8Array<ArrayBuffer>,
  reading: Reading,
  queue: QueueName,
  around: Surroundings,
  services: readonly ServiceName[] | undefined,
): Promise<Tried> {
  const decoded = (queue === "data" ? decodeData : decodeControl)(
    bytes,
    reading,
    around,
  );
  const asked = canAsk(decoded);
  const { queues, maxSize } = around;
  const answer = asked
    ? await askDevice({ bytes, decoded, services, queues, maxSize })
    : undefined;
  return { decoded, verdict: verdictOf(decoded, asked, answer) };
}

/** What is known beside a request that is to be explained. */
export interface ExplainOptions {
  /**
   * Its layout; all are tried when left out, and the one that fits best is
   * told.
   */
  readonly layout?: Layout | undefined;
  /** The queue it is for; by its opcode when left out. */
  readonly queue?: QueueName | undefined;
  /**
   * One bit a service, by VIRTIO_CRYPTO_SERVICE_* number, whose …_SESSION_MODE
   * (v15) or …_STATELESS_MODE (revision 1) was negotiated; only together with
   * `layout`. All in v15 when left out; in revision 1 none and all are tried.
   */
  readonly modes?: number | undefined;
  /**
   * The session of a data request in session mode. Left out, nothing is said of
   * what depends on it. The key itself does not matter, only its length.
   */
  readonly session?: SessionOptions | ChainSessionOptions | undefined;
  /** Services that the device offers; all when left out. */
  readonly services?: readonly ServiceName[] | undefined;
  /** Bytes of the writable part; what the request needs when left out. */
  readonly writable?: number | undefined;
  /** Data queues of the device; 2 when left out. */
  readonly queues?: number | undefined;
  /** Largest content of a request in bytes; 16 MiB when left out. */
  readonly maxSize?: number | undefined;
}

/** What the device makes of a request. */
export interface Explanation {
  /** VIRTIO_CRYPTO_*: what it answers; undefined where it writes no status. */
  readonly status: number | undefined;
  /** Why it does not answer OK; undefined where it does. */
  readonly reason: string | undefined;
  /** What an answer of OK depends on that is not known. */
  readonly condition: string | undefined;
  /** The layout that the request was read in. */
  readonly layout: Layout;
  /** All that is wrong; the first decides the status. */
  readonly problems: readonly Problem[];
  /**
   * The whole of it for people, in lines: each field with its offset and its
   * constant's name, the variable parts, the verdict. No byte of a key.
   */
  readonly text: string;
}

/**
 * Explains a request: its fields, what the device would answer, and why. The
 * request is read by the document's tables and put through a device in this
 * process, so what is said is what happens. It needs no permission.
 *
 * @param bytes the device-readable part, header first
 * @param options what is known beside it
 * @returns the answer, the reasons and the fields
 * @throws {RefusedSessionError} No device would make such a session
 * @throws {TypeError} The session's algorithm is not known
 * @throws {RangeError} A service is none
 *
 * @example What is wrong with this request?
 * ```ts
 * import { explainRequest } from "../../../mod.ts";
 *
 * const request = new Uint8Array(24 + 48 + 16 + 20);
 * const view = new DataView(request.buffer);
 * view.setUint32(24, 16, true); // iv_len
 * view.setUint32(28, 20, true); // src_data_len: not a multiple of 16
 * view.setUint32(32, 20, true); // dst_data_len
 * view.setUint32(64, 1, true); // op_type: VIRTIO_CRYPTO_SYM_OP_CIPHER
 * const { status, reason } = await explainRequest(request, {
 *   layout: "legacy",
 *   session: {
 *     service: "cipher",
 *     algorithm: "aes-cbc",
 *     key: new Uint8Array(16),
 *     direction: "encrypt",
 *   },
 * });
 * console.log(status, reason);
 * // 1 src_data_len is 20: aes-cbc takes whole blocks of 16 bytes
 * ```
 */
export async function explainRequest(
  bytes: Uint8Array,
  options: ExplainOptions = {},
): Promise<Explanation> {
  const { layout, session, queues = 2, maxSize = 16 << 20 } = options;
  const { best: { decoded, verdict } } = await explain(Uint8Array.from(bytes), {
    ...options,
    layout: layout === "revision1" ? "1.4" : layout,
    session: session === undefined ? undefined : sessionParameters(session),
    queues,
    maxSize,
  });
  const { status, reason, condition } = verdict;
  return {
    status,
    reason,
    condition,
    layout: decoded.reading.layout.kind,
    problems: decoded.problems,
    text: [...reportLines(decoded, verdict)].join("\n"),
  };
}
