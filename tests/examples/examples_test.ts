import { assert, assertEquals } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import { statPath } from "../../device/host/file.ts";
import { freshPath } from "../server/test_server.ts";
import { runProgram } from "../support/programs.ts";
import { CliProcess, outputOf } from "../support/server_process.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url);

/** Those that are run here; node_engine.ts is a part of own_engine.ts. */
const RUN = new Set(["node_engine.ts"]);

/**
 * The flags of the command that an example's comment gives. The example is then
 * run with these and no others.
 */
async function flagsOf(name: string, command = "run"): Promise<string[]> {
  RUN.add(name);
  const text = await Deno.readTextFile(new URL(name, EXAMPLES));
  const line = new RegExp(
    `^ \\*     deno ${command} (.*)examples/${name}( .*)?$`,
    "m",
  ).exec(text);
  if (line === null) throw new Error(`${name} does not say how it is run`);
  return line[1]!.split(" ").filter((flag) => flag !== "");
}

/** Runs an example with what its comment says, and returns what it printed. */
async function run(name: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(`examples/${name}`, {
    flags: await flagsOf(name),
    args,
  });
  assertEquals([code, stderr], [0, ""], name);
  return stdout;
}

Deno.test("the example of a device in the process prints a digest", async () => {
  assertEquals(
    await run("in_process.ts"),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

Deno.test("the example of a driver's test passes", async () => {
  const flags = await flagsOf("driver_test.ts", "test");
  assertEquals(flags, []);
  const stdout = await outputOf(
    Deno.execPath(),
    "test",
    "--no-prompt",
    new URL("driver_test.ts", EXAMPLES).pathname,
  );
  assert(stdout.includes("3 passed"), stdout);
  assert(stdout.includes("0 failed"), stdout);
});

Deno.test("the example of a server tells of the frontend that it serves", async () => {
  const path = freshPath();
  const permissions = await flagsOf("serve_qemu.ts");
  await using server = await CliProcess.start([path], {
    permissions,
    program: new URL("serve_qemu.ts", EXAMPLES).pathname,
  });
  const transport = await VhostUserTransport.connect(path, {
    mode: "cryptodev",
  });
  const driver = await CryptoDriver.attach(transport);
  const session = await driver.createSession({
    service: "cipher",
    algorithm: "aes-ctr",
    key: new Uint8Array(16),
    direction: "encrypt",
  });
  const input = { iv: new Uint8Array(16), data: new Uint8Array(4) };
  assertEquals((await session.run(input)).toHex(), "66e94bd4");
  await driver.close();
  server.kill("SIGTERM");
  const { code, stdout, stderr } = await server.ended();
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout.trim().split("\n"), [
    `Serving on ${path}`,
    "A frontend connected",
    "The frontend is gone after 1 requests",
    "Closed",
  ]);
  assertEquals(statPath(path), undefined);
});

Deno.test("the example of an engine of one's own seals, opens and finds a forgery", async () => {
  assertEquals((await run("own_engine.ts")).split("\n"), [
    "node,noble on 2 workers",
    "hello",
    "CryptoStatusError: Cannot run the operation: the device answered BADMSG",
  ]);
});

Deno.test("the example of a file's encryption gives the file back, and finds what was cut off", async () => {
  const folder = (await outputOf("mktemp", "-d")).trim();
  try {
    const [sealed, opened] = [`${folder}/sealed`, `${folder}/opened`];
    const source = Deno.execPath();
    const start = `${folder}/source`;
    await outputOf(
      "dd",
      `if=${source}`,
      `of=${start}`,
      "bs=1000001",
      "count=3",
    );
    const key = "0f".repeat(32);
    const seal = await run("encrypt_file.ts", "seal", key, start, sealed);
    assertEquals(seal, "Sealed 3 pieces");
    const open = await run("encrypt_file.ts", "open", key, sealed, opened);
    assertEquals(open, "Opened 3 pieces");
    assertEquals(await outputOf("cmp", start, opened), "");
    assertEquals((await Deno.stat(opened)).size, 3_000_003);

    await outputOf("truncate", `--size=${8 + 2 * (1048576 + 16)}`, sealed);
    const cut = await runProgram("examples/encrypt_file.ts", {
      flags: await flagsOf("encrypt_file.ts"),
      args: ["open", key, sealed, opened],
    });
    assertEquals(cut.code, 1);
    assert(cut.stderr.includes("BADMSG"), cut.stderr);
  } finally {
    await outputOf("rm", "-r", folder);
  }
});

Deno.test("every example is run by these tests", () => {
  for (const { name } of Deno.readDirSync(EXAMPLES)) {
    assert(RUN.has(name), `${name} is not run`);
  }
});
