import { assert, assertEquals, assertMatch } from "@std/assert";
import { Observed } from "./observed.ts";
import { REFUSED, send, SENT } from "./work.ts";

/** The samples of a metric: labels and value. */
function samples(text: string, name: string): [string, number][] {
  return text.split("\n").flatMap((line) => {
    const match = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    return match?.[1] === name
      ? [[match[2] ?? "", Number(match[3])] as [string, number]]
      : [];
  });
}

function total(text: string, name: string, ...labels: string[]): number {
  return samples(text, name)
    .filter(([all]) => labels.every((label) => all.includes(label)))
    .reduce((sum, [, value]) => sum + value, 0);
}

/** Asks promtool what it thinks; undefined where there is none. */
async function promtool(text: string): Promise<string | undefined> {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return `${code}${decode(stdout)}${decode(stderr)}`;
}

Deno.test("/metrics agrees with what was sent, and promtool finds nothing to say", async () => {
  await using observed = await Observed.start();
  const driver = await observed.driver();
  await send(driver, 0);
  await send(driver, 1);
  const text = await observed.text("/metrics");
  const socket = `device="${observed.socket}"`;
  const requests = "virtio_crypto_requests_total";
  for (const queue of ['queue="0"', 'queue="1"']) {
    for (const [algorithm, count] of Object.entries(SENT)) {
      const labels = [socket, queue, `algorithm="${algorithm}"`, '"OK"'];
      assertEquals(total(text, requests, ...labels), count, algorithm);
    }
    for (const [status, count] of Object.entries(REFUSED)) {
      assertEquals(total(text, requests, queue, `"${status}"`), count, status);
    }
  }
  const all = total(text, requests);
  const duration = "virtio_crypto_request_duration_seconds";
  assertEquals(total(text, `${duration}_count`), all);
  assertEquals(total(text, `${duration}_bucket`, 'le="+Inf"'), all);
  const chain = 'algorithm="aes-cbc+hmac-sha256"';
  const buckets = samples(text, `${duration}_bucket`)
    .filter(([labels]) => labels.includes(chain) && labels.includes('"0"'))
    .map(([, value]) => value);
  assertEquals(buckets.length, 24);
  assertEquals(buckets, buckets.toSorted((a, b) => a - b));
  assertEquals(buckets.at(-1), SENT["aes-cbc+hmac-sha256"]);
  assert(total(text, `${duration}_sum`) > 0);
  assertEquals(total(text, "virtio_crypto_sessions", socket), 6);
  assertEquals(total(text, "virtio_crypto_connected", socket), 1);
  assertEquals(samples(text, "virtio_crypto_ring_depth").length, 3);
  assertEquals(total(text, "virtio_crypto_ring_depth"), 0);
  assert(total(text, "virtio_crypto_kicks_total") > 0);
  assert(total(text, "virtio_crypto_signals_total") > 0);
  assert(total(text, "virtio_crypto_request_bytes_total") > 0);
  assertEquals(total(text, "virtio_crypto_control_requests_total", '"OK"'), 6);
  assert(total(text, "process_resident_memory_bytes") > 1e6);
  assertMatch(text, /virtio_crypto_build_info\{.*version="0\.1\.0".*\} 1/);
  assertMatch(text, /virtio_crypto_engine_loaded\{engine="noble"\} 1/);
  await driver.close();
  const opinion = await promtool(text);
  if (opinion === undefined) {
    console.log("Not covered: promtool is not installed");
  } else assertEquals(opinion, "0");
});
