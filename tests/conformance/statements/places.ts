/**
 * Files and tests that statements name often.
 *
 * @module
 */

const SPEC = "device/spec";
const SERVICE = "device/service";
const OWN = "tests/conformance";

export const CONFIG_TS = `${SPEC}/config.ts`;
export const CONSTANTS = `${SPEC}/constants.ts`;
export const CONTROL_TABLES = `${SPEC}/control_structures.ts`;
export const DATA_TABLES = `${SPEC}/data_structures.ts`;
export const CONTROL_REQUEST = `${SPEC}/control_request.ts`;
export const DATA_DECODER = `${SPEC}/data_decoder.ts`;
export const STATELESS_PART = `${SPEC}/data_stateless_part.ts`;
export const REQUEST_LAYOUT = `${SPEC}/request_layout.ts`;
export const CAPABILITIES = `${SERVICE}/capabilities.ts`;
export const CORE = `${SERVICE}/device_core.ts`;
export const ROUND = `${SERVICE}/round.ts`;
export const ENTRY = `${SERVICE}/entry.ts`;
export const DATA_SERVICE = `${SERVICE}/data_service.ts`;
export const CHAIN_SERVICE = `${SERVICE}/chain_service.ts`;
export const STATELESS = `${SERVICE}/stateless.ts`;
export const CONTROL_QUEUE = `${SERVICE}/control_queue.ts`;
export const SESSION_SERVICE = `${SERVICE}/session_service.ts`;
export const ALGORITHMS_TS = `${SERVICE}/algorithms.ts`;
export const ENGINE_ALGORITHMS = "device/engine/algorithm.ts";

export const CONFIG_TEST = `${OWN}/config_test.ts`;
export const STRUCTURES_TEST = `${OWN}/structures_test.ts`;
export const OPERATION_TEST = `${OWN}/operation_test.ts`;
export const CONTROL_TEST = `${OWN}/control_test.ts`;
export const HASH_MAC_TEST = `${OWN}/hash_mac_test.ts`;
export const SYMMETRIC_TEST = `${OWN}/symmetric_test.ts`;
export const AEAD_TEST = `${OWN}/aead_test.ts`;
export const DRIVER_TEST = "tests/driver/driver_test.ts";

export const STRUCTURES: string =
  `${STRUCTURES_TEST} Every structure of a request has the document's fields in its order`;
export const NUMBERS: string =
  `${STRUCTURES_TEST} Every number of the document has its value`;
export const STATUSES: string =
  `${OPERATION_TEST} Every status is one of the enumeration, whatever a request says`;
export const MASKS: string =
  `${CONFIG_TEST} Algorithms whose mask bit is set can be asked for, and no other number can`;

/** The note on a constant that the text spells in two ways. */
export const NONE_MODE_NOTE =
  "The text calls the constant SESSION_NONE_MODE here and defines it as VIRTIO_CRYPTO_FLAG_NONE_SESSION_MODE (2): the defined one is meant, as there is no other with that sense";
