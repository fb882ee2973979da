import { assert, assertEquals } from "@std/assert";

const PROGRAM = `
import { CryptoDriver } from "${new URL(
  "../../device/driver/driver.ts",
  import.meta.url,
)}";
import { InProcessDevice } from "${new URL(
  "../../device/in_process.ts",
  import.meta.url,
)}";
const device = new InProcessDevice(OPTIONS);
const driver = await CryptoDriver.attach(device);
const session = await driver.createSession({
  service: "hash",
  algorithm: "sha256",
});
const digest = await session.run({ data: new TextEncoder().encode("abc") });
const hex = Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
await driver.close();
console.log(device.workers, hex);
`;

const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/** Runs the program in a process of its own. */
async function run(
  options: string,
  ...flags: string[]
): Promise<{ code: number; out: string; err: string }> {
  const program = PROGRAM.replace("OPTIONS", options);
  const child = new Deno.Command("deno", {
    args: ["run", "--no-prompt", "--no-check", ...flags, "-"],
    cwd: new URL("../..", import.meta.url).pathname,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(program));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, out: text(stdout), err: text(stderr) };
}

Deno.test("A device with workers: 0 needs no permission at all", async () => {
  const { code, out, err } = await run("{ workers: 0 }");
  assertEquals([code, out, err], [0, `0 ${ABC}`, ""]);
});

Deno.test("A device whose workers cannot be loaded serves on the caller's thread, and says so", async () => {
  const { code, out, err } = await run("{}");
  assertEquals([code, out], [0, `0 ${ABC}`]);
  assert(err.includes("--allow-read"), err);
  assertEquals(err.split("\n").length, 1);
});

Deno.test("A device needs --allow-read and no more for its workers", async () => {
  const { code, out, err } = await run("{}", "--allow-read");
  assertEquals([code, out, err], [0, `2 ${ABC}`, ""]);
});
