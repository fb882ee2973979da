/**
 * Statements on the services HASH, MAC and AEAD.
 *
 * @module
 */

import { type Statement, statements } from "../statement.ts";
import * as at from "./places.ts";

function digestStatements(service: "HASH" | "MAC"): readonly Statement[] {
  const name = service.toLowerCase();
  const table = `${service}_PARA_STATELESS`;
  const test = (words: string) =>
    `${at.HASH_MAC_TEST} A \${service} request ${words}`;
  const section = `${service} Service Operation`;
  return [
    ...statements(
      `v15-${name}`,
      section,
      "device",
      [
        [
          "is",
          `A ${service} request has its parameters, ${
            service === "MAC" ? "the key in non-session mode, " : ""
          }the source, and room for digest and status`,
          [
            `${at.DATA_TABLES} ${table}`,
            `${at.DATA_SERVICE} prepareJob`,
          ],
          [at.STRUCTURES, test("in ${mode} gets its digest in hash_result")],
          service === "MAC"
            ? "The text shows auth_key in every request: in session mode the key is the session's, and none follows"
            : undefined,
        ],
      ],
    ),
    ...statements(`v15-drv-${name}`, `${section}, driver normative`, "driver", [
      ["MUST", "In session mode session_id is one that the device gave", [
        `${at.ROUND} Round.#judgeSession`,
      ], [test("of an id that is no session's is INVSESS")]],
      ["MUST", "In session mode flag is SESSION_MODE", [
        `${at.DATA_DECODER} decodeV15`,
      ], [test("whose flag is neither mode's is refused")]],
      ["MUST", "In non-session mode flag is NONE_SESSION_MODE", [
        `${at.DATA_DECODER} decodeV15`,
      ], [
        test("whose flag is neither mode's is refused"),
        `${at.OPERATION_TEST} A driver without a service's session mode can use only the other for it`,
      ], at.NONE_MODE_NOTE],
      ["MUST", "In non-session mode sess_para is filled", [
        `${at.STATELESS} StatelessOperation.judge`,
      ], [
        test("in non-session mode is judged by its sess_para"),
        test("in session mode is not judged by its sess_para"),
      ]],
      ["MUST", `opcode is that of ${service}`, [
        `${at.DATA_DECODER} isDataOpcode`,
      ], [test("under another opcode finds no session, or no operation")]],
    ]),
    ...statements(
      `v15-dev-${name}`,
      `${section}, device normative`,
      "device",
      [
        [
          "MUST",
          "The digest of a successful operation is written to hash_result",
          [
            `${at.DATA_SERVICE} prepareJob`,
          ],
          [test("in ${mode} gets its digest in hash_result")],
          service === "MAC"
            ? "The condition speaks of HASH operations: that of MAC is meant"
            : undefined,
        ],
        ["MUST", "status of inhdr is one of the enumeration", [
          `${at.ENTRY} statusOf`,
        ], [at.STATUSES]],
      ],
    ),
  ];
}

const CCM_NONCE = `${at.AEAD_TEST} A CCM nonce in \${mode} has 7 to 13 bytes`;
const DECRYPTION =
  `${at.AEAD_TEST} An AEAD decryption in \${mode} gets the plaintext, or BADMSG and nothing`;
const ENCRYPTION =
  `${at.AEAD_TEST} An AEAD encryption in \${mode} gets ciphertext, then tag, in dst_data`;
const FULL_IV =
  `${at.AEAD_TEST} An iv field of 16 bytes in \${mode} holds a GCM iv from its start and a CCM nonce from iv[1]`;
const FLAG =
  `${at.AEAD_TEST} An AEAD request whose flag is neither mode's is refused`;
const OPCODE =
  `${at.AEAD_TEST} An AEAD request's opcode says the direction, and has to be one of AEAD`;

/** The statements on HASH and MAC, in the order of the text. */
export const DIGEST_STATEMENTS: readonly Statement[] = [
  ...digestStatements("HASH"),
  ...digestStatements("MAC"),
];

