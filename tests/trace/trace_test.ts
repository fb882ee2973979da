import { assert, assertEquals, assertMatch } from "@std/assert";
import { Observed } from "../monitor/observed.ts";
import { REFUSED, send, SENT, TOTAL } from "../monitor/work.ts";
import { session as openSession, work } from "../packed/load.ts";
import { freshPath } from "../server/test_server.ts";
import { runCli } from "../support/server_process.ts";

const READ = { permissions: ["--allow-read"] };

/** A trace of two queues' work. */
async function traced(): Promise<Observed> {
  const observed = await Observed.start({ monitor: false, trace: true });
  const driver = await observed.driver();
  await send(driver, 0);
  await send(driver, 1);
  await driver.close();
  await observed.stop();
  return observed;
}

Deno.test("serve --trace writes every request of every queue, in order", async () => {
  await using observed = await traced();
  const [head, ...lines] = await observed.lines();
  assertEquals([head.trace, head.version, head.queues], [
    "virtio-crypto",
    1,
    2,
  ]);
  assertEquals(head.devices, [observed.socket]);
  assertEquals(lines.length, 2 * TOTAL);
  for (const queue of [0, 1]) {
    const own = lines.filter((line) => line.queue === queue);
    assertEquals(
      own.map(({ sequence }) => sequence),
      Array.from({ length: TOTAL }, (_, i) => i + 1),
    );
    for (const [algorithm, count] of Object.entries(SENT)) {
      const served = own.filter((line) =>
        line.algorithm === algorithm && line.status === "OK"
      );
      assertEquals(served.length, count, algorithm);
      for (const { engine, ns, fault } of served) {
        assert(engine !== null && ns > 0 && fault === 0);
      }
    }
    for (const [status, count] of Object.entries(REFUSED)) {
      const refused = own.filter((line) => line.status === status);
      assertEquals(refused.length, count, status);
      for (const { engine } of refused) assertEquals(engine, null);
    }
  }
  const [first] = lines;
  // The slot in the low half, a generation that nobody can foretell above.
  assertMatch(String(first.header.session_id), /^0x[0-9a-f]+0{8}$/);
  assertEquals(first.header, {
    opcode: 0,
    algo: first.header.algo,
    session_id: first.header.session_id,
    flag: first.header.flag,
    iv_len: 16,
    src_data_len: 64,
    dst_data_len: 64,
    op_type: 1,
  });
});

Deno.test("A trace that cannot keep up says how many requests it lost", async () => {
  await using observed = await Observed.start({ monitor: false, trace: true });
  const driver = await observed.driver();
  const session = await openSession(driver);
  await work(session, 4000, 64);
  await driver.close();
  await observed.stop();
  const [, ...lines] = await observed.lines();
  let last = 0;
  for (const line of lines) {
    if ("lost" in line) {
      last += line.lost;
      continue;
    }
    assertEquals(line.sequence, last + 1);
    last++;
  }
  assertEquals(last, 4000);
});

Deno.test("cli.ts trace shows requests by filter, and sums them up", async () => {
  await using observed = await traced();
  const show = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli(
      ["trace", ...args, observed.tracePath],
      READ,
    );
    assertEquals([code, stderr], [0, ""]);
    const [table, summary] = stdout.split("\n\n");
    return { stdout, rows: table!.split("\n").slice(1), summary: summary! };
  };
  const standard = await show();
  assertEquals(standard.rows.length, 20);
  assertMatch(standard.summary, new RegExp(`^${2 * TOTAL} requests in `));
  assertMatch(
    standard.summary,
    new RegExp(`OK ${2 * (TOTAL - 6)}, ERR 6, INVSESS 4, NOTSUPP 2`),
  );
  assertMatch(
    standard.stdout,
    /\nCIPHER aes-cbc +80 .*\nHASH sha256 +50 .*\n/,
  );
  const refused = await show("--status=refused", "--all", "--queue=1");
  assertEquals(refused.rows.length, 6);
  assert(refused.rows.every((row) => / 0\.1 /.test(row)));
  const last = await show("--last=3", "--status=INVSESS");
  assertEquals(last.rows.length, 3);
  const hash = await show("--algorithm=sha256", "--last=0");
  assertMatch(hash.stdout, /^50 requests/);
});

