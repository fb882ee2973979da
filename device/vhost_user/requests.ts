/**
 * What is known of each request before its handler runs: how large its payload
 * is, how many file descriptors may come with it, whether it is answered by a
 * reply of its own, and which feature it belongs to.
 *
 * Source: docs/interop/vhost-user.rst, "Front-end message types".
 *
 * @module
 */

import * as p from "./protocol.ts";

/** What {@linkcode requestRule} tells of a request. */
export interface RequestRule {
  /** Its name in the vhost-user document. */
  readonly name: string;
  /** The payload sizes it can have, in bytes. */
  readonly sizes: readonly number[] | {
    /** The smallest payload, in bytes. */
    readonly least: number;
    /** The largest payload, in bytes. */
    readonly most: number;
    /** A payload is `least` and a multiple of this, in bytes. */
    readonly step: number;
  };
  /** The most file descriptors that may come with it. */
  readonly maxFds: number;
  /** Whether its answer is a payload of its own, instead of an acknowledgement. */
  readonly replies: boolean;
  /** Whether this device ever serves it. The others are refused. */
  readonly served: boolean;
  /** Bit of the protocol feature it belongs to, if to one. */
  readonly protocolFeature?: number;
}

const NOTHING = [0];
const U64 = [p.U64_SIZE];
const STATE = [p.VRING_STATE_SIZE];
// Frontends differ in whether a message that only brings a descriptor has a
// payload; those messages are all refused.
const NOTHING_OR_U64 = [0, p.U64_SIZE];
// The structure without and with its C padding.
const INFLIGHT = [20, 24];
const CONFIG = {
  least: p.CONFIG_HEADER_SIZE,
  most: p.CONFIG_HEADER_SIZE + p.MAX_CONFIG_SIZE,
  step: 1,
};
const MEM_TABLE = {
  least: p.MEM_TABLE_HEADER_SIZE,
  most: p.MEM_TABLE_HEADER_SIZE + p.MAX_MEM_TABLE_REGIONS * p.MEM_REGION_SIZE,
  step: p.MEM_REGION_SIZE,
};
const SESSION = [p.CRYPTO_SESSION_SIZE_OLD, p.CRYPTO_SESSION_SIZE_NEW];

const rules = new Map<number, RequestRule>();

function rule(
  request: number,
  name: string,
  sizes: RequestRule["sizes"],
  more: Partial<Omit<RequestRule, "name" | "sizes">> = {},
): void {
  rules.set(request, {
    name: `VHOST_USER_${name}`,
    sizes,
    maxFds: 0,
    replies: false,
    served: true,
    ...more,
  });
}

const replies = true;
const served = false;

rule(p.VHOST_USER_GET_FEATURES, "GET_FEATURES", NOTHING, { replies });
rule(p.VHOST_USER_SET_FEATURES, "SET_FEATURES", U64);
rule(p.VHOST_USER_SET_OWNER, "SET_OWNER", NOTHING);
rule(p.VHOST_USER_RESET_OWNER, "RESET_OWNER", NOTHING);
rule(p.VHOST_USER_SET_MEM_TABLE, "SET_MEM_TABLE", MEM_TABLE, {
  maxFds: p.MAX_MEM_TABLE_REGIONS,
});
rule(p.VHOST_USER_SET_VRING_NUM, "SET_VRING_NUM", STATE);
rule(p.VHOST_USER_SET_VRING_ADDR, "SET_VRING_ADDR", [p.VRING_ADDR_SIZE]);
rule(p.VHOST_USER_SET_VRING_BASE, "SET_VRING_BASE", STATE);
rule(p.VHOST_USER_GET_VRING_BASE, "GET_VRING_BASE", STATE, { replies });
rule(p.VHOST_USER_SET_VRING_KICK, "SET_VRING_KICK", U64, { maxFds: 1 });
rule(p.VHOST_USER_SET_VRING_CALL, "SET_VRING_CALL", U64, { maxFds: 1 });
rule(p.VHOST_USER_SET_VRING_ERR, "SET_VRING_ERR", U64, { maxFds: 1 });
rule(p.VHOST_USER_GET_PROTOCOL_FEATURES, "GET_PROTOCOL_FEATURES", NOTHING, {
  replies,
});
rule(p.VHOST_USER_SET_PROTOCOL_FEATURES, "SET_PROTOCOL_FEATURES", U64);
rule(p.VHOST_USER_GET_QUEUE_NUM, "GET_QUEUE_NUM", NOTHING, {
  replies,
  protocolFeature: p.VHOST_USER_PROTOCOL_F_MQ,
});
rule(p.VHOST_USER_SET_VRING_ENABLE, "SET_VRING_ENABLE", STATE);
rule(p.VHOST_USER_GET_CONFIG, "GET_CONFIG", CONFIG, {
  replies,
  protocolFeature: p.VHOST_USER_PROTOCOL_F_CONFIG,
});
rule(p.VHOST_USER_SET_CONFIG, "SET_CONFIG", CONFIG, {
  protocolFeature: p.VHOST_USER_PROTOCOL_F_CONFIG,
});
rule(p.VHOST_USER_CREATE_CRYPTO_SESSION, "CREATE_CRYPTO_SESSION", SESSION, {
  replies,
  protocolFeature: p.VHOST_USER_PROTOCOL_F_CRYPTO_SESSION,
});
rule(p.VHOST_USER_CLOSE_CRYPTO_SESSION, "CLOSE_CRYPTO_SESSION", U64, {
  protocolFeature: p.VHOST_USER_PROTOCOL_F_CRYPTO_SESSION,
});
rule(p.VHOST_USER_RESET_DEVICE, "RESET_DEVICE", NOTHING, {
  protocolFeature: p.VHOST_USER_PROTOCOL_F_RESET_DEVICE,
});
rule(p.VHOST_USER_GET_MAX_MEM_SLOTS, "GET_MAX_MEM_SLOTS", NOTHING, {
  replies,
  protocolFeature: p.VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS,
});
rule(p.VHOST_USER_ADD_MEM_REG, "ADD_MEM_REG", [p.MEM_REG_SIZE], {
  maxFds: 1,
  protocolFeature: p.VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS,
});
rule(p.VHOST_USER_REM_MEM_REG, "REM_MEM_REG", [p.MEM_REG_SIZE], {
  // None should come; frontends exist that send one, to be closed unused.
  maxFds: 1,
  protocolFeature: p.VHOST_USER_PROTOCOL_F_CONFIGURE_MEM_SLOTS,
});
rule(p.VHOST_USER_SET_STATUS, "SET_STATUS", U64, {
  protocolFeature: p.VHOST_USER_PROTOCOL_F_STATUS,
});
rule(p.VHOST_USER_GET_STATUS, "GET_STATUS", NOTHING, {
  replies,
  protocolFeature: p.VHOST_USER_PROTOCOL_F_STATUS,
});

