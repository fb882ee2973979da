import { assert, assertEquals, assertRejects } from "@std/assert";
import { decode } from "../../device/commands/decode.ts";
import { type Reading, readingsFor } from "../../device/explain/reading.ts";
import { UsageError } from "../../device/commands/usage.ts";
import {
  goodCreation,
  goodData,
  goodDestruction,
  sessionOf,
} from "./requests.ts";

const CLI = new URL("../../device/cli.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

const [LEGACY, V15, , STATELESS] = readingsFor(15, undefined, undefined) as [
  Reading,
  Reading,
  Reading,
  Reading,
];

/** Runs the command on bytes; returns exit status and text. */
async function run(
  bytes: Uint8Array,
  ...args: readonly string[]
): Promise<{ status: number; text: string }> {
  const lines: string[] = [];
  const status = await decode(args, {
    readFile: () => Promise.resolve(bytes),
    readInput: () => Promise.resolve(bytes),
    print: (line) => lines.push(line),
  });
  return { status, text: lines.join("\n") };
}

function patched(
  bytes: Uint8Array<ArrayBuffer>,
  at: number,
  value: number,
): Uint8Array<ArrayBuffer> {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

function line(text: string, part: string): string {
  return text.split("\n").find((l) => l.includes(part)) ?? "";
}

Deno.test("decode asks a device that offers some services only", async () => {
  const bytes = goodCreation(sessionOf("aes-cbc"), false);
  const creation = await run(bytes, "--layout=v15", "--services=hash,aead");
  assertEquals(creation.status, 3);
  assert(creation.text.includes("NOTSUPP"), creation.text);
  assertEquals((await run(bytes, "--services=cipher")).status, 0);
  await assertRejects(
    () => run(bytes, "--services=cipher;hash"),
    UsageError,
    "--services=cipher;hash",
  );
});

Deno.test("decode names the fields of a creation with their constants", async () => {
  const bytes = goodCreation(sessionOf("aes-cbc"), false);
  const { status, text } = await run(bytes, "--layout=v15");
  assertEquals(status, 0);
  assert(
    /^ {7}0 {8}4 {2}opcode +2 \(0x2\) VIRTIO_CRYPTO_CIPHER_CREATE_SESSION$/m
      .test(text),
    text,
  );
  for (
    const part of [
      "3 (0x3) VIRTIO_CRYPTO_CIPHER_AES_CBC",
      "16 (0x10)",
      "1 (0x1) VIRTIO_CRYPTO_OP_ENCRYPT",
      "1 (0x1) VIRTIO_CRYPTO_SYM_OP_CIPHER",
      "      72       16  cipher_key",
      "The device would answer 0 (VIRTIO_CRYPTO_OK)",
    ]
  ) assert(text.includes(part), part);
});

Deno.test("decode names hash_mode, order and a chain's MAC", async () => {
  const bytes = goodCreation(sessionOf("aes-cbc+hmac-sha256"), false);
  const { text } = await run(bytes, "--layout=v15");
  for (
    const part of [
      "VIRTIO_CRYPTO_SYM_ALG_CHAIN_ORDER_CIPHER_THEN_HASH",
      "VIRTIO_CRYPTO_SYM_HASH_MODE_AUTH",
      "VIRTIO_CRYPTO_MAC_HMAC_SHA_256",
      "VIRTIO_CRYPTO_SYM_OP_ALGORITHM_CHAINING",
    ]
  ) assert(text.includes(part), part);
});

Deno.test("decode shows where iv and source lie and how they start", async () => {
  const session = sessionOf("aes-cbc");
  const { bytes } = goodData(session, { reading: LEGACY, sessionMode: true });
  const { status, text } = await run(bytes, "--layout=legacy");
  assertEquals(status, 0);
  assertEquals(
    line(text, "  iv  "),
    `      72       16  iv  ${Array(16).fill("01").join(" ")}`,
  );
  assertEquals(
    line(text, "  src_data  "),
    `      88       48  src_data  ${Array(16).fill("02").join(" ")} …`,
  );
  assert(line(text, "VIRTIO_CRYPTO_OK").includes("if its session is live"));
});

Deno.test("decode never shows a byte of a key, whatever the reading", async () => {
  // The keys' bytes are 0x40, 0x41 and on; four in a row would be a word.
  const shown = /4[0-9a-f] 4[0-9a-f] 4[0-9a-f]|0x4[0-9a-f]4[0-9a-f]4/;
  const names = ["aes-xts", "aes-cbc+hmac-sha256", "cmac-aes", "aes-gcm"];
  for (const name of names) {
    const session = sessionOf(name);
    const requests = [
      goodCreation(session, false),
      goodCreation(session, true),
      goodData(session, { reading: V15, sessionMode: false }).bytes,
      goodData(session, { reading: STATELESS, sessionMode: false }).bytes,
    ];
    for (const bytes of requests) {
      for (const given of [bytes, bytes.slice(0, -1), bytes.slice(0, 60)]) {
        for (
          const args of [
            [],
            ["--layout=legacy"],
            ["--layout=v15"],
            ["--layout=v15", "--session-mode=none"],
            ["--layout=1.4", "--stateless-mode=all"],
            ["--layout=1.4", "--stateless-mode=none"],
            ["--queue=data"],
            ["--queue=control"],
          ]
        ) {
          const { text } = await run(given, ...args);
          assert(!shown.test(text), `${name} ${args}\n${text}`);
        }
      }
    }
  }
});

Deno.test("decode without a layout shows the one that fits exactly", async () => {
  for (
    const [reading, sessionMode, expected] of [
      [LEGACY, true, "read as legacy"],
      [V15, true, "read as v15"],
      [V15, false, "read as v15"],
      [STATELESS, false, "read as 1.4"],
    ] as const
  ) {
    const { bytes } = goodData(sessionOf("aes-cbc"), { reading, sessionMode });
    const { status, text } = await run(bytes);
    assertEquals(status, 0);
    assert(line(text, "Data request").includes(expected), text);
    assertEquals(text.match(/^ {4}fits exactly/gm)?.length, 1, text);
  }
});

Deno.test("decode says why a request is refused, and exits with 3", async () => {
  const { bytes } = goodData(sessionOf("aes-cbc"), {
    reading: V15,
    sessionMode: false,
  });
  const v15 = "--layout=v15";
  const creation = goodCreation(sessionOf("aes-cbc"), false);
  const padded = goodCreation(sessionOf("sha256"), true);
  for (
    const [given, args, words] of [
      [
        bytes.slice(0, 20),
        [v15],
        "(VIRTIO_CRYPTO_ERR): The header is incomplete: 20 bytes of 24",
      ],
      [
        bytes.slice(0, 60),
        [v15],
        "(VIRTIO_CRYPTO_ERR): The fixed part is incomplete: 60 bytes of 104",
      ],
      [
        patched(bytes, 0, 0x500),
        [v15],
        "(VIRTIO_CRYPTO_NOTSUPP): opcode is 0x500: no request of a data queue has this number",
      ],
      [
        patched(bytes, 0, 2),
        [v15, "--queue=data"],
        "VIRTIO_CRYPTO_CIPHER_CREATE_SESSION belongs on the control queue",
      ],
      [patched(bytes, 0, 1), [v15], "the direction is another"],
      [
        patched(bytes, 16, 9),
        [v15],
        "flag is 9: SESSION_MODE (1) or NONE_SESSION_MODE (2) is needed",
      ],
      [
        patched(bytes, 16, 1),
        [v15, "--session-mode=mac,aead"],
        "SESSION_MODE of the CIPHER service was not negotiated",
      ],
      [
        patched(bytes, 24, 15),
        [v15],
        "(VIRTIO_CRYPTO_NOTSUPP): sess_para.algo is 15: no cipher algorithm has this number",
      ],
      [
        patched(bytes, 24, 0),
        [v15],
        "sess_para.algo is 0 (VIRTIO_CRYPTO_NO_CIPHER), which this device does not offer",
      ],
      [
        patched(bytes, 28, 17),
        [v15],
        "sess_para.keylen is 17: a key of aes-cbc has 16, 24 or 32 bytes",
      ],
      [
        patched(bytes, 36, 12),
        [v15],
        "iv_len is 12: the iv of aes-cbc has 16 bytes",
      ],
      [
        patched(bytes, 40, 47),
        [v15],
        "The readable part has 184 bytes, and its lengths name exactly 183",
      ],
      [
        patched(bytes, 44, 32),
        [v15],
        "dst_data_len is 32: the result has 48 bytes",
      ],
      [
        patched(bytes, 96, 0),
        [v15],
        "op_type is 0 (VIRTIO_CRYPTO_SYM_OP_NONE)",
      ],
      [bytes, [v15, "--writable=48"], "The writable part has 48 bytes"],
      [bytes, [v15, "--max-size=64"], "more than max_size 64"],
      [
        patched(creation, 12, 2),
        [v15],
        "queue_id is 2: the device has 2 data queues",
      ],
      [
        creation.slice(0, -1),
        [v15],
        "The readable part has 87 bytes, and its key lengths name others: 88 bytes are needed",
      ],
      [
        padded,
        ["--layout=1.4", "--stateless-mode=none"],
        "with REVISION_1 only the unpadded one is taken, of 24 bytes",
      ],
      [
        creation,
        [v15, "--writable=15"],
        "The device would write no status, and return a used length of 0",
      ],
      [
        patched(creation, 64, 7),
        [v15],
        "(VIRTIO_CRYPTO_NOTSUPP): op_type is 7",
      ],
    ] as const
  ) {
    const { status, text } = await run(given, ...args);
    assertEquals(status, 3, words);
    assert(line(text, "The device would").includes(words), `${words}\n${text}`);
  }
});

Deno.test("decode judges a request in session mode by the session it is told", async () => {
  const { bytes } = goodData(sessionOf("aes-cbc"), {
    reading: V15,
    sessionMode: true,
  });
  for (
    const [session, words] of [
      ["aes-cbc", "VIRTIO_CRYPTO_OK"],
      ["aes-cbc,decrypt", "the direction is another"],
      ["sha256", "(VIRTIO_CRYPTO_INVSESS): The session is of the HASH service"],
      ["aes-cbc+sha1", "and that of the session is 2"],
      ["3des-cbc", "iv_len is 16: the iv of 3des-cbc has 8 bytes"],
    ] as const
  ) {
    const { status, text } = await run(
      bytes,
      "--layout=v15",
      `--session=${session}`,
    );
    assertEquals(status, session === "aes-cbc" ? 0 : 3, session);
    assert(line(text, "The device would").includes(words), text);
  }
});

Deno.test("decode verifies a tag whose key the request brings along, and no other", async () => {
  const session = sessionOf("aes-gcm,decrypt");
  const own = goodData(session, { reading: V15, sessionMode: false });
  const told = await run(own.bytes, "--layout=v15");
  assertEquals(told.status, 3);
  assert(
    told.text.includes(
      "(VIRTIO_CRYPTO_BADMSG): The tag of the source is wrong",
    ),
  );
  const other = goodData(session, { reading: V15, sessionMode: true });
  const unknown = await run(
    other.bytes,
    "--layout=v15",
    "--session=aes-gcm,decrypt",
  );
  assertEquals(unknown.status, 0);
  assert(unknown.text.includes("if the tag is right for the session's key"));
});

Deno.test("decode says what a destruction depends on", async () => {
  const { status, text } = await run(goodDestruction(2, false), "--layout=v15");
  assertEquals(status, 0);
  assert(text.includes("if its session is live and of the MAC service"), text);
});

Deno.test("decode says what is ignored", async () => {
  const { bytes } = goodData(sessionOf("aes-cbc"), {
    reading: LEGACY,
    sessionMode: true,
  });
  const longer = new Uint8Array(bytes.length + 5);
  longer.set(patched(bytes, 4, 3));
  const { status, text } = await run(longer, "--layout=legacy");
  assertEquals(status, 0);
  assert(text.includes("Note: algo of the header is ignored"), text);
  assert(
    text.includes("Note: 5 bytes behind what the lengths name are ignored"),
  );
  assert(!line(text, "  iv").includes("01"), "Not shown where it is not sure");
});

Deno.test("decode refuses a command line that is wrong", async () => {
  for (
    const [args, message] of [
      [
        ["--layout=2"],
        "Cannot use --layout=2: one of legacy, v15, 1.4 is needed",
      ],
      [["--queue=admin"], "Cannot use --queue=admin"],
      [["--color"], 'Cannot understand "--color"'],
      [["a", "b"], "Cannot decode 2 files at a time"],
      [["--writable=x"], "Cannot use --writable=x"],
      [["--layout"], "Cannot use --layout without a value"],
      [["--layout=v15", "--layout=1.4"], "Cannot use --layout more than once"],
      [["--session=rot13"], 'Cannot use algorithm "rot13" in --session'],
      [["--session=aes-cbc,up"], 'Cannot use "up" in --session'],
      [
        ["--session=aes-cbc+aes-ctr"],
        "a chain is of a cipher and a hash or MAC",
      ],
      [
        ["--session=aes-gcm,tag=5"],
        "Cannot use --session: the device refuses such a one",
      ],
      [
        ["--session-mode=all"],
        "Cannot use --session-mode without --layout=v15",
      ],
      [["--layout=v15", "--session-mode=rng"], "Cannot use --session-mode=rng"],
    ] as const
  ) {
    await assertRejects(
      () => run(Uint8Array.of(0), ...args),
      UsageError,
      message,
      args.join(" "),
    );
  }
});

Deno.test("decode --help tells the options and reads nothing", async () => {
  const lines: string[] = [];
  const nothing = () => Promise.reject(new Error("It was read"));
  const status = await decode(["--help"], {
    readFile: nothing,
    readInput: nothing,
    print: (text) => lines.push(text),
  });
  assertEquals(status, 0);
  assert(lines.join("\n").includes("--session-mode=LIST"));
});

/** Runs the program; returns exit status and what it wrote. */
async function program(
  flags: readonly string[],
  args: readonly string[],
  input: string,
): Promise<{ code: number; output: string; errors: string }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--config", CONFIG, ...flags, CLI, "decode", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  return { code, output: text.decode(stdout), errors: text.decode(stderr) };
}

Deno.test("cli.ts decode reads standard input with no permission at all", async () => {
  const bytes = goodCreation(sessionOf("aes-cbc"), false);
  const { code, output } = await program([], ["--layout=v15"], bytes.toHex());
  assertEquals(code, 0);
  assert(output.includes("VIRTIO_CRYPTO_CIPHER_CREATE_SESSION"));
});

Deno.test("cli.ts decode exits with 1 and one line where a file cannot be read", async () => {
  const { code, errors } = await program(
    ["--allow-read"],
    ["/no/such/file"],
    "",
  );
  assertEquals(code, 1);
  assertEquals(
    errors.trim().startsWith("error: Cannot read /no/such/file: "),
    true,
    errors,
  );
  assertEquals(errors.trim().split("\n").length, 1);
});

Deno.test("cli.ts decode exits with 2 where the command line is wrong", async () => {
  const { code, errors } = await program([], ["--queue=x"], "");
  assertEquals(code, 2);
  assert(errors.startsWith("error: Cannot use --queue=x"));
});