Deno.test("decode explains each line of a trace as the device answered it", async () => {
  await using observed = await traced();
  const [, ...lines] = await observed.lines();
  const decode = (line: number) =>
    runCli(["decode", `--trace=${observed.tracePath}`, `--line=${line}`], READ);
  const good = await decode(2);
  assertEquals(good.code, 0);
  assertMatch(good.stdout, / 28 +4 +src_data_len +64 \(0x40\)\n/);
  assertMatch(good.stdout, /The device answered 0 \(VIRTIO_CRYPTO_OK\)/);
  for (
    const [status, says] of [
      ["ERR", /answered 1 \(VIRTIO_CRYPTO_ERR\): The writable part has 33/],
      ["NOTSUPP", /answered 3 .*: opcode is 0x999/],
      ["INVSESS", /answered 4 .*: session_id is not that of a live session/],
    ] as const
  ) {
    const at = lines.findIndex((line) => line.status === status);
    const { code, stdout } = await decode(at + 2);
    assertEquals(code, 3);
    assertMatch(stdout, says);
  }
  // A chain, and a stateless request.
  for (const algorithm of ["aes-cbc+hmac-sha256", "hmac-sha256"]) {
    const at = lines.findIndex((line) => line.algorithm === algorithm);
    const { code, stdout } = await decode(at + 2);
    assertEquals(code, 0, stdout);
    assert(!/Besides|the request ends before it/.test(stdout), stdout);
  }
  const beyond = await decode(lines.length + 2);
  assertEquals(beyond.code, 1);
  assertMatch(beyond.stderr, /Cannot decode line \d+ of .*: there are \d+$/m);
});

Deno.test("A trace that was cut short is shown up to there, and what is none is refused", async () => {
  await using observed = await traced();
  const path = observed.tracePath;
  const shell = async (command: string) => {
    await new Deno.Command("sh", { args: ["-c", command] }).output();
  };
  const size = (await Deno.stat(path)).size;
  await shell(`truncate -s ${size - 20} ${path}`);
  const cut = await runCli(["trace", "--last=0", path], READ);
  assertEquals(cut.code, 0);
  assertMatch(cut.stdout, new RegExp(`^${2 * TOTAL - 1} requests`));
  await shell(`sed -i '3s/.*/{}/' ${path}`);
  const bad = await runCli(["trace", path], READ);
  assertEquals([bad.code, bad.stdout], [1, ""]);
  assertEquals(
    bad.stderr,
    `error: Cannot read ${path} as a trace: its line 3 is not that of a request\n`,
  );
  const none = await runCli(["trace", "/etc/hostname"], READ);
  assertEquals(none.code, 1);
  assertMatch(none.stderr, /Cannot read \/etc\/hostname as a trace/);
});

Deno.test("Wrong options of a trace are one clear line of error", async () => {
  const socket = freshPath();
  const serve = ["serve", `--socket-path=${socket}`];
  for (
    const [args, code, says] of [
      [["trace"], 2, /Cannot show a trace without its FILE/],
      [["trace", "a", "b"], 2, /Cannot show 2 traces at a time/],
      [["trace", "--status=GOOD", "a"], 2, /--status=GOOD: one of OK, ERR/],
      [["trace", "--all", "--last=1", "a"], 2, /--all and --last together/],
      [["trace", "/nonexistent"], 1, /Cannot read \/nonexistent/],
      [["decode", "--line=1"], 2, /--line without --trace/],
      [["decode", "--trace=a"], 2, /--trace without --line/],
      [["decode", "--trace=a", "--line=0"], 2, /--line=0/],
      [["decode", "--trace=a", "--line=1", "b"], 2, /together with a file/],
      [
        ["decode", "--trace=a", "--line=1", "--layout=v15"],
        2,
        /together with --layout/,
      ],
    ] as const
  ) {
    const outcome = await runCli([...args], READ);
    assertEquals(outcome.code, code, args.join(" "));
    assertMatch(outcome.stderr, says);
    assertEquals(outcome.stderr.trim().split("\n").length, 1);
  }
  const denied = await runCli([...serve, "--trace=/tmp/x.jsonl"]);
  assertEquals(denied.code, 1);
  assertEquals(
    denied.stderr,
    "error: Cannot write the trace to /tmp/x.jsonl: that needs --allow-write=/tmp/x.jsonl\n",
  );
  const folder = await runCli([...serve, "--trace=/tmp"], {
    permissions: ["--allow-ffi", "--allow-read", "--allow-write=/tmp"],
  });
  assertEquals(folder.code, 1);
  assertMatch(folder.stderr, /^error: Cannot write the trace to \/tmp: /);
});