/** The statements on AEAD, in the order of the text. */
export const AEAD_STATEMENTS: readonly Statement[] = [
  ...statements("v15-aead", "AEAD Service Operation", "device", [
    [
      "is",
      "An AEAD request has its parameters, the key in non-session mode, iv, source, aad, and room for the result and status",
      [
        `${at.DATA_TABLES} AEAD_PARA_STATELESS`,
        `${at.DATA_SERVICE} prepareJob`,
      ],
      [at.STRUCTURES, ENCRYPTION],
      "The text shows the key in every request: in session mode the key is the session's, and none follows",
    ],
    [
      "is",
      "iv_len of GCM is 12, or 16 where the iv is J0",
      [
        `${at.ENGINE_ALGORITHMS} ALGORITHMS`,
      ],
      [
        `${at.AEAD_TEST} A GCM iv in \${mode} has 12 bytes or 16, and no other number`,
      ],
      "Libraries hash an iv of 16 bytes, which gives another counter block: here it is the counter block itself, as the text says",
    ],
    ["is", "iv_len of CCM is 7 to 13", [
      `${at.ENGINE_ALGORITHMS} ALGORITHMS`,
    ], [CCM_NONCE]],
    [
      "SHOULD",
      "dst_data_len is at least src_data_len and tag_len together",
      [
        `${at.DATA_SERVICE} writtenBy`,
      ],
      [
        `${at.AEAD_TEST} dst_data_len of an AEAD encryption in \${mode} has room for source and tag`,
        DECRYPTION,
      ],
      "That is so of encryption; a decryption's source has the tag already, so its result is shorter than the source",
    ],
    [
      "is",
      "16 bytes are allocated for the iv, whatever iv_len says",
      [
        `${at.DATA_SERVICE} paddedIvAt`,
      ],
      [FULL_IV],
      "The structure types the field iv[iv_len], which is fewer: for GCM and CCM both are taken, and the readable part's length says which it is",
    ],
    [
      "SHOULD",
      "A CCM nonce starts at iv[1]",
      [
        `${at.DATA_SERVICE} paddedIvAt`,
      ],
      [FULL_IV],
      "So it does in a field of 16 bytes; in one of iv_len bytes it starts at iv[0], for there is no room for another byte",
    ],
    [
      "is",
      "The iv is updated after each partial operation",
      [
        `${at.DATA_SERVICE} fillIv`,
      ],
      [
        `${at.SYMMETRIC_TEST} A request's iv is not written back, and the next request starts from its own`,
        ENCRYPTION,
      ],
      "No request can say that it is a part, and iv is in the readable part, which the device may not write: each request is whole",
    ],
  ]),
  ...statements(
    "v15-drv-aead",
    "AEAD Service Operation, driver normative",
    "driver",
    [
      ["MUST", "In session mode session_id is one that the device gave", [
        `${at.ROUND} Round.#judgeSession`,
      ], [
        `${at.AEAD_TEST} An AEAD request of an id that is no session's is INVSESS`,
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
      ["MUST", "In non-session mode sess_para is filled", [
        `${at.STATELESS} StatelessOperation.judge`,
      ], [
        `${at.AEAD_TEST} An AEAD request in non-session mode is judged by its sess_para`,
      ]],
      ["MUST", "opcode is that of AEAD encryption or decryption", [
        `${at.DATA_DECODER} isDataOpcode`,
        `${at.DATA_SERVICE} directionFits`,
      ], [OPCODE]],
    ],
  ),
  ...statements(
    "v15-dev-aead",
    "AEAD Service Operation, device normative",
    "device",
    [
      ["MUST", "The request is read by the opcode of the header", [
        `${at.DATA_DECODER} decodeDataRequest`,
      ], [OPCODE]],
      ["MUST", "The result is written to dst_data", [
        `${at.DATA_SERVICE} prepareJob`,
      ], [ENCRYPTION, DECRYPTION]],
      ["MUST", "The tag is written to dst_data, behind the cipher's result", [
        `${at.DATA_SERVICE} writtenBy`,
      ], [ENCRYPTION]],
      ["MUST", "status of inhdr is one of the enumeration", [
        `${at.ENTRY} statusOf`,
      ], [at.STATUSES]],
      ["MUST", "A decryption's tag is verified and the outcome returned", [
        `${at.ENTRY} statusOf`,
      ], [DECRYPTION]],
      ["MUST", "A tag that is wrong is BADMSG", [`${at.ENTRY} statusOf`], [
        DECRYPTION,
        "tests/service/values_test.ts `A ${layout} tag that is wrong in one bit is BADMSG, and no plaintext is written`",
      ]],
    ],
  ),
];
