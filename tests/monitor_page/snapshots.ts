/**
 * Snapshots and request records as the monitor sends them, with figures that
 * are known.
 *
 * @module
 */

/** Microseconds' powers of two that latency is counted by. */
const BUCKETS = 24;

/** When the server that is played started: 2026-01-02 03:04:05 UTC. */
export const STARTED = Date.UTC(2026, 0, 2, 3, 4, 5);

/** A histogram with some requests in two neighbouring buckets. */
function latency(bucket: number, requests: number): number[] {
  const counts = new Array<number>(BUCKETS).fill(0);
  const slow = Math.floor(requests / 20);
  counts[bucket] = requests - slow;
  counts[bucket + 2] = slow;
  return counts;
}

/** What a queue has served. */
export interface Served {
  readonly requests: number;
  readonly bytes: number;
  readonly refused?: number;
}

/** A queue of the snapshot. */
export interface QueueState {
  index: number;
  kind: "data" | "control";
  running: boolean;
  enabled: boolean;
  broken: string | null;
  ring: {
    type: "split" | "packed";
    size: number;
    available: number;
    used: number;
    depth: number;
    inOrder: boolean;
    eventIdx: boolean;
  } | null;
  requests: number;
  bytes: number;
  rounds: number;
  kicks: number;
  signals: number;
  statuses: Record<string, number>;
  latency: number[];
  algorithms: {
    service: string;
    algorithm: string;
    requests: number;
    bytes: number;
    latency: number[];
  }[];
}

/**
 * A data queue.
 *
 * @param index its index
 * @param served what it has served, four requests a round
 * @param waiting entries that it has not answered
 * @returns the queue
 */
export function dataQueue(
  index: number,
  served: Served,
  waiting = 0,
): QueueState {
  const { requests, bytes, refused = 0 } = served;
  const used = requests & 0xffff;
  return {
    index,
    kind: "data",
    running: true,
    enabled: true,
    broken: null,
    ring: {
      type: index === 0 ? "split" : "packed",
      size: 128,
      available: index === 0
        ? (used + waiting) & 0xffff
        : (used + waiting) % 128,
      used: index === 0 ? used : used % 128,
      depth: waiting,
      inOrder: index !== 0,
      eventIdx: true,
    },
    requests,
    bytes,
    rounds: Math.ceil(requests / 4),
    kicks: Math.ceil(requests / 8),
    signals: Math.ceil(requests / 4),
    statuses: {
      OK: requests - refused,
      ERR: refused - Math.floor(refused / 3),
      BADMSG: Math.floor(refused / 3),
      NOTSUPP: 0,
      INVSESS: 0,
      NOSPC: 0,
    },
    latency: latency(6, requests),
    algorithms: requests === 0 ? [] : [
      {
        service: "CIPHER",
        algorithm: "aes-cbc",
        requests: requests - Math.floor(requests / 4),
        bytes: bytes - Math.floor(bytes / 4),
        latency: latency(6, requests - Math.floor(requests / 4)),
      },
      {
        service: "AEAD",
        algorithm: "aes-gcm",
        requests: Math.floor(requests / 4),
        bytes: Math.floor(bytes / 4),
        latency: latency(7, Math.floor(requests / 4)),
      },
    ],
  };
}

/** A control queue that has served nothing. */
export function controlQueue(index: number): QueueState {
  return {
    ...dataQueue(index, { requests: 0, bytes: 0 }),
    kind: "control",
    ring: null,
    running: false,
  };
}

/**
 * A snapshot of one device.
 *
 * @param seconds since the server's start
 * @param queues its queues
 * @param started when the server started, in milliseconds of the epoch
 * @returns the snapshot
 */
export function snapshot(
  seconds: number,
  queues: readonly QueueState[],
  started: number = STARTED,
) {
  return {
    version: "0.1.0",
    time: started + seconds * 1000,
    started,
    engine: "auto",
    engines: ["libcrypto", "ipsec-mb", "noble"],
    spec: "v15",
    devices: [{
      socket: "/tmp/crypto.sock",
      connected: true,
      mode: "device",
      features: [
        "VIRTIO_F_VERSION_1",
        "VIRTIO_RING_F_INDIRECT_DESC",
        "VIRTIO_RING_F_EVENT_IDX",
        "VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE",
        "VIRTIO_CRYPTO_F_AEAD_SESSION_MODE",
      ],
      maxSize: 16777216,
      sessions: {
        live: 3,
        most: 4096,
        list: [
          {
            id: "0x100000000",
            service: "CIPHER",
            algorithm: "aes-cbc",
            hash: null,
            op: "encrypt",
            keyLength: 16,
            authKeyLength: 0,
            resultLength: 0,
          },
          {
            id: "0x100000001",
            service: "AEAD",
            algorithm: "aes-gcm",
            hash: null,
            op: "decrypt",
            keyLength: 32,
            authKeyLength: 0,
            resultLength: 16,
          },
          {
            id: "0x300000002",
            service: "CIPHER",
            algorithm: "aes-cbc",
            hash: "hmac-sha1",
            op: "encrypt",
            keyLength: 16,
            authKeyLength: 20,
            resultLength: 20,
          },
        ],
      },
      memory: [{ guestAddress: "0x0", size: 536870912 }],
      queues,
    }],
  };
}

