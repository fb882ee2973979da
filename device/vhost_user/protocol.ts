/**
 * The numbers of the vhost-user protocol: requests, features and the header
 * (QEMU, docs/interop/vhost-user.rst, "Message Specification").
 *
 * @module
 */

// "Front-end message types".
export const VHOST_USER_GET_FEATURES = 1;
export const VHOST_USER_SET_FEATURES = 2;
export const VHOST_USER_SET_OWNER = 3;
export const VHOST_USER_RESET_OWNER = 4;
export const VHOST_USER_SET_MEM_TABLE = 5;
export const VHOST_USER_SET_LOG_BASE = 6;
export const VHOST_USER_SET_LOG_FD = 7;
export const VHOST_USER_SET_VRING_NUM = 8;
export const VHOST_USER_SET_VRING_ADDR = 9;
export const VHOST_USER_SET_VRING_BASE = 10;
export const VHOST_USER_GET_VRING_BASE = 11;
export const VHOST_USER_SET_VRING_KICK = 12;
export const VHOST_USER_SET_VRING_CALL = 13;
export const VHOST_USER_SET_VRING_ERR = 14;
export const VHOST_USER_GET_PROTOCOL_FEATURES = 15;
export const VHOST_USER_SET_PROTOCOL_FEATURES = 16;
export const VHOST_USER_GET_QUEUE_NUM = 17;
export const VHOST_USER_SET_VRING_ENABLE = 18;
export const VHOST_USER_SEND_RARP = 19;
export const VHOST_USER_NET_SET_MTU = 20;
export const VHOST_USER_SET_BACKEND_REQ_FD = 21;
export const VHOST_USER_IOTLB_MSG = 22;
export const VHOST_USER_SET_VRING_ENDIAN = 23;
export const VHOST_USER_GET_CONFIG = 24;
export const VHOST_USER_SET_CONFIG = 25;
export const VHOST_USER_CREATE_CRYPTO_SESSION = 26;
export const VHOST_USER_CLOSE_CRYPTO_SESSION = 27;
export const VHOST_USER_POSTCOPY_ADVISE = 28;
export const VHOST_USER_POSTCOPY_LISTEN = 29;
export const VHOST_USER_POSTCOPY_END = 30;
export const VHOST_USER_GET_INFLIGHT_FD = 31;
export const VHOST_USER_SET_INFLIGHT_FD = 32;
export const VHOST_USER_GPU_SET_SOCKET = 33;
export const VHOST_USER_RESET_DEVICE = 34;
export const VHOST_USER_VRING_KICK = 35;
export const VHOST_USER_GET_MAX_MEM_SLOTS = 36;
export const VHOST_USER_ADD_MEM_REG = 37;
export const VHOST_USER_REM_MEM_REG = 38;
export const VHOST_USER_SET_STATUS = 39;
export const VHOST_USER_GET_STATUS = 40;
export const VHOST_USER_GET_SHARED_OBJECT = 41;
export const VHOST_USER_SET_DEVICE_STATE_FD = 42;
export const VHOST_USER_CHECK_DEVICE_STATE = 43;
export const VHOST_USER_GET_SHMEM_CONFIG = 44;
export const VHOST_USER_GET_VRING_BASE_SKIP_DRAIN = 45;

/** Bit of the virtio feature word that says that protocol features exist. */
export const VHOST_USER_F_PROTOCOL_FEATURES = 30;
/** Bit of the virtio feature word: log writes to guest memory. */
export const VHOST_F_LOG_ALL = 26;

// "Protocol features": bit numbers.
export const VHOST_USER_PROTOCOL_F_MQ = 0;
export const VHOST_USER_PROTOCOL_F_LOG_SHMFD = 1;
export const VHOST_USER_PROTOCOL_F_RARP = 2;
export const VHOST_USER_PROTOCOL_F_REPLY_ACK = 3;
export const VHOST_USER_PROTOCOL_F_MTU = 4;
export const VHOST_USER_PROTOCOL_F_BACKEND_REQ = 5;
export const VHOST_USER_PROTOCOL_F_CROSS_ENDIAN = 6;
export const VHOST_USER_PROTOCOL_F_CRYPTO_SESSION = 7;
export const VHOST_USER_PROTOCOL_F_PAGEFAULT = 8;
export const VHOST_USER_PROTOCOL_F_CONFIG = 9;
export const VHOST_USER_PROTOCOL_F_BACKEND_SEND_FD = 10;
export const VHOST_USER_PROTOCOL_F_HOST_NOTIFIER = 11;
export const VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD = 12;
export const VHOST_USER_PROTOCOL_F_RESET_DEVICE = 13;
export const VHOST_USER_PROTOCOL_F_INBAND_NOTIFICATIONS = 14;
export const VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS = 15;
export const VHOST_USER_PROTOCOL_F_STATUS = 16;

/** Header: request (u32), flags (u32), size of the payload (u32). */
export const HEADER_SIZE = 12;
/** Header: which request this is or answers (u32). */
export const HEADER_REQUEST = 0;
/** Header: version and flags (u32). */
export const HEADER_FLAGS = 4;
/** Header: bytes of payload that follow (u32). */
export const HEADER_PAYLOAD_SIZE = 8;

/** Bits 0 and 1 of the flags: the version. */
export const FLAG_VERSION_MASK = 0x3;
/** The one version there is. */
export const FLAG_VERSION = 0x1;
/** Bit 2 of the flags: a reply. */
export const FLAG_REPLY = 0x4;
/** Bit 3 of the flags: the sender waits for an acknowledgement. */
export const FLAG_NEED_REPLY = 0x8;

/** Bits 0 to 7 of the u64 of SET_VRING_KICK, _CALL and _ERR: the ring. */
export const VRING_INDEX_MASK = 0xff;
/** Bit 8 of that u64: no file descriptor comes along. */
export const VRING_NOFD_MASK = 0x100;

/** Bit of the flags of SET_VRING_ADDR: log writes to the used ring. */
export const VHOST_VRING_F_LOG = 0;

/** The most regions one SET_MEM_TABLE can carry. */
export const MAX_MEM_TABLE_REGIONS = 8;
/** The most bytes of configuration space one message can carry. */
export const MAX_CONFIG_SIZE = 256;
/** Size of a session message up to QEMU 7. */
export const CRYPTO_SESSION_SIZE_OLD = 632;
/** Size of a session message from QEMU 8 on, which put an opcode before. */
export const CRYPTO_SESSION_SIZE_NEW = 1072;

/** A u64. */
export const U64_SIZE = 8;
/** Vring state: index (u32), num (u32). */
export const VRING_STATE_SIZE = 8;
/** Vring addresses: index, flags (u32 each), four addresses (u64 each). */
export const VRING_ADDR_SIZE = 40;
/** Memory table before the regions: number of them (u32), padding (u32). */
export const MEM_TABLE_HEADER_SIZE = 8;
/** A region: guest address, size, user address, mmap offset (u64 each). */
export const MEM_REGION_SIZE = 32;
/** A single region: padding (u64), the region. */
export const MEM_REG_SIZE = 40;
/** Configuration access before the bytes: offset, size, flags (u32 each). */
export const CONFIG_HEADER_SIZE = 12;
