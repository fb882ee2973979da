/**
 * Writes the corpus: cases that pass, few and small, which together have every
 * kind of operation, layout, service, fault of a chain and message.
 *
 *     deno run --allow-ffi --allow-read --allow-write tests/fuzz/write_corpus.ts
 *
 * @module
 */

import {
  formatCase,
  type FuzzCase,
  makeCase,
  runCase,
  type RunOptions,
  TARGETS,
} from "./case.ts";
import type { Placement } from "./guest/operations.ts";
import { stopServers } from "./messages/run.ts";

const FOLDER = new URL("./corpus/", import.meta.url).pathname;
/** Cases that are looked at, and most operations of one that is kept. */
const LOOKED_AT = 3000;
const MOST_OPERATIONS = 16;
/** What a case has to add to be kept. */
const LEAST_NEW = 4;

function placementFeatures({ style, patches = [] }: Placement): string[] {
  return patches.map((patch) => {
    const { at: _, flags, next, length, ...rest } = patch;
    const what = [
      ...Object.keys(rest),
      flags === undefined ? "" : `flags ${flags}`,
      next === undefined ? "" : "next",
      length === undefined ? "" : length > 0xffff ? "huge" : `length`,
    ];
    return `${style} ${what.join(" ")}`;
  });
}

/** What is in a case, one word each. */
function featuresOf(fuzzCase: FuzzCase): Set<string> {
  const features = new Set<string>();
  const { target } = fuzzCase;
  if (fuzzCase.target === "messages") {
    for (const operation of fuzzCase.operations) {
      features.add(operation.op);
      if (operation.op !== "message") continue;
      const { request, flags, fds, claims, first } = operation;
      features.add(`message ${request} ${flags & 3} ${fds.length > 0}`);
      if (claims !== undefined) features.add("claims");
      if (first !== undefined) features.add("first");
    }
    return features;
  }
  const { setup, operations } = fuzzCase;
  features.add(`${setup.spec} ${setup.features}`);
  features.add(`${setup.ring} ${setup.eventIndex} ${setup.indirect}`);
  for (const operation of operations) {
    features.add(operation.op);
    switch (operation.op) {
      case "request":
        features.add(`${operation.form} ${operation.opcode} ${setup.features}`);
        features.add(`${operation.form} ${operation.chained}`);
        break;
      case "create":
        features.add(
          `create ${operation.service} ${operation.algorithm} ${
            operation.chain?.hash ?? ""
          }`,
        );
        break;
      case "destroy":
        features.add(`destroy ${operation.service} ${operation.idXor ?? ""}`);
        break;
      default:
        continue;
    }
    if (target === "rings") {
      for (const feature of placementFeatures(operation.placement)) {
        features.add(`${setup.ring} ${feature}`);
      }
    }
  }
  return features;
}

const options: RunOptions = {
  seed: 1,
  targets: TARGETS,
  engines: ["noble"],
  rings: ["split", "packed"],
};
for (const { name } of Deno.readDirSync(FOLDER)) {
  if (name.endsWith(".json")) Deno.removeSync(FOLDER + name);
}
for (const target of TARGETS) {
  const seen = new Set<string>();
  let kept = 0;
  for (let index = 0; index < LOOKED_AT; index++) {
    const fuzzCase = makeCase({ ...options, targets: [target] }, [], index);
    if (fuzzCase.operations.length > MOST_OPERATIONS) continue;
    const added = [...featuresOf(fuzzCase)].filter((f) => !seen.has(f));
    if (added.length < LEAST_NEW) continue;
    const found = await runCase(fuzzCase);
    if (found !== undefined) {
      throw new Error(`Cannot keep case ${index} of ${target}: ${found}`);
    }
    for (const feature of added) seen.add(feature);
    const number = String(++kept).padStart(2, "0");
    Deno.writeTextFileSync(
      `${FOLDER}${target}-${number}.json`,
      formatCase(fuzzCase),
    );
  }
  console.log(`${target}: ${kept} cases, ${seen.size} features`);
}
await stopServers();
Deno.exit(0);