/** A field of a request. */
export interface FieldRecord {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly value: string | null;
  readonly meaning: string | null;
  readonly problem?: string | null;
  readonly part?: "readable" | "writable";
}

/** A request's record. */
export interface RequestRecord {
  readonly sequence: number;
  readonly time: number;
  readonly device: number;
  readonly queue: number;
  readonly layout: string;
  readonly mode: string | null;
  readonly engine: string | null;
  readonly service: string | null;
  readonly operation: string | null;
  readonly algorithm: string | null;
  readonly session: string | null;
  readonly readable: number;
  readonly writable: number;
  readonly status: string | null;
  readonly ns: number;
  readonly round: number;
  readonly fault: string | null;
  readonly fields: readonly FieldRecord[];
  readonly problems: readonly string[];
}

/**
 * An AES-CBC encryption of 16 bytes in v15's session mode, served.
 *
 * @param sequence its number
 * @param change what is otherwise
 * @returns its record
 */
export function request(
  sequence: number,
  change: Partial<RequestRecord> = {},
): RequestRecord {
  return {
    sequence,
    time: STARTED + sequence * 5,
    device: 0,
    queue: sequence % 2,
    layout: "v15",
    mode: "session",
    engine: "ipsec-mb",
    service: "CIPHER",
    operation: "VIRTIO_CRYPTO_CIPHER_ENCRYPT",
    algorithm: "aes-cbc",
    session: "0x100000000",
    readable: 136,
    writable: 17,
    status: "OK",
    ns: 1234 + sequence % 100,
    round: 4,
    fault: null,
    fields: fields(16),
    problems: [],
    ...change,
  };
}

/** The fields of such a request, with its dst_data_len. */
function fields(destination: number): FieldRecord[] {
  const le32 = (
    name: string,
    offset: number,
    value: number,
    meaning: string | null = null,
  ): FieldRecord => ({
    name,
    offset,
    size: 4,
    value: `0x${value.toString(16)}`,
    meaning: meaning ?? `${value}`,
  });
  return [
    le32("header.opcode", 0, 0, "VIRTIO_CRYPTO_CIPHER_ENCRYPT"),
    le32("header.algo", 4, 3, "VIRTIO_CRYPTO_CIPHER_AES_CBC"),
    {
      name: "header.session_id",
      offset: 8,
      size: 8,
      value: "0x100000000",
      meaning: "slot 0, generation 1",
    },
    le32("header.flag", 16, 1, "VIRTIO_CRYPTO_FLAG_SESSION_MODE"),
    le32("header.padding", 20, 0, "0"),
    le32("iv_len", 36, 16),
    le32("src_data_len", 40, 16),
    le32("dst_data_len", 44, destination),
    le32("op_type", 96, 1, "VIRTIO_CRYPTO_SYM_OP_CIPHER"),
    { name: "iv", offset: 104, size: 16, value: null, meaning: "16 bytes" },
    {
      name: "src_data",
      offset: 120,
      size: 16,
      value: null,
      meaning: "16 bytes",
    },
    {
      name: "dst_data",
      offset: 0,
      size: destination,
      value: null,
      meaning: `${destination} bytes`,
      part: "writable",
    },
    {
      name: "inhdr.status",
      offset: 16,
      size: 1,
      value: null,
      meaning: null,
      part: "writable",
    },
  ];
}

/** The text of what is wrong with shortRequest. */
export const SHORT = "dst_data_len is 12: the result has 16 bytes";

/**
 * One whose dst_data_len is too small.
 *
 * @param sequence its number
 * @returns its record
 */
export function shortRequest(sequence: number): RequestRecord {
  return request(sequence, {
    status: "ERR",
    engine: null,
    fields: fields(12),
    problems: [SHORT],
  });
}

/**
 * An AEAD decryption whose tag is another.
 *
 * @param sequence its number
 * @returns its record
 */
export function forgedRequest(sequence: number): RequestRecord {
  return request(sequence, {
    queue: 1,
    service: "AEAD",
    operation: "VIRTIO_CRYPTO_AEAD_DECRYPT",
    algorithm: "aes-gcm",
    session: "0x100000001",
    status: "BADMSG",
    engine: "libcrypto",
    problems: ["The tag is not that of the message"],
  });
}
