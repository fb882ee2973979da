/**
 * What the fuzzer is made of, and its corpus.
 *
 * @module
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  formatCase,
  type FuzzCase,
  makeCase,
  parseCase,
  readCorpus,
  runCase,
  type RunOptions,
  TARGETS,
} from "./case.ts";
import { FuzzDevice } from "./guest/device.ts";
import { endFlipper } from "./guest/flipper.ts";
import { Machine } from "./guest/machine.ts";
import type {
  GuestCase,
  GuestOperation,
  RequestOperation,
} from "./guest/operations.ts";
import { placement } from "./guest/placement.ts";
import { runOn } from "./guest/run.ts";
import { stopServers } from "./messages/run.ts";
import { Random } from "./random.ts";
import { shrink } from "./shrink.ts";

const corpus = readCorpus(new URL("./corpus", import.meta.url).pathname);
const OPTIONS: RunOptions = {
  seed: 7,
  targets: TARGETS,
  engines: ["noble"],
  rings: ["split", "packed"],
};

for (const target of TARGETS) {
  Deno.test(`the fuzzer's corpus of ${target} passes`, async () => {
    const cases = [...corpus].filter(([, c]) => c.target === target);
    assert(cases.length > 0);
    try {
      for (const [name, fuzzCase] of cases) {
        assertEquals(await runCase(fuzzCase), undefined, name);
      }
    } finally {
      endFlipper();
      await stopServers();
    }
  });
}

Deno.test("a case of the fuzzer is the same for the same seed and number", () => {
  const cases = [...corpus.values()];
  for (let index = 0; index < 50; index++) {
    assertEquals(
      makeCase(OPTIONS, cases, index),
      makeCase(OPTIONS, cases, index),
    );
  }
  assertNotEquals(makeCase(OPTIONS, [], 0), makeCase(OPTIONS, [], 1));
  const other = { ...OPTIONS, seed: 8 };
  assertNotEquals(makeCase(OPTIONS, [], 0), makeCase(other, [], 0));
});

Deno.test("a case of the fuzzer survives being written to a file", () => {
  for (let index = 0; index < 50; index++) {
    const fuzzCase = makeCase(OPTIONS, [], index);
    assertEquals(parseCase(formatCase(fuzzCase, "a finding")), fuzzCase);
  }
});

Deno.test("the fuzzer changes descriptors of requests with nothing writable, too", () => {
  const { setup } = makeCase(
    { ...OPTIONS, targets: ["rings"] as const },
    [],
    0,
  ) as GuestCase;
  const random = new Random(5);
  for (let i = 0; i < 2000; i++) {
    const made = placement(random, { ...setup, indirect: true }, 100, 0, 1);
    for (const patch of made.patches ?? []) {
      const numbers = Object.values(patch).filter((value) =>
        typeof value === "number"
      );
      assert(numbers.every(Number.isInteger), JSON.stringify(patch));
    }
  }
});

Deno.test("the fuzzer shrinks a case to the operations that fail", async () => {
  const isCause = (operation: GuestOperation) =>
    operation.op === "request" && operation.variable > 20;
  const run = (fuzzCase: FuzzCase): Promise<string | undefined> =>
    Promise.resolve(
      (fuzzCase.operations as readonly GuestOperation[]).some(isCause)
        ? "it fails"
        : undefined,
    );
  let index = 0;
  const options = { ...OPTIONS, targets: ["requests"] as const };
  while (await run(makeCase(options, [], index)) === undefined) index++;
  const { fuzzCase } = await shrink(
    makeCase(options, [], index),
    "it fails",
    run,
    10_000,
  );
  assertEquals(fuzzCase.operations.length, 1);
  const [operation] = fuzzCase.operations as readonly RequestOperation[];
  assertEquals(operation!.op, "request");
  assertEquals(operation!.variable, 21);
  assertEquals(operation!.placement.writable, []);
});

Deno.test("the fuzzer tells a device that answers otherwise than its model", () => {
  const [fuzzCase] = [...corpus.values()].filter((c) =>
    c.target === "requests"
  );
  const { setup } = fuzzCase as GuestCase;
  const device = new FuzzDevice(setup);
  assertEquals(runOn(new Machine(setup, device), []), undefined);
  // The good request at the end is larger than this model lets one be.
  const rules = { ...device.rules, maxSize: 8 };
  const strict = Object.assign(new FuzzDevice(setup), { rules });
  assertEquals(
    runOn(new Machine(setup, strict), []),
    "the end: chain 0: status 0, and not 1",
  );
});
