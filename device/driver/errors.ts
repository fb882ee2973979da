/**
 * What can go wrong on the driver's side, one class a meaning.
 *
 * @module
 */

/**
 * Names of the statuses, by number (v15, "Device Operation"; NOSPC: virtio 1.4,
 * 5.9.7).
 */
const STATUS_NAMES = [
  "OK",
  "ERR",
  "BADMSG",
  "NOTSUPP",
  "INVSESS",
  "NOSPC",
] as const;

/**
 * The name of a status.
 *
 * @param status VIRTIO_CRYPTO_* status number
 * @returns its name without the prefix, or `STATUS_` and the number
 */
export function statusName(status: number): string {
  return STATUS_NAMES[status] ?? `STATUS_${status}`;
}

/**
 * The device answered a request with a status other than VIRTIO_CRYPTO_OK
 * (v15, "Device Operation").
 */
export class CryptoStatusError extends Error {
  /** The name of the class. */
  override readonly name = "CryptoStatusError";
  /**
   * VIRTIO_CRYPTO_ERR, _BADMSG, _NOTSUPP, _INVSESS, _NOSPC or what else was
   * written.
   */
  readonly status: number;
  /** The status by name: "ERR", "BADMSG", "NOTSUPP", "INVSESS", "NOSPC". */
  readonly statusName: string;

  /**
   * Makes the error.
   *
   * @param action what was asked for, as in "Cannot …"
   * @param status the device's status
   */
  constructor(action: string, status: number) {
    super(`Cannot ${action}: the device answered ${statusName(status)}`);
    this.status = status;
    this.statusName = statusName(status);
  }
}

/**
 * Requests that bring their keys along are not possible with what was
 * negotiated: the service's stateless bit with VIRTIO_CRYPTO_F_REVISION_1
 * (virtio 1.4, 5.9.3), or one of the draft's session mode bits.
 */
export class StatelessModeError extends Error {
  /** The name of the class. */
  override readonly name = "StatelessModeError";
}

/**
 * A device has nothing to drive: VIRTIO_CRYPTO_S_HW_READY is not set (v15,
 * "Device configuration layout"), it was closed, or it has a driver already.
 */
export class DeviceNotReadyError extends Error {
  /** The name of the class. */
  override readonly name = "DeviceNotReadyError";
}

/** The driver was closed, and what it had not completed never will be. */
export class DriverClosedError extends Error {
  /** The name of the class. */
  override readonly name = "DriverClosedError";
}

/**
 * The device serves a queue no more: its ring is broken, or what served it
 * failed. What was outstanding in it never comes back; other queues go on.
 */
export class QueueFailedError extends Error {
  /** The name of the class. */
  override readonly name = "QueueFailedError";
  /** Number of the queue; the control queue's is max_dataqueues. */
  readonly queue: number;

  /**
   * Makes the error.
   *
   * @param queue number of the queue
   * @param reason what is wrong
   */
  constructor(queue: number, reason: string) {
    super(`Cannot use queue ${queue}: ${reason}`);
    this.queue = queue;
  }
}

/** Guest memory has no room for a request, even with nothing else in it. */
export class OutOfGuestMemoryError extends Error {
  /** The name of the class. */
  override readonly name = "OutOfGuestMemoryError";
}

/**
 * The device wrote a used ring that breaks the rules: an id it does not hold,
 * or more elements than were outstanding (virtio 1.1, 2.6.8). The queue cannot
 * be used again.
 */
export class UsedRingError extends Error {
  /** The name of the class. */
  override readonly name = "UsedRingError";
}

/** A used element's length is not that of the request's writable part. */
export class UsedLengthError extends Error {
  /** The name of the class. */
  override readonly name = "UsedLengthError";
  /** Length of the used element, in bytes. */
  readonly usedLength: number;
  /** Bytes of the request's writable part. */
  readonly writableLength: number;

  /**
   * Makes the error.
   *
   * @param usedLength length of the used element, in bytes
   * @param writableLength bytes of the request's writable part
   */
  constructor(usedLength: number, writableLength: number) {
    super(
      `Cannot use an answer of ${usedLength} bytes in ${writableLength} writable bytes`,
    );
    this.usedLength = usedLength;
    this.writableLength = writableLength;
  }
}

/**
 * What was thrown, as an error.
 *
 * @param thrown anything
 * @returns itself, or an error of its text
 */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
