import { assertEquals } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import { freshPath } from "../server/test_server.ts";
import { CliProcess } from "../support/server_process.ts";
import { Registry } from "./registry.ts";

const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/** Prints the engines, the number of workers, and a digest. */
const PROGRAM = `
import { CryptoDriver, importEngine, InProcessDevice } from "PACKAGE/mod.ts";
const device = new InProcessDevice(OPTIONS);
await using driver = await CryptoDriver.attach(device);
const session = await driver.createSession({
  service: "hash",
  algorithm: "sha256",
});
const digest = await session.run({ data: new TextEncoder().encode("abc") });
console.log(device.engines.join(), device.workers, digest.toHex());
`;

function program(options: string): string {
  return PROGRAM.replace("OPTIONS", options);
}

Deno.test("a package of a registry needs no permission with workers: 0", async () => {
  await using registry = await Registry.start();
  assertEquals(await registry.run(program("{ workers: 0 }")), {
    code: 0,
    stdout: `noble 0 ${ABC}`,
    stderr: "",
  });
});

Deno.test("the workers of a package of a registry need none but its import", async () => {
  await using registry = await Registry.start();
  assertEquals(await registry.run(program("{ queues: 2 }")), {
    code: 0,
    stdout: `noble 2 ${ABC}`,
    stderr: "",
  });
});

Deno.test("the workers of a package of a registry import an engine of the program's own", async () => {
  await using registry = await Registry.start();
  const engine = `data:application/typescript,${
    encodeURIComponent(`
    import { createHash } from "node:crypto";
    import { defineEngine } from "${registry.url}engine.ts";
    export default defineEngine({
      name: "mine",
      algorithms: {
        "sha256": {
          prepare: () => ({
            run: ({ source }) => createHash("sha256").update(source).digest(),
          }),
        },
      },
    });`)
  }`;
  const { stdout, stderr } = await registry.run(
    program(`{ engines: [await importEngine("${engine}")] }`),
  );
  assertEquals([stdout, stderr], [`mine 2 ${ABC}`, ""]);
});

Deno.test("the decoders of a package of a registry need no permission", async () => {
  await using registry = await Registry.start();
  const { stdout, stderr } = await registry.run(`
    import { explainRequest } from "PACKAGE/mod.ts";
    import { VIRTIO_CRYPTO_ERR } from "PACKAGE/spec.ts";
    const { status } = await explainRequest(new Uint8Array(10));
    console.log(status === VIRTIO_CRYPTO_ERR);
  `);
  assertEquals([stdout, stderr], ["true", ""]);
});

Deno.test("the command line of a package of a registry serves with --allow-ffi alone", async () => {
  await using registry = await Registry.start();
  const path = freshPath();
  await using server = await CliProcess.serve([`--socket-path=${path}`], {
    program: `${registry.url}device/cli.ts`,
    permissions: ["--quiet", ...registry.flags, "--allow-ffi"],
    env: registry.env,
  });
  await using driver = await CryptoDriver.attach(
    await VhostUserTransport.connect(path),
  );
  const session = await driver.createSession({
    service: "hash",
    algorithm: "sha256",
  });
  const digest = await session.run({ data: new TextEncoder().encode("abc") });
  assertEquals(digest.toHex(), ABC);
  assertEquals(server.stderr, "");
});

Deno.test("every entry of the package can be loaded from a registry", async () => {
  await using registry = await Registry.start();
  const { exports } = JSON.parse(
    await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
  );
  for (const entry of Object.values<string>(exports)) {
    const { code, stderr } = await registry.run(
      `await import("PACKAGE/${entry.replace("./", "")}");`,
    );
    assertEquals([code, stderr], [0, ""], entry);
  }
});
