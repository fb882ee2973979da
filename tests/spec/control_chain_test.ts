import { assertEquals } from "@std/assert";
import {
  type ControlRequest,
  decodeControlRequest,
} from "../../device/spec/control_request.ts";
import { requestLayout } from "../../device/spec/request_layout.ts";
import { concat } from "../engine/guest.ts";
import { Random } from "../engine/random.ts";
import { le32, zeros } from "../support/bytes.ts";

const LEGACY = requestLayout("v15", 0b1111, 0n, false);
const REVISION_1 = requestLayout("1.4", 0b1111, 1n, false);
const KEYS = new Random(51).bytes(16 + 40);

/** A chain's creation: hash_mode, and what stands in auth_key_len. */
function chain(hashMode: number, authKeyLength: number): Uint8Array {
  return concat(
    le32(0x002, 0, 0, 0),
    // alg_chain_order, hash_mode; cipher: algo, keylen, op, padding.
    le32(2, hashMode, 3, 16, 1, 99),
    // algo, hash_result_len, auth_key_len, padding; aad_len, padding.
    le32(4, 20, authKeyLength, 99, 77, 99),
    // op_type, padding.
    le32(2, 99),
  );
}

function decode(
  bytes: Uint8Array<ArrayBuffer>,
  layout = LEGACY,
): Extract<ControlRequest, { kind: "create" }> {
  const request = decodeControlRequest(bytes, layout);
  if (request.kind === "create") return request;
  throw new Error(`It is decoded as ${request.kind}`);
}

Deno.test("A chain's creation is decoded with both keys", () => {
  for (const layout of [LEGACY, REVISION_1]) {
    const { parameters, lengthFits } = decode(
      concat(chain(2, 40), KEYS),
      layout,
    );
    assertEquals(lengthFits, true);
    assertEquals(parameters, {
      service: 0,
      opType: 2,
      algorithm: 3,
      op: 1,
      keyLength: 16,
      chainOrder: 2,
      hashMode: 2,
      hashAlgorithm: 4,
      authKeyLength: 40,
      resultLength: 20,
      key: KEYS,
    });
  }
});

Deno.test("A chain's auth_key_len counts in hash mode AUTH only", () => {
  for (const hashMode of [0, 1, 3]) {
    const { parameters, lengthFits } = decode(
      concat(chain(hashMode, 0xffff_ffff), KEYS.subarray(0, 16)),
    );
    assertEquals(
      [parameters.authKeyLength, parameters.hashMode, lengthFits],
      [0, hashMode, true],
    );
    assertEquals(parameters.key, KEYS.slice(0, 16));
  }
  const { lengthFits } = decode(concat(chain(2, 0xffff_ffff), KEYS));
  assertEquals(lengthFits, false);
});

Deno.test("A chain's creation of any other length does not fit", () => {
  for (let length = 0; length <= 70; length++) {
    const { lengthFits, parameters } = decode(
      concat(chain(2, 40), zeros(length)),
    );
    assertEquals(lengthFits, length === 56, `${length} bytes of keys`);
    assertEquals(parameters.key.length, length === 56 ? 56 : 0);
  }
});

Deno.test("Key lengths whose sum wraps do not fit", () => {
  const bytes = concat(chain(2, 0x8000_0000), KEYS);
  new DataView(bytes.buffer).setUint32(16 + 12, 0x8000_0038, true);
  assertEquals(decode(bytes).lengthFits, false);
});

Deno.test("With REVISION_1 there is no padded form", () => {
  const hash = concat(le32(0x102, 0, 0, 0), le32(4, 20));
  const destroy = concat(le32(0x103, 0, 0, 0), le32(7, 8));
  assertEquals(decode(hash, REVISION_1).lengthFits, true);
  assertEquals(decodeControlRequest(destroy, REVISION_1).kind, "destroy");
  const padding = zeros(48);
  assertEquals(decode(concat(hash, padding)).lengthFits, true);
  assertEquals(decode(concat(hash, padding), REVISION_1).lengthFits, false);
  assertEquals(
    decodeControlRequest(concat(destroy, padding), LEGACY).kind,
    "destroy",
  );
  assertEquals(
    decodeControlRequest(concat(destroy, padding), REVISION_1),
    { kind: "refused", status: 1, answer: "destroy" },
  );
});
