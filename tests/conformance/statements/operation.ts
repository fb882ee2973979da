/**
 * Statements on the operation of the device: headers, statuses, the control
 * queue and its sessions.
 *
 * @module
 */

import { type Statement, statements } from "../statement.ts";
import * as at from "./places.ts";

/** The statements, in the order of the text. */
export const OPERATION_STATEMENTS: readonly Statement[] = [
  ...statements("v15-operation", "Device Operation", "device", [
    ["is", "A packet is a general header and a request of a service", [
      `${at.CONTROL_REQUEST} decodeControlRequest`,
      `${at.DATA_DECODER} decodeDataRequest`,
    ], [
      `${at.OPERATION_TEST} A request is a header and what its service needs: less of them is refused`,
    ]],
    [
      "MAY",
      "The device supports session mode and non-session mode",
      [
        `${at.ROUND} Round.#judgeSession`,
        `${at.STATELESS} StatelessOperation.judge`,
      ],
      [
        `${at.SYMMETRIC_TEST} A CIPHER request in \${mode} gets its result in dst_data`,
      ],
    ],
    [
      "is",
      "A driver that has not negotiated a service's session mode can use only non-session mode for it",
      [`${at.DATA_DECODER} decodeV15`],
      [
        `${at.OPERATION_TEST} A driver without a service's session mode can use only the other for it`,
        `${at.OPERATION_TEST} Non-session mode is there for a driver that negotiated no session mode`,
      ],
      "The text calls the bit F_CIPHER_SESSION here: F_CIPHER_SESSION_MODE is meant. Session requests of a driver that negotiated no bit at all are served as those of a legacy driver",
    ],
    ["is", "Every length counts bytes", [`${at.DATA_SERVICE} ivRoomOf`], [
      `${at.CONFIG_TEST} Content of max_size is served, and one byte more is refused`,
      `${at.OPERATION_TEST} A request is a header and what its service needs: less of them is refused`,
    ]],
    ["is", "The control header is opcode, algo, flag and queue_id", [
      `${at.CONTROL_TABLES} CTRL_HEADER`,
    ], [at.STRUCTURES]],
    [
      "is",
      "An opcode is the service's number shifted by 8, and the operation's: create is 2, destroy is 3",
      [
        `${at.CONSTANTS} serviceOf`,
      ],
      [
        at.NUMBERS,
        `${at.CONTROL_TEST} A creation's union is read by its opcode, and has to be of its size`,
      ],
    ],
    ["is", "The data header is opcode, algo, session_id, flag and padding", [
      `${at.DATA_TABLES} OP_HEADER`,
    ], [at.STRUCTURES]],
    ["is", "The data opcodes are 0x000, 0x001, 0x100, 0x200, 0x300 and 0x301", [
      `${at.DATA_DECODER} isDataOpcode`,
    ], [
      at.NUMBERS,
      `${at.HASH_MAC_TEST} A \${service} request under another opcode finds no session, or no operation`,
    ]],
    [
      "SHOULD",
      "algo of a header is of the service",
      [`${at.DATA_DECODER} decodeDataRequest`],
      [
        `${at.OPERATION_TEST} algo of a header says nothing, whatever it is`,
      ],
      "The session or sess_para gives the algorithm again, and drivers leave this one 0: it is ignored",
    ],
    [
      "SHOULD",
      "session_id is of the service",
      [`${at.ROUND} Round.#judgeSession`],
      [
        `${at.SYMMETRIC_TEST} A CIPHER request of an id that is no session's, or of another service's, is INVSESS`,
      ],
      "The comment was copied from algo and speaks of algorithms: a session of the opcode's service is meant",
    ],
    [
      "is",
      "flag is SESSION_MODE (1) or NONE_SESSION_MODE (2)",
      [`${at.DATA_DECODER} decodeV15`],
      [
        at.NUMBERS,
        `${at.SYMMETRIC_TEST} flag alone says whether a request's keys are read`,
        "tests/spec/data_flag_test.ts With a session-mode feature, flags other than 1 and 2 are errors",
      ],
      "The mailing list points out that the constant's name is not used in the text, which has SESSION_NONE_MODE for it",
    ],
    ["is", "Padding and reserved fields mean nothing", [
      `${at.DATA_TABLES} SYM_TAIL`,
    ], [
      `${at.OPERATION_TEST} Padding and reserved fields say nothing, whatever they are`,
    ]],
    [
      "is",
      "The statuses are OK 0, ERR 1, BADMSG 2, NOTSUPP 3 and INVSESS 4, each with its meaning",
      [
        `${at.CONSTANTS} VIRTIO_CRYPTO_OK`,
        `${at.CONSTANTS} VIRTIO_CRYPTO_INVSESS`,
      ],
      [at.NUMBERS, `${at.OPERATION_TEST} The statuses are told apart`],
      "The sentence before the enumeration leaves BADMSG out; AEAD gives it its meaning. The enumeration's name is spelled VIRITO",
    ],
  ]),
  ...statements("v15-control", "Control Virtqueue", "device", [
    [
      "is",
      "A control packet is the header and the union's member of the opcode",
      [
        `${at.CONTROL_REQUEST} decodeControlRequest`,
      ],
      [
        `${at.CONTROL_TEST} A creation's union is read by its opcode, and has to be of its size`,
      ],
    ],
    [
      "is",
      "The union has the member's own size",
      [`${at.CONTROL_REQUEST} forms`],
      [
        "tests/spec/control_forms_test.ts `${name} creation is decoded in its ${form} form`",
        "tests/spec/control_forms_test.ts `${name} creation of any other length does not fit`",
      ],
      "The text has unions of members of variable length, which C does not: the union of a packet takes the size of the member used, or 56 bytes as Linux, DPDK and QEMU pad it; the union of the symmetric request that of its larger fixed part, 48",
    ],
  ]),
  ...statements("v15-session", "Session operation", "device", [
    [
      "is",
      "A session holds its operation: CIPHER, HASH, MAC, or a chain with its order",
      [
        "device/spec/session_parameters.ts OperationParameters",
      ],
      [
        `${at.CONTROL_TEST} A session has the direction and the order it was created with`,
      ],
    ],
    ["is", "It holds algorithm, key, key length and direction of a cipher", [
      "device/session/table.ts SessionTable.publish",
    ], [
      `${at.CONTROL_TEST} A session has the direction and the order it was created with`,
    ]],
    [
      "is",
      "It holds hash or MAC algorithm and the digest's length, which allows truncation",
      [`${at.CAPABILITIES} Capabilities.checkValues`],
      [
        `${at.CONTROL_TEST} A digest may be shorter than the algorithm's, and is then its first bytes`,
      ],
      "hash_result_len is given at creation and again in each request: both have to be legal, and the request's own rules",
    ],
    ["is", "In authenticated mode a key and its length are given too", [
      `${at.CONTROL_REQUEST} decodeSymmetric`,
    ], [
      `${at.CONTROL_TEST} A MAC in AUTH mode has a key, and a hash in PLAIN mode has none`,
    ]],
    [
      "is",
      "In nested mode inner and outer prefixes and the outer algorithm are given",
      [`${at.CAPABILITIES} Capabilities.checkOffered`],
      [
        `${at.CONTROL_TEST} A nested hash, whose prefixes no structure has, is not supported`,
      ],
      "No structure of the document has a place for the prefixes: NESTED gets NOTSUPP",
    ],
    ["is", "A creation's answer is session_id, status and padding", [
      `${at.CONTROL_TABLES} SESSION_INPUT`,
      `${at.CONTROL_REQUEST} encodeCreateAnswer`,
    ], [
      at.STRUCTURES,
      "tests/spec/control_answers_test.ts A creation's answer is id, status and padding in 16 bytes",
    ]],
    [
      "is",
      "A destruction has session_id, and its answer status and padding",
      [
        `${at.CONTROL_TABLES} DESTROY_SESSION`,
        `${at.CONTROL_REQUEST} encodeDestroyAnswer`,
      ],
      [
        at.STRUCTURES,
        `${at.CONTROL_TEST} A destruction's answer is a le32 status, or a byte where there is room for no more`,
      ],
      "Linux and QEMU give one byte for the status: it is a byte wherever 8 do not fit",
    ],
    ["is", "A HASH session is algo and hash_result_len", [
      `${at.CONTROL_TABLES} HASH_SESSION_PARA`,
    ], [at.STRUCTURES]],
    [
      "is",
      "A MAC session is algo, hash_result_len, auth_key_len, padding, and the key",
      [
        `${at.CONTROL_TABLES} MAC_SESSION_PARA`,
      ],
      [at.STRUCTURES],
    ],
    [
      "is",
      "A CIPHER session is algo, keylen, op, padding, and the key; op is 1 or 2",
      [
        `${at.CONTROL_TABLES} CIPHER_SESSION_PARA`,
        `${at.CONSTANTS} VIRTIO_CRYPTO_OP_ENCRYPT`,
      ],
      [
        at.STRUCTURES,
        at.NUMBERS,
        `${at.CONTROL_TEST} A refused creation answers its status with no id`,
      ],
    ],
    [
      "is",
      "A chain's session has order, hash_mode, cipher, hash or MAC, aad_len, and both keys",
      [
        `${at.CONTROL_TABLES} CHAIN_SESSION_PARA`,
      ],
      [
        at.STRUCTURES,
        at.NUMBERS,
        "tests/spec/control_chain_test.ts A chain's creation is decoded with both keys",
      ],
      "aad_len at creation is ignored, as each request gives its own",
    ],
    [
      "is",
      "A symmetric session's op_type says cipher (1) or chain (2), and 0 is no operation",
      [
        `${at.CONTROL_TABLES} SYM_SESSION_TAIL`,
        `${at.CAPABILITIES} isSymmetricOperation`,
      ],
      [
        at.NUMBERS,
        `${at.CONTROL_TEST} A refused creation answers its status with no id`,
      ],
      "op_type stands behind a union whose members end in keys of variable length: here it stands behind their fixed parts, and the keys behind it, as in QEMU, by the same author. NONE gets NOTSUPP",
    ],
    [
      "is",
      "An AEAD session is algo, key_len, tag_len, aad_len, op, padding, and the key",
      [
        `${at.CONTROL_TABLES} AEAD_SESSION_PARA`,
      ],
      [at.STRUCTURES],
      "aad_len at creation is ignored, as each request gives its own",
    ],
  ]),
  ...statements(
    "v15-drv-create",
    "Session operation: create session, driver normative",
    "driver",
    [
      ["MUST", "The driver fills header and union of a creation", [
        `${at.CONTROL_REQUEST} decodeControlRequest`,
      ], [
        `${at.OPERATION_TEST} A request is a header and what its service needs: less of them is refused`,
        "tests/driver/control_requests_test.ts creation of a HASH session has no key",
      ]],
      [
        "MUST",
        "opcode follows the service",
        [
          `${at.CONTROL_REQUEST} decodeControlRequest`,
        ],
        [
          `${at.CONTROL_TEST} A creation's union is read by its opcode, and has to be of its size`,
        ],
        "A union of another service than the opcode's is refused by its length or its values",
      ],
      [
        "MUST",
        "queue_id names the data queue that will be used",
        [
          `${at.SESSION_SERVICE} SessionService.create`,
        ],
        [
          `${at.CONTROL_TEST} queue_id of a creation has to name a data queue`,
          `${at.CONTROL_TEST} A created session's id is new, not 0, and serves requests on every data queue`,
        ],
        "An id that is no data queue's gets ERR; a session is served on every data queue all the same, since nothing forbids it",
      ],
    ],
  ),
  ...statements(
    "v15-dev-create",
    "Session operation: create session, device normative",
    "device",
    [
      ["MUST", "The device gives the driver a session_id when it is done", [
        `${at.CONTROL_REQUEST} encodeCreateAnswer`,
        "device/session/registry.ts SessionRegistry.create",
      ], [
        `${at.CONTROL_TEST} A created session's id is new, not 0, and serves requests on every data queue`,
      ]],
      [
        "MUST",
        "status is one of the enumeration",
        [
          `${at.CONTROL_REQUEST} encodeCreateAnswer`,
        ],
        [
          at.STATUSES,
          `${at.CONTROL_TEST} A refused creation answers its status with no id`,
        ],
        "With fewer than 16 writable bytes there is no place for it: used length 0 and no session",
      ],
    ],
  ),
  ...statements(
    "v15-drv-destroy",
    "Session operation: destroy session, driver normative",
    "driver",
    [
      ["MUST", "opcode follows the service", [
        `${at.SESSION_SERVICE} SessionService.destroy`,
      ], [
        `${at.CONTROL_TEST} A destruction's opcode has to be of the session's service`,
      ]],
      [
        "MUST",
        "session_id is one that the device gave",
        [
          `${at.SESSION_SERVICE} SessionService.destroy`,
        ],
        [
          `${at.CONTROL_TEST} A destruction of an id that no session has is refused`,
        ],
        "The text defines INVSESS for operations: a destruction of no session gets ERR",
      ],
    ],
  ),
  ...statements(
    "v15-dev-destroy",
    "Session operation: destroy session, device normative",
    "device",
    [
      ["MUST", "status is one of the enumeration", [
        `${at.CONTROL_REQUEST} encodeDestroyAnswer`,
      ], [
        at.STATUSES,
        `${at.CONTROL_TEST} A destroyed session is gone for data requests and for another destruction`,
      ]],
    ],
  ),
  ...statements("v15-data", "Data Virtqueue", "device", [
    ["is", "A data packet is the header and the union's member of the opcode", [
      `${at.DATA_DECODER} decodeDataRequest`,
      `${at.STATELESS_PART} decodeStatelessPart`,
    ], [
      `${at.HASH_MAC_TEST} A \${service} request under another opcode finds no session, or no operation`,
    ]],
    [
      "is",
      "Every request ends in one status byte",
      [
        `${at.ROUND} Round.#answer`,
      ],
      [
        "tests/service/lengths_test.ts `A ${layout} writable part may be longer, and its last byte is the status`",
      ],
      "The byte is the last of the writable part, as in QEMU, however much of it the result takes",
    ],
  ]),
];
