/**
 * Statements on device id, queues, features, configuration space and
 * initialization.
 *
 * @module
 */

import { type Statement, statements } from "../statement.ts";
import * as at from "./places.ts";

const READ = `${at.DRIVER_TEST} the driver reads which algorithms are offered`;

/** The statements, in the order of the text. */
export const CONFIG_STATEMENTS: readonly Statement[] = [
  ...statements("v15-device-id", "Device ID", "device", [
    ["is", "The device type has the number 20", [
      `${at.CONSTANTS} VIRTIO_ID_CRYPTO`,
    ], [at.NUMBERS]],
  ]),
  ...statements("v15-virtqueues", "Virtqueues", "device", [
    [
      "is",
      "The data queues are 0 to N-1, and the control queue is N",
      ["device/in_process.ts InProcessDevice.startQueue"],
      [
        `${at.CONFIG_TEST} Data queues are numbered from 0 and the control queue is behind the last`,
        `${at.DRIVER_TEST} the driver starts data queues, and a control queue behind the last`,
      ],
      "The text names the queues dataq1 to dataqN beside the indices 0 to N-1: the indices count",
    ],
    [
      "is",
      "N is what max_dataqueues says",
      ["device/driver/driver.ts CryptoDriver.attach"],
      [
        `${at.CONFIG_TEST} Data queues are numbered from 0 and the control queue is behind the last`,
        `${at.DRIVER_TEST} the control queue's number does not depend on the queues in use`,
      ],
    ],
  ]),
  ...statements("v15-features", "Feature bits", "device", [
    [
      "is",
      "The session modes of CIPHER, HASH, MAC and AEAD are bits 1, 2, 3 and 4",
      [
        `${at.CONSTANTS} VIRTIO_CRYPTO_F_CIPHER_SESSION_MODE`,
        `${at.CONSTANTS} VIRTIO_CRYPTO_F_HASH_SESSION_MODE`,
        `${at.CONSTANTS} VIRTIO_CRYPTO_F_MAC_SESSION_MODE`,
        `${at.CONSTANTS} VIRTIO_CRYPTO_F_AEAD_SESSION_MODE`,
      ],
      [
        at.NUMBERS,
        `${at.CONFIG_TEST} Each service's session mode has a feature bit of its own`,
      ],
    ],
    [
      "is",
      "A service whose bit is negotiated has session mode",
      [
        `${at.REQUEST_LAYOUT} requestLayout`,
        `${at.DATA_DECODER} decodeV15`,
      ],
      [
        `${at.CONFIG_TEST} Each service's session mode has a feature bit of its own`,
        "tests/spec/data_flag_test.ts With a service's session-mode feature, flag 1 is the v15 layout",
      ],
      "A driver that negotiates none of the bits is taken for one of Linux, DPDK or QEMU, which use session mode all the same, in a layout of their own",
    ],
  ]),
  ...statements("v15-config", "Device configuration layout", "device", [
    ["is", "The driver can read the fields and not write them", [
      "device/vhost_user/requests.ts requestRule",
    ], [
      "tests/server/config_test.ts the configuration space cannot be written",
    ]],
    [
      "is",
      "The space has its fields in the order and widths of the structure",
      [
        `${at.CONFIG_TS} encodeConfig`,
      ],
      [
        "tests/spec/config_test.ts The configuration space is 56 bytes in the document's order",
      ],
    ],
    [
      "is",
      "status is HW_READY, bit 0, or not",
      [`${at.CONSTANTS} VIRTIO_CRYPTO_S_HW_READY`],
      [
        `${at.CONFIG_TEST} status says HW_READY and nothing else, and then requests are served`,
        at.NUMBERS,
      ],
      "~VIRTIO_CRYPTO_S_HW_READY, read as C, would set all the other bits: it is taken as the bit being clear",
    ],
    ["is", "max_dataqueues is the largest number of data queues", [
      `${at.CAPABILITIES} Capabilities.config`,
    ], [
      `${at.CONFIG_TEST} max_dataqueues is the number of data queues, and one that cannot be is refused`,
    ]],
    [
      "is",
      "crypto_services has one bit for each of CIPHER 0, HASH 1, MAC 2, AEAD 3",
      [
        `${at.CONSTANTS} VIRTIO_CRYPTO_SERVICE_CIPHER`,
        `${at.CONSTANTS} VIRTIO_CRYPTO_SERVICE_AEAD`,
      ],
      [
        `${at.CONFIG_TEST} crypto_services has the services of which an algorithm is offered`,
        at.NUMBERS,
      ],
    ],
    [
      "is",
      "CIPHER algorithms have the numbers 1 to 14 as listed, which are bits of the masks",
      [
        `${at.ALGORITHMS_TS} CIPHERS`,
      ],
      [at.NUMBERS, at.MASKS],
    ],
    [
      "is",
      "HASH algorithms have the numbers 1 to 12 as listed, which are bits of the mask",
      [
        `${at.ALGORITHMS_TS} HASHES`,
      ],
      [at.NUMBERS, at.MASKS],
    ],
    [
      "is",
      "MAC algorithms have the numbers 1 to 6 and 25 to 54 as listed, which are bits of the masks",
      [`${at.ALGORITHMS_TS} MACS`],
      [at.NUMBERS, at.MASKS],
      "No standard defines CBCMAC_KASUMI_F9: it is served as KASUMI_F9. No MAC request has an iv field: UIA2, EIA3 and GMAC take theirs from the first bytes of the source, in a chain from the aad",
    ],
    [
      "is",
      "AEAD algorithms have the numbers 1 to 3 as listed, which are bits of the mask",
      [
        `${at.ALGORITHMS_TS} AEADS`,
      ],
      [at.NUMBERS, at.MASKS],
    ],
    [
      "is",
      "Every other value is reserved",
      [`${at.CAPABILITIES} Capabilities.checkOffered`],
      [
        at.MASKS,
        `${at.STRUCTURES_TEST} Numbers are called by the document's names, and reserved ones by none`,
      ],
    ],
  ]),
  ...statements(
    "v15-dev-config",
    "Device configuration layout, device normative",
    "device",
    [
      [
        "MUST",
        "max_dataqueues lies between 1 and 65535",
        [`${at.CORE} bounded`],
        [
          `${at.CONFIG_TEST} max_dataqueues is the number of data queues, and one that cannot be is refused`,
        ],
        "255 are the most here, since a ring message of vhost-user has 8 bits for the index",
      ],
      [
        "MUST",
        "status follows the state of what computes",
        [`${at.CAPABILITIES} Capabilities.config`],
        [
          `${at.CONFIG_TEST} status says HW_READY and nothing else, and then requests are served`,
        ],
        "An engine is ready as soon as the device is there, so the bit is always set",
      ],
      ["MUST", "Once HW_READY is set, requests are accepted and served", [
        `${at.ROUND} Round.run`,
        `${at.CONTROL_QUEUE} ControlQueue.run`,
      ], [
        `${at.CONFIG_TEST} status says HW_READY and nothing else, and then requests are served`,
      ]],
      ["MUST", "crypto_services follows the services that are offered", [
        `${at.CAPABILITIES} Capabilities.config`,
      ], [
        `${at.CONFIG_TEST} crypto_services has the services of which an algorithm is offered`,
      ]],
      ["MUST", "The masks follow crypto_services", [
        `${at.CAPABILITIES} Capabilities.config`,
      ], [
        at.MASKS,
        `${at.CONFIG_TEST} crypto_services has the services of which an algorithm is offered`,
      ]],
      [
        "MUST",
        "max_size is the largest request that is supported",
        [`${at.DATA_SERVICE} ivRoomOf`],
        [`${at.CONFIG_TEST} Content of max_size is served, and one byte more is refused`],
        "The comment in the structure says it bounds a request's content: keys, iv, source, aad, destination and digest count, header and parameters do not",
      ],
      [
        "MUST",
        "max_cipher_key_len is the longest cipher key, where CIPHER is offered",
        [`${at.CAPABILITIES} Capabilities.config`],
        [
          `${at.CONFIG_TEST} max_cipher_key_len is the longest cipher key that is accepted`,
        ],
        "AEAD keys have no field of their own and count here; 256 comes from ARC4. A key length that max_cipher_key_len allows is still refused where the algorithm has no such key",
      ],
      [
        "MUST",
        "max_auth_key_len is the longest MAC key, where MAC is offered",
        [
          `${at.CAPABILITIES} Capabilities.config`,
        ],
        [
          `${at.CONFIG_TEST} max_auth_key_len is the longest MAC key that is accepted`,
        ],
      ],
    ],
  ),
  ...statements(
    "v15-drv-config",
    "Device configuration layout, driver normative",
    "driver",
    [
      [
        "MUST",
        "The driver reads the lowest bit of status to see whether the device is ready",
        [
          "device/driver/driver.ts CryptoDriver.attach",
        ],
        [`${at.DRIVER_TEST} the driver refuses a device that is not ready`],
      ],
      [
        "MUST",
        "It reads status again after a reset",
        ["device/driver/driver.ts CryptoDriver.attach"],
        [
          `${at.DRIVER_TEST} the driver refuses a device that is not ready`,
          `${at.CONFIG_TEST} The configuration space is the same before and after requests`,
        ],
        "The built-in driver attaches anew after a reset and reads it then; a driver that does not finds the same status",
      ],
      [
        "MUST NOT",
        "It sends nothing while the device is not ready",
        ["device/driver/errors.ts DeviceNotReadyError"],
        [
          `${at.DRIVER_TEST} the driver refuses a device that is not ready`,
          `${at.CONFIG_TEST} status says HW_READY and nothing else, and then requests are served`,
        ],
        "This device is always ready, so no driver can violate it here",
      ],
      ["MUST", "It reads max_dataqueues", [
        "device/driver/driver_options.ts usedOptions",
      ], [
        `${at.DRIVER_TEST} the control queue's number does not depend on the queues in use`,
      ]],
      [
        "MUST",
        "It reads crypto_services",
        ["device/driver/algorithm_choice.ts isOffered"],
        [READ, at.MASKS],
        "A driver that did not asks for what is not offered and gets NOTSUPP",
      ],
      ["MUST", "It reads the masks of the services that are offered", [
        "device/driver/algorithm_choice.ts isOffered",
      ], [READ, at.MASKS]],
      [
        "SHOULD",
        "It reads max_size",
        [`${at.DATA_SERVICE} ivRoomOf`],
        [`${at.CONFIG_TEST} Content of max_size is served, and one byte more is refused`],
        "A larger request gets ERR",
      ],
      [
        "SHOULD",
        "It reads max_cipher_key_len",
        [`${at.CAPABILITIES} Capabilities.checkValues`],
        [
          `${at.CONFIG_TEST} max_cipher_key_len is the longest cipher key that is accepted`,
        ],
        "A longer key gets ERR",
      ],
      [
        "SHOULD",
        "It reads max_auth_key_len",
        [`${at.CAPABILITIES} Capabilities.checkValues`],
        [
          `${at.CONFIG_TEST} max_auth_key_len is the longest MAC key that is accepted`,
        ],
        "A longer key gets ERR",
      ],
    ],
  ),
  ...statements(
    "v15-drv-init",
    "Device Initialization, driver normative",
    "driver",
    [
      ["MUST", "The driver finds and starts the control queue", [
        "device/driver/driver_queues.ts DriverQueues.start",
      ], [
        `${at.DRIVER_TEST} the driver starts data queues, and a control queue behind the last`,
      ]],
      ["MUST", "It reads the services from crypto_services", [
        "device/driver/algorithm_choice.ts isOffered",
      ], [READ, at.MASKS]],
      ["MUST", "It reads the algorithms of those services", [
        "device/driver/algorithm_choice.ts isOffered",
      ], [READ, at.MASKS]],
    ],
  ),
  ...statements(
    "v15-dev-init",
    "Device Initialization, device normative",
    "device",
    [
      ["MUST", "The device has at least one accelerator", [
        "device/engine/engines.ts openEngines",
      ], [at.MASKS]],
      ["MUST", "crypto_services follows what the accelerator can do", [
        `${at.CAPABILITIES} Capabilities.config`,
      ], [
        `${at.CONFIG_TEST} crypto_services has the services of which an algorithm is offered`,
      ]],
    ],
  ),
];
