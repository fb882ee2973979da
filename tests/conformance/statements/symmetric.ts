/**
 * Statements on the CIPHER service: plain ciphers, chains, and the steps of an
 * operation.
 *
 * @module
 */

import { type Statement, statements } from "../statement.ts";
import * as at from "./places.ts";

const own = (name: string): string => `${at.SYMMETRIC_TEST} ${name}`;

const CIPHER = own("A CIPHER request in ${mode} gets its result in dst_data");
const CHAIN = own(
  "A chain in ${mode} gets its result in dst_data and its MAC in hash_result",
);
const AAD = own(
  "A chain's aad in ${mode} is hashed where aad_len is more than 0, and is nothing where it is 0",
);
const IV_LENGTHS = own(
  "iv_len has to be the cipher's block length, and 0 where it has no iv",
);
const FLAG = own("flag alone says whether a request's keys are read");
const OPCODE = own(
  "A CIPHER request's opcode says the direction, and is of the session's",
);
const OP_TYPE = own("op_type has to be an operation, and that of the session");
const KEYLESS = own(
  "A chain in AUTH mode is refused without its MAC's key and digest length",
);
const PLAIN_UNION = own(
  "A plain CIPHER request's union behind its own fields is not looked at in ${mode}",
);
const KICKED =
  `${at.OPERATION_TEST} A request that was kicked is answered in the used ring, in order, and notified`;
const CREATED =
  `${at.CONTROL_TEST} A created session's id is new, not 0, and serves requests on every data queue`;

const MAC_REQUEST_NOTE =
  "virtio_crypto_mac_data_req is not in the symmetric request: the chain's own fields for the MAC are meant, auth_key_len, hash_result_len and the key";