// Known, and refused: they belong to features that are not offered.
rule(p.VHOST_USER_SET_LOG_BASE, "SET_LOG_BASE", [8, 16], {
  maxFds: 1,
  replies,
  served,
});
rule(p.VHOST_USER_SET_LOG_FD, "SET_LOG_FD", NOTHING_OR_U64, {
  maxFds: 1,
  served,
});
rule(p.VHOST_USER_SEND_RARP, "SEND_RARP", U64, { served });
rule(p.VHOST_USER_NET_SET_MTU, "NET_SET_MTU", U64, { served });
rule(p.VHOST_USER_SET_BACKEND_REQ_FD, "SET_BACKEND_REQ_FD", NOTHING_OR_U64, {
  maxFds: 1,
  served,
});
rule(p.VHOST_USER_IOTLB_MSG, "IOTLB_MSG", [32], { replies, served });
rule(p.VHOST_USER_SET_VRING_ENDIAN, "SET_VRING_ENDIAN", STATE, { served });
rule(p.VHOST_USER_POSTCOPY_ADVISE, "POSTCOPY_ADVISE", NOTHING, {
  replies,
  served,
});
rule(p.VHOST_USER_POSTCOPY_LISTEN, "POSTCOPY_LISTEN", NOTHING, { served });
rule(p.VHOST_USER_POSTCOPY_END, "POSTCOPY_END", NOTHING, { replies, served });
rule(p.VHOST_USER_GET_INFLIGHT_FD, "GET_INFLIGHT_FD", INFLIGHT, {
  // None belongs here, but a frontend that sends one is only refused.
  maxFds: 1,
  replies,
  served,
});
rule(p.VHOST_USER_SET_INFLIGHT_FD, "SET_INFLIGHT_FD", INFLIGHT, {
  maxFds: 1,
  served,
});
rule(p.VHOST_USER_GPU_SET_SOCKET, "GPU_SET_SOCKET", NOTHING_OR_U64, {
  maxFds: 1,
  served,
});
rule(p.VHOST_USER_VRING_KICK, "VRING_KICK", STATE, { served });
rule(p.VHOST_USER_GET_SHARED_OBJECT, "GET_SHARED_OBJECT", [16], {
  replies,
  served,
});
rule(p.VHOST_USER_SET_DEVICE_STATE_FD, "SET_DEVICE_STATE_FD", [8], {
  maxFds: 1,
  replies,
  served,
});
rule(p.VHOST_USER_CHECK_DEVICE_STATE, "CHECK_DEVICE_STATE", NOTHING, {
  replies,
  served,
});
rule(p.VHOST_USER_GET_SHMEM_CONFIG, "GET_SHMEM_CONFIG", NOTHING, {
  replies,
  served,
});
rule(
  p.VHOST_USER_GET_VRING_BASE_SKIP_DRAIN,
  "GET_VRING_BASE_SKIP_DRAIN",
  STATE,
  { replies, served },
);

/**
 * What is known of a request.
 *
 * @param request its number
 * @returns undefined for a number that the document does not have
 */
export function requestRule(request: number): RequestRule | undefined {
  return rules.get(request);
}

/**
 * The name of a request, for messages.
 *
 * @param request its number
 * @returns its name in the document, or its number
 */
export function requestName(request: number): string {
  return rules.get(request)?.name ?? `request ${request}`;
}

/**
 * Tells whether a payload size agrees with a request.
 *
 * @param rule the request's rule
 * @param size bytes of payload
 * @returns whether it can have that size
 */
export function sizeAgrees(rule: RequestRule, size: number): boolean {
  const { sizes } = rule;
  if (!("least" in sizes)) return sizes.includes(size);
  return size >= sizes.least && size <= sizes.most &&
    (size - sizes.least) % sizes.step === 0;
}
