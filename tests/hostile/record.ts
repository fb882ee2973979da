/**
 * The security record of virtio-crypto and vhost-user backends: what broke
 * others, in this project's words. Every row has cases in
 * `tests/hostile/cases/`, and a test of its name for each engine.
 *
 * @module
 */

/** One mechanism that broke a backend. */
export interface Row {
  /** Its number, or whose it was and a name. */
  readonly id: string;
  /** What went wrong there. */
  readonly mechanism: string;
  /** What the driver or the frontend sends here. */
  readonly sends: string;
  /** The clause that says what has to come back. */
  readonly clause: string;
}

/** Requests of a guest. */
const REQUESTS: readonly Row[] = [
  {
    id: "CVE-2017-5931",
    mechanism: "QEMU added the lengths of a request in 32 bits",
    sends:
      "iv + aad + src + dst + hash lengths that wrap 2^32, each field in turn",
    clause: "v15, Data Virtqueue; Device configuration layout (max_size)",
  },
  {
    id: "CVE-2023-3180",
    mechanism: "QEMU did not compare src_data_len with dst_data_len",
    sends:
      "a destination shorter and longer than the result, for every kind of algorithm",
    clause: "v15, Symmetric algorithms Operation; AEAD Service Operation",
  },
  {
    id: "CVE-2024-3446",
    mechanism: "QEMU's device could be entered again by its own writes",
    sends:
      "results and statuses over the rings, the same head twice, kicks during the work",
    clause: "virtio 1.1, 2.6.8.2 and 2.7.14",
  },
  {
    id: "CVE-2025-14876",
    mechanism:
      "QEMU allocated what a request asked for, and the first bound was a sum of 32 bits",
    sends: "src + dst of 2^32, destinations of 4 GiB, keys of 2^32 - 1 bytes",
    clause: "v15, Device configuration layout (max_size, max_cipher_key_len)",
  },
  {
    id: "QEMU, unknown session",
    mechanism: "An assertion fell over a session id that was never issued",
    sends:
      "destroying ids never issued, twice, and 2^64 - 1; use after destroying",
    clause:
      "v15, Session operation: destroy session; Device Operation (INVSESS)",
  },
  {
    id: "QEMU, half-built state",
    mechanism:
      "What a request had built so far was freed wrongly on its failure",
    sends: "requests that fail at every step of the checks in turn",
    clause: "v15, Device Operation; Session operation: create session",
  },
  {
    id: "QEMU, service not offered",
    mechanism: "A request for a service that was not offered was executed",
    sends: "every opcode of services that are not offered or not negotiated",
    clause:
      "v15, Device configuration layout (crypto_services); Device Operation",
  },
  {
    id: "CVE-2020-10724",
    mechanism: "DPDK copied keys by the lengths of the session message",
    sends: "cipher keys of 65 bytes, authentication keys of 513, and 2^32 - 1",
    clause:
      "vhost-user, VHOST_USER_CREATE_CRYPTO_SESSION; v15, Session operation: create session",
  },
  {
    id: "CVE-2020-14374",
    mechanism:
      "DPDK copied as much as a request said, not as its descriptors held",
    sends: "requests that say more and less than their descriptors hold",
    clause: "v15, Data Virtqueue; virtio 1.1, 2.6.4.2",
  },
  {
    id: "CVE-2020-14375",
    mechanism: "DPDK read a header in guest memory again after it was judged",
    sends:
      "a second thread that changes lengths, next, opcode and session id meanwhile",
    clause: "virtio 1.1, 2.6.13.3 and 2.7.21",
  },
  {
    id: "CVE-2020-14376/14377",
    mechanism:
      "DPDK's copy mode checked neither iv_len nor the digest's length",
    sends: "ivs and digests that are too long, with and without their bytes",
    clause: "v15, HASH, MAC, Symmetric algorithms and AEAD Service Operation",
  },
  {
    id: "CVE-2020-14378",
    mechanism: "DPDK counted the descriptors left below zero",
    sends: "chains that end before what their header claims",
    clause: "v15, Data Virtqueue; virtio 1.1, 2.6.4.2",
  },
  {
    id: "DPDK, chains without end",
    mechanism: "DPDK followed next past the table, and round in circles",
    sends:
      "next past the table, loops of one and two, in the ring and in tables; tables in tables",
    clause: "virtio 1.1, 2.6.5, 2.6.5.3.1, 2.7.7 and 2.7.17",
  },
  {
    id: "DPDK, ring not set up",
    mechanism: "DPDK fetched descriptors before the ring had addresses",
    sends: "kicks before SET_VRING_ADDR, and before everything else",
    clause: "vhost-user, Ring states",
  },
  {
    id: "DPDK, chain offsets",
    mechanism: "DPDK did not hold the offsets of a chain against its source",
    sends:
      "cipher and hash ranges that start or end behind the source, or wrap",
    clause: "v15, Symmetric algorithms Operation (chaining)",
  },
  {
    id: "Stale session",
    mechanism: "A backend kept a closed session in a cache and served it",
    sends: "a request, its session closed, the same request again",
    clause:
      "v15, Session operation: destroy session; Device Operation (INVSESS)",
  },
  {
    id: "Framing assumed",
    mechanism:
      "Backends took for granted an indirect table and a status of its own",
    sends:
      "direct chains, and statuses that are the last byte of a longer buffer",
    clause: "virtio 1.1, 2.6.4.1; v15, Data Virtqueue (inhdr)",
  },
  {
    id: "CVE-2022-2132",
    mechanism: "DPDK looped over a header that lay in several descriptors",
    sends: "headers cut anywhere, byte by byte, with empty descriptors between",
    clause: "virtio 1.1, 2.6.4.1",
  },
  {
    id: "CVE-2016-5403",
    mechanism: "QEMU allocated for any number of requests outstanding",
    sends: "one head made available again and again",
    clause: "virtio 1.1, 2.6.6 and 2.7.17",
  },
  {
    id: "CVE-2016-6490/7422",
    mechanism: "QEMU looped over empty descriptors and trusted huge ones",
    sends: "descriptors of 0 and of 2^32 - 1 bytes",
    clause: "virtio 1.1, 2.6.5",
  },
  {
    id: "Linux, used length",
    mechanism: "Drivers that trust used.len read past their buffers",
    sends:
      "thousands of spoiled requests, each used length and status looked at",
    clause: "virtio 1.1, 2.6.8.2; v15, Device Operation (statuses)",
  },
];

