/**
 * Whether the path of a request makes garbage: a million requests after warm-up
 * on each native engine, with the scavenges that they caused, and where the
 * garbage comes from.
 *
 *     deno task bench:garbage [--requests=N] [--all] [ENGINE] [ALGORITHM]
 *
 * Each line is a process of its own, so that no other engine's code has changed
 * how the path was compiled. V8 says when it collects; what lies between two
 * collections that were asked for is counted.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";

const ENGINES = ["libcrypto", "ipsec-mb", "auto"] as const;

/** Algorithm, and bytes of a request. The first has a packed ring, too. */
type Case = readonly [algorithm: string, size: number];

const CASES: readonly Case[] = [
  ["aes-cbc", 64],
  ["aes-cbc", 16384],
  ["aes-gcm", 64],
  ["hmac-sha256", 64],
];

/** What `--all` adds. */
const MORE: readonly Case[] = [
  ["aes-ctr", 64],
  ["aes-xts", 64],
  ["aes-ccm", 64],
  ["chacha20-poly1305", 64],
  ["3des-cbc", 64],
  ["sha256", 64],
  ["cmac-aes", 64],
  ["gmac-aes", 64],
];

/** What an engine does not serve. */
const MISSING: Readonly<Record<string, readonly string[]>> = {
  "ipsec-mb": ["aes-xts"],
};

const CHILD = new URL("./support/garbage_run.ts", import.meta.url).pathname;

interface Outcome {
  readonly scavenges: number;
  readonly sites: readonly string[];
}

async function run(args: readonly string[]): Promise<Outcome> {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-ffi",
      "--allow-read",
      "--allow-sys",
      "--v8-flags=--trace-gc,--expose-gc",
      CHILD,
      ...args,
    ],
    cwd: new URL("../", import.meta.url).pathname,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  const lines = text.decode(stdout).split("\n");
  const marks = lines.flatMap((line, i) =>
    line.includes("Mark-Compact") && line.includes("testing") ? [i] : []
  );
  if (!success || marks.length !== 2) {
    throw new Error(`Cannot run ${args.join(" ")}: ${text.decode(stderr)}`);
  }
  const between = lines.slice(marks[0]! + 1, marks[1]);
  return {
    scavenges: between.filter((line) => /Scavenge|Mark-Compact/.test(line))
      .length,
    sites: lines.filter((line) => line.startsWith("site ")),
  };
}

const { _: [engine, algorithm], all, requests } = parseArgs(Deno.args, {
  boolean: ["all"],
  string: ["requests"],
  default: { requests: "1000000" },
});

console.log(`Scavenges in ${requests} requests after warm-up\n`);
console.log("| engine | request | ring | depth | scavenges |");
console.log("| --- | --- | --- | ---: | ---: |");
const cases = all || algorithm !== undefined ? [...CASES, ...MORE] : CASES;
const sites = new Map<string, string[]>();
let failed = false;
for (const name of ENGINES) {
  if (engine !== undefined && name !== engine) continue;
  for (const [index, [which, size]] of cases.entries()) {
    if (MISSING[name]?.includes(which)) continue;
    if (algorithm !== undefined && which !== algorithm) continue;
    const formats = index === 0 ? ["split", "packed"] : ["split"];
    for (const format of formats) {
      for (const depth of ["1", "64"]) {
        const what = [name, which, String(size), depth, format, requests];
        const outcome = await run(what);
        failed ||= outcome.scavenges > 0;
        console.log(
          `| ${name} | ${which} ${size} B | ${format} | ${depth} | ${outcome.scavenges} |`,
        );
        for (const site of outcome.sites) {
          const [, bytes, ...where] = site.split(" ");
          const key = where.join(" ");
          const seen = sites.get(key) ?? [];
          seen.push(`${name} ${which} ${size} B depth ${depth}: ${bytes}`);
          sites.set(key, seen);
        }
      }
    }
  }
}

if (sites.size > 0) {
  console.log("\nWhere it comes from, in bytes a request:\n");
  for (const [site, where] of sites) {
    console.log(`- ${site}`);
    for (const line of where) console.log(`  - ${line}`);
  }
}
if (failed) Deno.exit(1);
