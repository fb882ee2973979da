import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { ROOT, runCli } from "../support/server_process.ts";

/** Arguments behind `serve`, and what the one line of error says. */
const WRONG: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [[], /--socket-path or --fd/],
  [["--socket-path="], /--socket-path without a value/],
  [["--socket-path"], /--socket-path without a value/],
  [["--socket-path=/tmp/a", "--socket-path="], /without a value/],
  [["--socket-path=/tmp/a", "--socket-path=/tmp/a"], /twice/],
  [["--socket-path=/tmp/a", "--fd=3"], /--fd and --socket-path together/],
  [[`--socket-path=/tmp/${"x".repeat(120)}`], /107/],
  [["--socket-path=/nonexistent/a.sock"], /\/nonexistent\/a\.sock/],
  [["--socket-path=/tmp"], /not a socket/],
  [["--fd=999"], /file descriptor 999/],
  [["--fd=0"], /not a UNIX stream socket/],
  [["--fd=-1"], /--fd=-1/],
  [["--fd=one"], /--fd=one/],
  [["--fd=3.5"], /--fd=3\.5/],
  [["--fd="], /--fd without a value/],
  [["--fd=3", "--fd=4"], /--fd more than once/],
  [["--queues=0"], /--queues=0.*1 to 255/],
  [["--queues=256"], /--queues=256.*1 to 255/],
  [["--queues=2x"], /--queues=2x/],
  [["--queues=0x10"], /--queues=0x10/],
  [["--queues=1e1"], /--queues=1e1/],
  [["--queues"], /--queues without a value/],
  [["--queues=1", "--queues=2"], /--queues more than once/],
  [["--engine=turbo"], /--engine=turbo.*noble/],
  [["--engine="], /--engine without a value/],
  [["--engine-module="], /--engine-module without a value/],
  [["--socket-path=/tmp/a", "--engine-module=./none.ts"], /\/none\.ts/],
  [["--socket-path=/tmp/a", "--engine-module=/nonexistent.ts"], /nonexistent/],
  [
    ["--socket-path=/tmp/a", "--engine-module=data:text/javascript,1"],
    /no such export/,
  ],
  [["--spec=v14"], /--spec=v14.*v15/],
  [["--services="], /--services without a value/],
  [["--services=cipher,rsa"], /--services=cipher,rsa.*cipher,hash,mac,aead/],
  [["--services=cipher,"], /--services=cipher,/],
  [["--services=CIPHER"], /--services=CIPHER/],
  [["--services=hash", "--services=mac"], /--services more than once/],
  [["--poll-us=-5"], /--poll-us=-5/],
  [["--poll-us=1000001"], /--poll-us=1000001/],
  [["--limit-ops=0"], /--limit-ops=0.* 1 to 1099511627776/],
  [["--limit-ops=1.5"], /--limit-ops=1\.5/],
  [["--limit-bytes=1G"], /--limit-bytes=1G/],
  [["--limit-bytes=1", "--limit-bytes=2"], /--limit-bytes more than once/],
  [["--max-sessions=0"], /--max-sessions=0/],
  [["--max-sessions=1048577"], /--max-sessions=1048577/],
  [["--max-contexts=255"], /--max-contexts=255.* 256 to 1048576/],
  [["--max-contexts=1048577"], /--max-contexts=1048577/],
  [["--max-size=0"], /--max-size=0/],
  [["--max-size=1073741825"], /--max-size=1073741825/],
  [["--log=loud"], /--log=loud.*debug/],
  [["--verbose"], /"--verbose"/],
  [["somewhere"], /"somewhere"/],
  [["-x"], /"-x"/],
];

/** So many processes at a time. */
const ABREAST = 4;

Deno.test("a wrong option is one clear line of error, and no success", async (t) => {
  const waiting = [...WRONG];
  const results: { name: string; check: () => void }[] = [];
  await Promise.all(Array.from({ length: ABREAST }, async () => {
    for (let next; (next = waiting.shift()) !== undefined;) {
      const [args, says] = next;
      const { code, signal, stdout, stderr } = await runCli(["serve", ...args]);
      const name = args.join(" ").slice(0, 50) || "nothing";
      const check = () => {
        assertEquals(signal, null, "it ended by itself");
        assert(code === 1 || code === 2, `exit status ${code}`);
        assertEquals(stdout, "");
        assertMatch(stderr, /^error: Cannot [^\n]*[^.\n]\n$/);
        assertMatch(stderr, says);
      };
      results.push({ name, check });
    }
  }));
  for (const { name, check } of results) await t.step(name, check);
});

Deno.test("a wrong command is one clear line of error", async () => {
  for (const args of [[], ["fly"], ["--fly"], ["Serve"]]) {
    const { code, stdout, stderr } = await runCli(args);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(stderr, /^error: Cannot run [^\n]*serve[^\n]*\n$/);
  }
});

Deno.test("--print-capabilities prints JSON of a crypto backend, and nothing else, whatever else is given", async () => {
  for (
    const others of [
      [],
      ["--socket-path=/nonexistent/a.sock", "--fd=0", "--queues=many"],
      ["--no-such-option", "file", "--help"],
    ]
  ) {
    for (
      const args of [
        ["--print-capabilities", ...others],
        [...others, "--print-capabilities"],
      ]
    ) {
      const { code, stdout, stderr } = await runCli(["serve", ...args], {
        permissions: [],
      });
      assertEquals([code, stderr], [0, ""]);
      assertEquals(JSON.parse(stdout), { type: "crypto", features: [] });
    }
  }
});

Deno.test("a missing --allow-ffi is said in one clear line", async () => {
  const { code, stderr } = await runCli(
    ["serve", `--socket-path=/tmp/no-ffi-${Deno.pid}.sock`],
    { permissions: ["--allow-read"] },
  );
  assertEquals(code, 1);
  assertMatch(stderr, /^error: Cannot [^\n]*--allow-ffi[^\n]*\n$/);
});

Deno.test("a missing --allow-read is said in one clear line, whichever folder it is", async () => {
  for (
    const [permissions, says] of [
      [[], "/workers/"],
      [[`--allow-read=${ROOT}workers`], "/device/"],
      [[`--allow-read=${ROOT}device`], "/workers/"],
    ] as const
  ) {
    const { code, stdout, stderr } = await runCli(
      ["serve", `--socket-path=/tmp/no-read-${Deno.pid}.sock`],
      { permissions: ["--allow-ffi", ...permissions] },
    );
    assertEquals([code, stdout], [1, ""]);
    assertMatch(stderr, /^error: Cannot [^\n]*--allow-read[^\n]*\n$/);
    assertStringIncludes(stderr, says);
  }
});
