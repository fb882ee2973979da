import { assert, assertEquals, assertMatch } from "@std/assert";
import { ENGINE_NAMES, openEngines } from "../../device/engine/engines.ts";
import { Capabilities } from "../../device/service/capabilities.ts";
import { SERVICE_ALGORITHMS } from "../../device/service/algorithms.ts";
import { decodeConfig } from "../../device/spec/config.ts";
import { ROOT, runCli } from "../support/server_process.ts";

interface Findings {
  readonly serves: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly state: string;
    readonly found: string;
    readonly advice?: string;
  }[];
  readonly engines: readonly string[];
  readonly offers: readonly {
    readonly service: string;
    readonly algorithm: string;
    readonly engines: readonly string[];
  }[];
}

/** The findings of a process with some permissions, and its exit status. */
async function findings(
  permissions: readonly string[],
): Promise<Findings & { code: number }> {
  const { code, stdout, stderr } = await runCli(["doctor", "--json"], {
    permissions,
  });
  assertEquals(stderr, "");
  return { code, ...JSON.parse(stdout) as Findings };
}

Deno.test("doctor says that a device can be served, with the permissions of the README", async () => {
  const { code, serves, checks } = await findings([
    "--allow-ffi",
    "--allow-read",
  ]);
  assertEquals([code, serves], [0, true]);
  assertEquals(checks.filter(({ state }) => state === "wrong"), []);
  const names = checks.map(({ name }) => name);
  for (
    const name of [
      "Deno",
      "kernel",
      "C library",
      "processors",
      "descriptors",
      "eventfd",
      "memfd",
      "huge pages",
      "libcrypto",
      "ipsec-mb",
    ]
  ) assert(names.includes(name), name);
});

Deno.test("doctor lists exactly what a device offers", async () => {
  const { offers, engines } = await findings(["--allow-ffi", "--allow-read"]);
  const capabilities = new Capabilities(openEngines(ENGINE_NAMES));
  const config = decodeConfig(capabilities.config(2, 1 << 20));
  const masks = [
    [config.cipherAlgoL, config.cipherAlgoH],
    [config.hashAlgo, 0],
    [config.macAlgoL, config.macAlgoH],
    [config.aeadAlgo, 0],
  ] as const;
  const offered = SERVICE_ALGORITHMS.flatMap((algorithms, service) =>
    algorithms.filter(([number]) =>
      (masks[service]![number >> 5]! >>> (number & 31) & 1) === 1
    ).map(([, { name }]) => name)
  );
  assertEquals(offers.map(({ algorithm }) => algorithm), offered);
  for (const offer of offers) {
    assertEquals(
      offer.engines,
      engines.filter((name) =>
        openEngines([name as typeof ENGINE_NAMES[number]])[0]!.serves(
          SERVICE_ALGORITHMS.flat().find(([, { name }]) =>
            name === offer.algorithm
          )![1],
        )
      ),
    );
  }
});

Deno.test("doctor with no permission asks for none, names the missing ones and fails", async () => {
  const { code, serves, checks, engines } = await findings([]);
  assertEquals([code, serves], [1, false]);
  const wrong = checks.filter(({ state }) => state === "wrong");
  assertEquals(wrong.map(({ name }) => name), ["--allow-ffi", "--allow-read"]);
  for (const { advice } of wrong) assertMatch(advice!, /run with --allow-/);
  assertEquals(engines, ["noble"]);
});

Deno.test("doctor names the folder that cannot be read", async () => {
  const { code, checks } = await findings([
    "--allow-ffi",
    `--allow-read=${ROOT}workers`,
  ]);
  assertEquals(code, 1);
  const [wrong] = checks.filter(({ state }) => state === "wrong");
  assertEquals(wrong?.advice, `run with --allow-read=${ROOT}device/`);
});

Deno.test("doctor tells the same to people", async () => {
  const { code, stdout, stderr } = await runCli(["doctor"]);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^ok +Deno +\d/m);
  assertMatch(stdout, /^ +CIPHER +aes-cbc +.*x$/m);
  assertMatch(stdout, /\nA device can be served here\n$/);
});

Deno.test("doctor tells what is refused where libraries and descriptors are few", async () => {
  const { code, stdout } = await runCli(["doctor"], {
    wrapper: ["prlimit", "--nofile=100:100"],
  });
  assertEquals(code, 0);
  assertMatch(stdout, /^note +descriptors +100, at most 100\n +.*ulimit -n/m);
});