/** The statements, in the order of the text. */
export const SYMMETRIC_STATEMENTS: readonly Statement[] = [
  ...statements("v15-sym", "Symmetric algorithms Operation", "device", [
    [
      "is",
      "A plain CIPHER request has its parameters, the key in non-session mode, iv, source, and room for the result and status",
      [
        `${at.DATA_TABLES} CIPHER_PARA_STATELESS`,
        `${at.DATA_SERVICE} prepareJob`,
      ],
      [at.STRUCTURES, CIPHER],
      "The text shows the key in every request: in session mode the key is the session's, and none follows",
    ],
    [
      "MUST",
      "iv_len in CBC and F8 mode, of KASUMI F8 and of SNOW3G UEA2 is the cipher's block length",
      [
        `${at.ENGINE_ALGORITHMS} ALGORITHMS`,
      ],
      [IV_LENGTHS],
      "SNOW 3G is a stream cipher without blocks: 16, as its iv is the 8 bytes of COUNT, BEARER and DIRECTION twice",
    ],
    ["MUST", "iv_len in CTR mode is the cipher's block length", [
      `${at.ENGINE_ALGORITHMS} ALGORITHMS`,
    ], [IV_LENGTHS]],
    ["is", "iv of XTS is the 128-bit tweak i of IEEE 1619-2007", [
      "device/engine/noble/xts.ts XtsContext",
    ], [own("AES_XTS takes the tweak of IEEE 1619 as its iv")]],
    [
      "is",
      "iv and counter are updated after each partial operation",
      [
        `${at.DATA_SERVICE} fillIv`,
      ],
      [
        own(
          "A request's iv is not written back, and the next request starts from its own",
        ),
      ],
      "No request can say that it is a part, and iv is in the readable part, which the device may not write: each request is whole",
    ],
    [
      "is",
      "A chain's request has its parameters, both keys in non-session mode, iv, source, aad, and room for result, digest and status",
      [
        `${at.DATA_TABLES} CHAIN_PARA_STATELESS`,
        `${at.CHAIN_SERVICE} fillChain`,
      ],
      [at.STRUCTURES, CHAIN],
      "QEMU's parser of the legacy layout reads aad before the source, against this text: here aad is behind the source, and before it only with REVISION_1 and a stateless bit, where virtio 1.4 has it there",
    ],
    [
      "is",
      "In a chain cipher and hash work on ranges of the source",
      [
        `${at.CHAIN_SERVICE} chainFits`,
      ],
      [
        CHAIN,
        "tests/service/chaining_test.ts `${name}: a chain's ranges outside of its source are ERR`",
      ],
      "A hash behind the cipher is of the cipher's result, as the order says; the order is taken as given in both directions",
    ],
    [
      "is",
      "A symmetric request ends its fixed part in op_type and padding",
      [
        `${at.DATA_TABLES} SYM_TAIL`,
      ],
      [at.STRUCTURES, OP_TYPE],
      "op_type stands behind a union whose members end in data of variable length: here it stands behind their fixed parts, of 72 bytes",
    ],
    [
      "is",
      "src_data_len and dst_data_len are the lengths of source and destination",
      [
        `${at.DATA_SERVICE} ivRoomOf`,
      ],
      [own(
        "dst_data_len below the result is refused, and more room stays as it was",
      )],
    ],
    [
      "is",
      "aad_len says whether a chain has aad, in sess_para and behind it",
      [
        `${at.STATELESS_PART} decodeChain`,
      ],
      [AAD],
      "The parameters have aad_len twice: the one of the request counts, and that of sess_para is ignored",
    ],
  ]),
  ...statements(
    "v15-drv-sym",
    "Symmetric algorithms Operation, driver normative",
    "driver",
    [
      ["MUST", "In session mode session_id is one that the device gave", [
        `${at.ROUND} Round.#judgeSession`,
      ], [
        own(
          "A CIPHER request of an id that is no session's, or of another service's, is INVSESS",
        ),
      ]],
      ["MUST", "In session mode flag is SESSION_MODE", [
        `${at.DATA_DECODER} decodeV15`,
      ], [FLAG]],
      ["MUST", "In non-session mode flag is NONE_SESSION_MODE", [
        `${at.DATA_DECODER} decodeV15`,
      ], [
        FLAG,
        `${at.OPERATION_TEST} A driver without a service's session mode can use only the other for it`,
      ], at.NONE_MODE_NOTE],
      [
        "MUST",
        "In non-session mode the sess_para of cipher or chain is filled",
        [
          `${at.STATELESS} StatelessOperation.judge`,
        ],
        [
          KEYLESS,
          "tests/layouts/statuses_test.ts `A chain's parameters in the request are judged, ${name}`",
        ],
      ],
      ["MUST", "opcode is that of CIPHER encryption or decryption", [
        `${at.DATA_DECODER} isDataOpcode`,
        `${at.DATA_SERVICE} directionFits`,
      ], [OPCODE]],
      [
        "MUST",
        "A packet of op_type CIPHER has the fields of the cipher request",
        [
          `${at.STATELESS_PART} decodeCipher`,
        ],
        [
          CIPHER,
          `${at.OPERATION_TEST} A request is a header and what its service needs: less of them is refused`,
        ],
      ],
      [
        "MUST",
        "A chain in AUTH mode has the fields of cipher and MAC",
        [
          `${at.STATELESS_PART} decodeChain`,
        ],
        [KEYLESS, CHAIN],
        MAC_REQUEST_NOTE,
      ],
    ],
  ),
  ...statements(
    "v15-dev-sym",
    "Symmetric algorithms Operation, device normative",
    "device",
    [
      ["MUST", "flag decides which mode a request is of", [
        `${at.DATA_DECODER} decodeV15`,
      ], [FLAG]],
      ["MUST", "The request is read by the opcode of the header", [
        `${at.DATA_DECODER} decodeDataRequest`,
      ], [OPCODE]],
      [
        "SHOULD",
        "Of a packet of op_type CIPHER only the cipher's fields are read",
        [
          `${at.STATELESS_PART} decodeCipher`,
        ],
        [PLAIN_UNION],
      ],
      [
        "MUST",
        "Of a chain in AUTH mode the fields of cipher and MAC are read",
        [
          `${at.STATELESS_PART} decodeChain`,
        ],
        [CHAIN, KEYLESS],
        MAC_REQUEST_NOTE,
      ],
      [
        "MUST",
        "The result is written to dst_data, of a plain cipher and of a chain",
        [
          `${at.DATA_SERVICE} prepareJob`,
          "device/engine/chain.ts ChainRunner",
        ],
        [CIPHER, CHAIN],
      ],
      [
        "MUST",
        "aad is read only where its length is more than 0",
        [
          `${at.DATA_SERVICE} prepareJob`,
        ],
        [AAD],
        "The text calls the field para.add_len, which no structure has, and the mode plain: aad_len of a chain is meant",
      ],
      ["MUST", "A chain's digest or MAC is written to hash_result", [
        `${at.CHAIN_SERVICE} fillChain`,
      ], [
        CHAIN,
        own("A chain in PLAIN mode gets the hash of no key"),
      ]],
      ["MUST", "status of inhdr is one of the enumeration", [
        `${at.ENTRY} statusOf`,
      ], [at.STATUSES]],
    ],
  ),
  ...statements("v15-steps", "Steps of Operation", "device", [
    [
      "is",
      "A creation is taken from the control queue and answered with the session's id",
      [
        `${at.CONTROL_QUEUE} ControlQueue.run`,
      ],
      [CREATED],
    ],
    ["is", "A request is taken from a data queue after a kick, or by looking", [
      `${at.ROUND} Round.run`,
    ], [KICKED]],
    ["is", "Guest addresses are translated to the device's own", [
      "device/memory/guest_memory.ts GuestMemory.find",
    ], [
      "tests/virtqueue/chain_regions_test.ts Chain cuts a buffer that runs over adjacent regions",
    ]],
    [
      "is",
      "status is set, then the used ring is updated, then the driver notified",
      [
        `${at.ROUND} Round.#answer`,
        "device/virtqueue/split_ring.ts SplitRing.publish",
      ],
      [
        KICKED,
        "tests/virtqueue/split_ring_state_test.ts SplitRing shows nothing of what was put before it is published",
      ],
    ],
    ["SHOULD", "A device in production uses a vhost scheme, for its speed", [
      "device/vhost_user/server.ts VhostUserServer",
    ], [
      "tests/server/modes_test.ts a device serves its data queues and its control queue",
    ]],
  ]),
];
