/**
 * Makes data requests that are right, or nearly so.
 *
 * @module
 */

import type { MachineSetup } from "./device.ts";
import { bendFields, goodFields, variableLength } from "./fields.ts";
import type { FormName, RequestOperation } from "./operations.ts";
import { placement } from "./placement.ts";
import { EDGES, type PlannedSession, planSession } from "./plan.ts";
import type { Random } from "../random.ts";
import { hasPara } from "./request_bytes.ts";

/** The layout a machine takes, by the flag of the request. */
function pickForm(
  random: Random,
  setup: MachineSetup,
  service: number,
): { form: FormName; flag: number } {
  if (random.oneIn(25)) {
    return {
      form: random.pick(["legacy", "revision1", "v15", "revision1-stateless"]),
      flag: random.pick([0, 1, 2, 3, 4, 0xffff_ffff]),
    };
  }
  const mode = setup.features >> (service + 1) & 1;
  if (setup.spec === "v15") {
    if (random.oneIn(2)) return { form: "v15", flag: 2 };
    return (setup.features >> 1) === 0
      ? { form: "legacy", flag: random.below(2) }
      : { form: "v15", flag: 1 };
  }
  if (!(setup.features & 1)) {
    return { form: "legacy", flag: random.pick([0, 1, 1, 7]) };
  }
  if (mode === 0) return { form: "revision1", flag: 1 };
  return { form: "revision1-stateless", flag: random.below(2) };
}

/** What of a request is not as it should be. */
export interface Hostility {
  /** One request in so many has something wrong in its bytes. */
  readonly bytes: number;
  /** One in so many has something wrong in its descriptors; 0: none. */
  readonly descriptors: number;
}

/**
 * Makes a data request.
 *
 * @param random where everything comes from
 * @param setup the machine
 * @param sessions sessions there may be, in the order of their creation
 * @param hostility how much of it is wrong
 * @returns the request
 */
export function makeRequest(
  random: Random,
  setup: MachineSetup,
  sessions: readonly PlannedSession[],
  hostility: Hostility,
): RequestOperation {
  const session = random.below(Math.max(1, sessions.length));
  const known = sessions[session];
  let plan = known === undefined || random.oneIn(12)
    ? planSession(random)
    : known;
  let { form, flag } = pickForm(random, setup, plan.algorithm.service);
  const para = hasPara(form);
  const inSession = flag !== 2 && !(form === "revision1-stateless" && !flag);
  if (!inSession && random.oneIn(2)) plan = planSession(random);
  const { service } = plan.algorithm;
  const fields = goodFields(random, plan, para);
  const before = variableLength(fields, para, inSession);
  const bent = random.oneIn(hostility.bytes);
  let extra = 0;
  let shorter = 0;
  let opcode = service << 8 |
    (service === 0 || service === 3 ? plan.direction - 1 : 0);
  let idXor: string | undefined;
  const words: [number, number][] = [];
  let writable = -1;
  for (let n = bent ? random.between(1, 2) : 0; n > 0; n--) {
    switch (random.below(9)) {
      case 0:
      case 1:
      case 2:
        shorter += bendFields(random, setup, fields);
        break;
      case 3:
        extra = random.pick([-1, 1, -16, 16, -40, random.between(-200, 64)]);
        break;
      case 4:
        writable = random.below(40);
        break;
      case 5:
        if (random.oneIn(2)) flag = random.pick([0, 1, 2, 3, 0x100]);
        else opcode = random.pick([0, 1, 2, 0x100, 0x101, 0x200, 0x300, 0x301]);
        break;
      case 6:
        idXor = `0x${
          (1n << BigInt(random.pick([0, 1, 31, 32, 33, 62, 63]))).toString(16)
        }`;
        break;
      case 7:
        words.push([4 * random.below(30), random.pick(EDGES)]);
        break;
      default:
        // v15's iv of a full 16 bytes.
        extra = 16 - (fields["iv_len"] ?? 0);
    }
  }
  const f = (name: string) => fields[name] ?? 0;
  if (shorter > 0) extra = -shorter;
  // Bytes are there as the fields said before, or as they say now.
  const now = variableLength(fields, para, inSession);
  const variable = now <= 6000 && random.oneIn(2) ? now : before;
  const room = ((f("dst_data_len") + f("hash_result_len")) >>> 0) + 1;
  if (writable < 0) writable = room <= 6000 ? room : 64;
  if (random.oneIn(10)) writable += random.pick([1, 7, 100]);
  const readable = Math.max(0, 24 + 48 + variable + extra);
  // As drivers cut requests of plain ciphers: what has a way of its own.
  const driver = form === "legacy" && service === 0 && writable > 1 &&
      !random.oneIn(4)
    ? { readable: [24 + 48, f("iv_len")], writable: [writable - 1, 1] }
    : undefined;
  return {
    op: "request",
    queue: random.below(2),
    form,
    opcode,
    flag,
    session,
    ...(idXor === undefined ? {} : { idXor }),
    chained: plan.hash !== undefined,
    fields,
    variable,
    data: random.word(),
    ...(opcode === 0x301 && !random.oneIn(4) ? { sealed: true } : {}),
    ...(words.length > 0 ? { words } : {}),
    ...(extra !== 0 ? { extra } : {}),
    placement: placement(
      random,
      setup,
      readable,
      writable,
      hostility.descriptors,
      driver,
    ),
  };
}