/** Rings, memory and messages. */
const FRONTENDS: readonly Row[] = [
  {
    id: "CVE-2018-1059",
    mechanism: "DPDK translated the start of a range and trusted its end",
    sends: "buffers, rings and tables that leave a region or run over two",
    clause: "vhost-user, Memory regions description; virtio 1.1, 2.6.5",
  },
  {
    id: "CVE-2019-14818",
    mechanism: "DPDK leaked the descriptors of messages that should have none",
    sends:
      "8 descriptors with every message, and good ones, thousands of times",
    clause: "vhost-user, Communication",
  },
  {
    id: "CVE-2020-10722",
    mechanism: "DPDK added size and offset of the dirty log in 64 bits",
    sends: "SET_LOG_BASE of 2^64 - 1 bytes at offset 1",
    clause: "vhost-user, VHOST_USER_SET_LOG_BASE",
  },
  {
    id: "CVE-2020-10723",
    mechanism: "DPDK cut a ring's index to fewer bits after it had checked it",
    sends: "rings 999 and 0x10000 in every message that names one",
    clause: "vhost-user, Vring state description",
  },
  {
    id: "CVE-2020-10725",
    mechanism:
      "DPDK used an address without a mapping because its length was 0",
    sends: "descriptors of no bytes at addresses outside memory",
    clause: "virtio 1.1, 2.6.5",
  },
  {
    id: "CVE-2020-10726",
    mechanism: "DPDK leaked memory at every GET_INFLIGHT_FD",
    sends: "GET_INFLIGHT_FD and SET_INFLIGHT_FD, thousands of times",
    clause: "vhost-user, VHOST_USER_GET_INFLIGHT_FD",
  },
  {
    id: "CVE-2017-17381",
    mechanism: "QEMU divided by the size of a ring of no entries",
    sends: "rings of 0, 3, 32769 and 2^32 - 1 entries, kicked",
    clause: "virtio 1.1, 2.6 and 2.7; vhost-user, VHOST_USER_SET_VRING_NUM",
  },
  {
    id: "CVE-2019-9547, CVE-2019-14835",
    mechanism:
      "A circular chain, and a dirty log with lengths that do not fit, with LOG_ALL",
    sends: "LOG_ALL and log addresses, then circular chains and wrong lengths",
    clause: "vhost-user, Migration; virtio 1.1, 2.6.5",
  },
  {
    id: "virtio-queue, indices and resets",
    mechanism:
      "Rust's virtio-queue believed the available index, and popped after a reset",
    sends:
      "indices too far ahead, chains of more than 2^32 bytes, kicks after a reset",
    clause:
      "virtio 1.1, 2.6.6 and 2.6.5; vhost-user, VHOST_USER_GET_VRING_BASE",
  },
  {
    id: "vhost crates, ring states",
    mechanism:
      "Used index lost at a guest's reboot; disabled rings served; a negotiation order assumed",
    sends:
      "reboots, kicks of a disabled ring, SET_PROTOCOL_FEATURES without GET",
    clause: "vhost-user, Ring states; Starting and stopping rings",
  },
  {
    id: "Cloud Hypervisor, live memory",
    mechanism:
      "A drain without end, a header read twice, a head in flight twice",
    sends:
      "a thread that keeps adding, one that keeps writing, a head offered twice",
    clause: "virtio 1.1, 2.6.6 and 2.7.17",
  },
  {
    id: "Memory table",
    mechanism: "Tables that overlap, wrap or are longer than their files",
    sends:
      "0, too many, overlapping, empty and wrapping regions, files too short; a new table under load",
    clause: "vhost-user, Memory regions description; VHOST_USER_SET_MEM_TABLE",
  },
  {
    id: "Protocol",
    mechanism: "Messages that are none, or come in parts",
    sends:
      "wrong versions, unknown requests, payloads of another size, halves, hang-ups, second clients",
    clause: "vhost-user, Message Specification; Communication",
  },
];

/** The record. */
export const RECORD: readonly Row[] = [...REQUESTS, ...FRONTENDS];
