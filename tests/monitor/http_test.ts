import { assert, assertEquals, assertMatch } from "@std/assert";
import { isOwnName, parseAddress } from "../../device/monitor/address.ts";
import { PAGE_FILES } from "../../device/monitor/page/files.ts";
import { freshPath } from "../server/test_server.ts";
import { outputOf, runCli } from "../support/server_process.ts";
import { Observed } from "./observed.ts";

/** Sends a request as it is written, and gives the answer's head. */
async function raw(observed: Observed, ...lines: string[]): Promise<string> {
  const port = Number(new URL(observed.url).port);
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const text = [...lines, "Connection: close", "", ""].join("\r\n");
  await connection.write(new TextEncoder().encode(text));
  const bytes = new Uint8Array(65536);
  let answer = "";
  while (!answer.includes("\r\n\r\n")) {
    const length = await connection.read(bytes);
    if (length === null) break;
    answer += new TextDecoder().decode(bytes.subarray(0, length));
  }
  return answer;
}

function status(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
}

Deno.test("The monitor answers only who asks for it by its own name", async () => {
  await using observed = await Observed.start();
  for (const path of ["/", "/metrics", "/api/state", "/api/events"]) {
    for (const host of ["evil.example", "127.0.0.1.evil.example", "[::1", ""]) {
      const answer = await raw(
        observed,
        `GET ${path} HTTP/1.1`,
        `Host: ${host}`,
      );
      // A host that is no host is refused before the monitor sees it.
      assert([400, 403].includes(status(answer)), `${path} ${host}`);
    }
  }
  for (const host of ["localhost", "127.0.0.1:1", "LOCALHOST:80", "[::1]:9"]) {
    const answer = await raw(
      observed,
      "GET /api/state HTTP/1.1",
      `Host: ${host}`,
    );
    assertEquals(status(answer), 200, host);
  }
});

Deno.test("Names are own ones by what the monitor listens on", () => {
  for (
    const [host, hostname, own] of [
      ["localhost:9100", "127.0.0.1", true],
      ["192.168.1.7:9100", "127.0.0.1", false],
      ["192.168.1.7:9100", "0.0.0.0", true],
      ["[fe80::1]:9100", "0.0.0.0", true],
      ["crypto.example", "0.0.0.0", false],
      ["crypto.example", "crypto.example", true],
      ["Crypto.Example:9100", "crypto.example", true],
      ["a b", "127.0.0.1", false],
      [null, "127.0.0.1", false],
    ] as const
  ) assertEquals(isOwnName(host, hostname), own, `${host} on ${hostname}`);
});

Deno.test("An address of the monitor has a host and a port", () => {
  assertEquals(parseAddress("127.0.0.1:9100"), {
    hostname: "127.0.0.1",
    port: 9100,
  });
  assertEquals(parseAddress("[::1]:0"), { hostname: "::1", port: 0 });
  for (const text of ["9100", ":9100", "a:", "a:65536", "a b:1", "::1:9100"]) {
    assertEquals(parseAddress(text), undefined, text);
  }
});

Deno.test("The monitor changes nothing, and gives its answers to no other site", async () => {
  await using observed = await Observed.start();
  const own = "Host: 127.0.0.1";
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const answer = await raw(observed, `${method} /api/state HTTP/1.1`, own);
    assertEquals(status(answer), 405, method);
    assertMatch(answer, /allow: GET, HEAD/i);
  }
  const cross = await raw(
    observed,
    "GET /api/events HTTP/1.1",
    own,
    "Sec-Fetch-Site: cross-site",
  );
  assertEquals(status(cross), 403);
  const state = await raw(
    observed,
    "GET /api/state HTTP/1.1",
    own,
    "Origin: http://evil.example",
  );
  assertEquals(status(state), 200);
  assert(!/access-control/i.test(state));
  assertMatch(state, /content-security-policy: default-src 'self'/i);
  assertMatch(state, /x-content-type-options: nosniff/i);
  for (const path of ["/api/state", "/metrics", "/api/events"]) {
    const answer = await raw(observed, `HEAD ${path} HTTP/1.1`, own);
    assertEquals(status(answer), 200, path);
    assertEquals(answer.split("\r\n\r\n")[1], "", path);
  }
});

Deno.test("The monitor serves its page's files and no others", async () => {
  await using observed = await Observed.start();
  for (
    const path of [
      "/monitor.ts",
      "/../monitor.ts",
      "/..%2fmonitor.ts",
      "/page/../../cli.ts",
      "/%2e%2e/state.ts",
      "//etc/passwd",
      "/files.ts",
      "/page/inspector.js",
      "/nothing.js",
      "/api",
    ]
  ) {
    const answer = await raw(
      observed,
      `GET ${path} HTTP/1.1`,
      "Host: localhost",
    );
    assert([400, 404].includes(status(answer)), path);
  }
  for (const [path, { type, body }] of PAGE_FILES) {
    const answer = await fetch(new URL(path, observed.url));
    assertEquals(answer.headers.get("content-type"), type, path);
    assertEquals(await answer.text(), body, path);
  }
});

Deno.test("serve --monitor is one clear line of error where it cannot be", async () => {
  const socket = freshPath();
  const run = (monitor: string, ...permissions: string[]) =>
    runCli(["serve", `--socket-path=${socket}`, `--monitor=${monitor}`], {
      permissions: ["--allow-ffi", "--allow-read", ...permissions],
    });
  const usage = await run("9100");
  assertEquals(usage.code, 2);
  assertMatch(usage.stderr, /^error: Cannot use --monitor=9100: HOST:PORT/);
  const denied = await run("127.0.0.1:9100");
  assertEquals(denied.code, 1);
  assertEquals(
    denied.stderr,
    "error: Cannot serve the monitor at 127.0.0.1:9100: that needs --allow-net=127.0.0.1:9100\n",
  );
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const busy = await run(`127.0.0.1:${port}`, "--allow-net=127.0.0.1");
  assertEquals(busy.code, 1);
  assertMatch(
    busy.stderr,
    /^error: Cannot serve the monitor at 127.0.0.1:\d+: .*in use.*\n$/,
  );
  assertEquals(await outputOf("ls", socket), "", "the socket is gone");
});
