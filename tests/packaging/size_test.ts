import { assert } from "@std/assert";
import { outputOf, ROOT } from "../support/server_process.ts";

/** What the package may be at most, packed. */
const MOST_BYTES = 1_000_000;

/** Paths of the files that would be published. */
async function publishedFiles(): Promise<readonly string[]> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty", "--no-check"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout) + decoder.decode(stderr);
  return [...text.matchAll(/file:\/\/(\S+) \([\d.]+[KM]?B\)/g)]
    .map(([, path]) => path!.replace(ROOT, ""));
}

Deno.test("the package is smaller than 1 MB as it is published", async () => {
  const files = await publishedFiles();
  assert(files.includes("mod.ts") && files.includes("deno.json"));
  const count = `tar --create --gzip --directory="$0" "$@" | wc --bytes`;
  const size = Number(await outputOf("sh", "-c", count, ROOT, ...files));
  assert(size > 100_000, `${files.length} files have ${size} bytes only`);
  assert(size < MOST_BYTES, `${files.length} files have ${size} bytes`);
});
