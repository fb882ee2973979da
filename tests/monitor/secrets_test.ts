import { assert, assertEquals } from "@std/assert";
import { runCli } from "../support/server_process.ts";
import { Observed } from "./observed.ts";
import { changed, DATA, IV, KEY, MAC, send, TOTAL } from "./work.ts";

/** Bytes in every form in which one could write them, four at least. */
function forms(bytes: Uint8Array): string[] {
  const found: string[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 4 <= bytes.length; at++) {
    const part = bytes.subarray(at, at + 4);
    const hex = [...part].map((b) => b.toString(16).padStart(2, "0"));
    found.push(hex.join(""), hex.join(" "), [...part].join(","));
    found.push(String.fromCharCode(...part));
    for (const littleEndian of [true, false]) {
      const word = view.getUint32(at, littleEndian);
      found.push(String(word), word.toString(16));
    }
  }
  for (let at = 0; at + 6 <= bytes.length; at++) {
    found.push(btoa(String.fromCharCode(...bytes.subarray(at, at + 6))));
  }
  return found;
}

function assertNone(text: string, what: string, bytes: Uint8Array): void {
  const lower = text.toLowerCase();
  for (const form of forms(bytes)) {
    const at = lower.indexOf(form.toLowerCase());
    assert(at < 0, `${what}: ${lower.slice(Math.max(0, at - 40), at + 40)}`);
  }
}

Deno.test("Forms of planted bytes are found where they are", () => {
  for (const form of [KEY.toHex(), KEY.toBase64(), KEY.join(",")]) {
    let found = false;
    try {
      assertNone(form, "", KEY);
    } catch {
      found = true;
    }
    assertEquals(found, true, form);
  }
});

Deno.test("Neither keys nor data are in anything that is shown or written", async () => {
  await using observed = await Observed.start({
    trace: true,
    args: ["--log=debug"],
  });
  const driver = await observed.driver();
  const texts: [string, string][] = [];
  const all = TOTAL + 3;
  let heard = 0;
  let started = false;
  for await (const { name, data } of observed.events()) {
    if (!started) {
      started = true;
      await send(driver, 0);
      // Where the padded layout is read, a key is where padding should be.
      for (const opcode of [0x200, 0x300, 0x100]) {
        const mistaken = changed(MAC.readable, 16, 1);
        const bytes = changed([mistaken], 0, opcode);
        await driver.submitRaw(0, [bytes], [33]);
      }
    }
    texts.push([`event ${name}`, JSON.stringify(data)]);
    if (name === "requests") heard += data.requests.length + data.dropped;
    if (heard >= all) break;
  }
  texts.push(["state", await observed.text("/api/state")]);
  texts.push(["metrics", await observed.text("/metrics")]);
  await driver.close();
  await observed.stop();
  texts.push(["log", observed.process.stderr]);
  texts.push(["trace", await Deno.readTextFile(observed.tracePath)]);
  const { tracePath } = observed;
  const cli = async (...args: string[]) => {
    const { stdout, stderr } = await runCli(args, {
      permissions: ["--allow-read"],
    });
    assertEquals(stderr, "");
    texts.push([args.join(" "), stdout]);
  };
  await cli("trace", "--all", tracePath);
  // The first request, a stateless one, and those in a mistaken layout.
  for (const line of [2, TOTAL - 7, TOTAL + 2, TOTAL + 3, TOTAL + 4]) {
    await cli("decode", `--trace=${tracePath}`, `--line=${line}`);
  }
  for (const [what, text] of texts) {
    assertNone(text, what, KEY);
    assertNone(text, what, DATA);
    assertNone(text, what, IV);
  }
});
