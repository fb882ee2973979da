import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  FramingError,
  judgeReply,
  MessageParser,
} from "../../device/vhost_user/message.ts";
import * as p from "../../device/vhost_user/protocol.ts";
import { requestRule } from "../../device/vhost_user/requests.ts";
import { joined, payloadOf, requestOf } from "./bytes.ts";

const LAST_REQUEST = p.VHOST_USER_GET_VRING_BASE_SKIP_DRAIN;

/** A payload of a size that agrees with itself where the request says sizes. */
function consistent(request: number, size: number): Uint8Array {
  switch (request) {
    case p.VHOST_USER_SET_MEM_TABLE:
      return payloadOf(size, { 0: (size - 8) / 32 });
    case p.VHOST_USER_GET_CONFIG:
    case p.VHOST_USER_SET_CONFIG:
      return payloadOf(size, { 4: size - 12 });
    default:
      return payloadOf(size);
  }
}

function allowedSizes(request: number): number[] {
  const { sizes } = requestRule(request)!;
  if (!("least" in sizes)) return [...sizes];
  const { least, most, step } = sizes;
  return Array.from(
    { length: (most - least) / step + 1 },
    (_, i) => least + i * step,
  );
}

function framingError(bytes: Uint8Array, fds: number[] = []): void {
  const parser = new MessageParser();
  const { messages, error } = parser.feed(bytes, fds);
  assertEquals(messages, []);
  assertInstanceOf(error, FramingError);
  assertEquals(parser.abandon(), fds, "the descriptors are given back");
}

Deno.test("the parser takes a message whole", () => {
  const payload = payloadOf(8, { 0: 1, 4: 256 });
  const { messages, error } = new MessageParser().feed(
    requestOf(p.VHOST_USER_SET_VRING_NUM, payload, 9),
  );
  assertEquals(error, undefined);
  assertEquals(messages, [{
    request: p.VHOST_USER_SET_VRING_NUM,
    flags: 9,
    needReply: true,
    payload,
    fds: [],
  }]);
});

Deno.test("the parser takes a message in two parts, cut anywhere", () => {
  const bytes = requestOf(
    p.VHOST_USER_SET_VRING_KICK,
    payloadOf(8, { 0: 3, 4: 0 }),
  );
  for (let cut = 1; cut < bytes.length; cut++) {
    const parser = new MessageParser();
    assertEquals(parser.midMessage, false);
    assertEquals(parser.feed(bytes.subarray(0, cut), [7]).messages, []);
    assertEquals(parser.midMessage, true);
    const { messages } = parser.feed(bytes.subarray(cut));
    assertEquals(messages.map(({ fds }) => fds), [[7]]);
    assertEquals(messages[0]?.payload, bytes.slice(12));
    assertEquals(parser.midMessage, false);
  }
});

Deno.test("the parser takes a message byte by byte", () => {
  const parser = new MessageParser();
  const bytes = requestOf(p.VHOST_USER_SET_VRING_ADDR, payloadOf(40, { 0: 1 }));
  const results = [...bytes].map((byte) => parser.feed(Uint8Array.of(byte)));
  assertEquals(results.filter(({ messages }) => messages.length > 0).length, 1);
  assertEquals(results.at(-1)?.messages[0]?.payload, bytes.slice(12));
});

Deno.test("the parser takes several messages at once", () => {
  const { messages, error } = new MessageParser().feed(joined(
    requestOf(p.VHOST_USER_GET_FEATURES),
    requestOf(p.VHOST_USER_SET_FEATURES, payloadOf(8, { 4: 1 })),
    requestOf(p.VHOST_USER_SET_OWNER),
  ));
  assertEquals(error, undefined);
  assertEquals(messages.map(({ request }) => request), [1, 2, 3]);
});

Deno.test("messages before a bad one are delivered with its error", () => {
  const parser = new MessageParser();
  const { messages, error } = parser.feed(joined(
    requestOf(p.VHOST_USER_GET_FEATURES),
    requestOf(p.VHOST_USER_GET_FEATURES, payloadOf(4)),
    requestOf(p.VHOST_USER_SET_OWNER),
  ));
  assertEquals(messages.length, 1);
  assertInstanceOf(error, FramingError);
  const after = parser.feed(requestOf(p.VHOST_USER_SET_OWNER));
  assertEquals(after, { messages: [], error });
});

Deno.test("the parser never asks for bytes of the next message", () => {
  const bytes = joined(
    requestOf(p.VHOST_USER_SET_VRING_NUM, payloadOf(8)),
    requestOf(p.VHOST_USER_SET_OWNER),
  );
  const parser = new MessageParser();
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const { space } = parser;
    lengths.push(space.length);
    space.set(bytes.subarray(at, at + space.length));
    at += space.length;
    parser.received(space.length);
  }
  assertEquals(lengths, [12, 8, 12]);
});

Deno.test("descriptors belong to the message whose first byte they came with", () => {
  const parser = new MessageParser();
  const kick = requestOf(p.VHOST_USER_SET_VRING_KICK, payloadOf(8));
  const [first] = parser.feed(kick, [5]).messages;
  const [second] = parser.feed(kick, [6]).messages;
  assertEquals([first?.fds, second?.fds], [[5], [6]]);
  assertEquals(parser.abandon(), []);
});

Deno.test("descriptors inside a message are a framing error", () => {
  const parser = new MessageParser();
  const kick = requestOf(p.VHOST_USER_SET_VRING_KICK, payloadOf(8));
  parser.feed(kick.subarray(0, 12));
  const { error } = parser.feed(kick.subarray(12), [5]);
  assertInstanceOf(error, FramingError);
  assertEquals(parser.abandon(), [5]);
});

Deno.test("every payload size but the right ones is a framing error", () => {
  for (let request = 1; request <= LAST_REQUEST; request++) {
    const allowed = allowedSizes(request);
    for (let size = 0; size <= 1100; size++) {
      const parser = new MessageParser();
      // The header alone decides; the payload is not waited for.
      const header = requestOf(request).slice();
      new DataView(header.buffer).setUint32(8, size, true);
      const { error } = parser.feed(header);
      assertEquals(
        error === undefined,
        allowed.includes(size),
        `request ${request} of ${size} bytes`,
      );
    }
    for (const size of allowed) {
      const { messages } = new MessageParser().feed(
        requestOf(request, consistent(request, size)),
      );
      assertEquals(messages.length, 1, `request ${request} of ${size} bytes`);
    }
  }
});

Deno.test("a size of 4 GiB is a framing error and allocates nothing", () => {
  for (let request = 1; request <= LAST_REQUEST; request++) {
    const header = requestOf(request).slice();
    new DataView(header.buffer).setUint32(8, 0xffff_ffff, true);
    framingError(header);
  }
});

Deno.test("a wrong version is a framing error", () => {
  for (const version of [0, 2, 3]) {
    framingError(requestOf(p.VHOST_USER_GET_FEATURES, undefined, version));
  }
});

Deno.test("a reply flag or unknown flags on a request are framing errors", () => {
  const wrong = [4, ...Array.from({ length: 28 }, (_, i) => 2 ** (i + 4))];
  for (const flag of wrong) {
    framingError(
      requestOf(p.VHOST_USER_GET_FEATURES, undefined, (flag | 1) >>> 0),
    );
  }
});

Deno.test("unknown requests are framing errors", () => {
  const unknown = [0, LAST_REQUEST + 1, 100, 0x101, 0x1_0001, 0xffff_ffff];
  for (const request of unknown) framingError(requestOf(request));
});

Deno.test("every request of the document is known, and refused ones are marked", () => {
  const refused: number[] = [];
  for (let request = 1; request <= LAST_REQUEST; request++) {
    const rule = requestRule(request);
    assert(rule !== undefined, `request ${request}`);
    if (!rule?.served) refused.push(request);
  }
  assertEquals(
    refused,
    [6, 7, 19, 20, 21, 22, 23, 28, 29, 30, 31, 32, 33, 35, 41, 42, 43, 44, 45],
  );
});

Deno.test("one descriptor more than a request can have is a framing error", () => {
  for (let request = 1; request <= LAST_REQUEST; request++) {
    const { maxFds } = requestRule(request)!;
    const [size = 0] = allowedSizes(request);
    const bytes = requestOf(request, consistent(request, size));
    const most = Array.from({ length: maxFds }, (_, i) => 100 + i);
    const { messages } = new MessageParser().feed(bytes, most);
    assertEquals(messages[0]?.fds, most, `request ${request}`);
    framingError(bytes, [...most, 99]);
  }
});

Deno.test("a memory table whose count disagrees with its size is a framing error", () => {
  const counts = [0, 2, 8, 9, 0x0800_0001, 0xffff_ffff];
  for (const count of counts) {
    framingError(
      requestOf(p.VHOST_USER_SET_MEM_TABLE, payloadOf(40, { 0: count })),
    );
  }
});

Deno.test("a configuration access whose size disagrees with its bytes is a framing error", () => {
  for (const request of [p.VHOST_USER_GET_CONFIG, p.VHOST_USER_SET_CONFIG]) {
    for (const size of [0, 3, 5, 0xffff_ffff]) {
      framingError(requestOf(request, payloadOf(16, { 4: size })));
    }
  }
});

Deno.test("an abandoned message gives its descriptors back and wipes its payload", () => {
  const parser = new MessageParser();
  const message = requestOf(
    p.VHOST_USER_CREATE_CRYPTO_SESSION,
    new Uint8Array(632).fill(0xaa),
  );
  parser.feed(message.subarray(0, 12));
  const payload = parser.space;
  parser.feed(message.subarray(12, 600));
  assert(payload.includes(0xaa));
  parser.abandon();
  assert(!payload.includes(0xaa));
  assertEquals(parser.midMessage, false);
});

Deno.test("a frontend's parser takes replies and nothing else", () => {
  const reply = requestOf(p.VHOST_USER_GET_FEATURES, payloadOf(8), 5);
  assertEquals(new MessageParser(judgeReply).feed(reply).messages.length, 1);
  const request = requestOf(p.VHOST_USER_GET_FEATURES, payloadOf(8), 1);
  assertInstanceOf(
    new MessageParser(judgeReply).feed(request).error,
    FramingError,
  );
  const huge = requestOf(p.VHOST_USER_GET_FEATURES, payloadOf(4097), 5);
  assertInstanceOf(
    new MessageParser(judgeReply).feed(huge).error,
    FramingError,
  );
  const old = requestOf(p.VHOST_USER_GET_FEATURES, payloadOf(8), 6);
  assertInstanceOf(new MessageParser(judgeReply).feed(old).error, FramingError);
});

Deno.test("random bytes never make the parser throw", () => {
  const bytes = new Uint8Array(64);
  for (let round = 0; round < 20_000; round++) {
    crypto.getRandomValues(bytes);
    // Half of them with a header that is nearly right.
    if (round % 2 === 0) {
      bytes.fill(0, 1, 12);
      bytes[0]! %= 48;
      bytes[4] = 1;
      bytes[8] = crypto.getRandomValues(new Uint8Array(1))[0]! % 48;
    }
    new MessageParser().feed(bytes, [1]);
  }
});
