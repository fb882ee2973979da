import { assert, assertEquals } from "@std/assert";
import { guestBytes, locate } from "../../device/driver/guest_view.ts";
import { Guest } from "../server/guest.ts";
import type { GuestQueue } from "../server/guest_queue.ts";
import { encryption } from "../server/guest_session.ts";
import { freshPath, until } from "../server/test_server.ts";
import { CliProcess } from "../support/server_process.ts";
import { type Production, UNANSWERED } from "./producer.ts";

/** What a queue is flooded with. */
interface Flood {
  /** Chains in the ring, a power of two. */
  readonly chains: number;
  /** Empty buffers behind each chain's answer, which the device has to walk. */
  readonly empty: number;
}

const DATA_FLOOD: Flood = { chains: 32, empty: 1 };

/**
 * So much that the device cannot get through it while the producer's thread
 * waits for a processor: some 30 million descriptors.
 */
const CONTROL_FLOOD: Flood = { chains: 8192, empty: 4096 };

/** Descriptors of each chain in the ring's own table, rounded up. */
const DESCRIPTORS = 4;

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;

function describe(
  table: DataView,
  index: number,
  ...[address, length, flags, next]: [number, number, number, number]
): void {
  table.setBigUint64(16 * index, BigInt(address), true);
  table.setUint32(16 * index + 8, length, true);
  table.setUint16(16 * index + 12, flags, true);
  table.setUint16(16 * index + 14, next, true);
}

/** A producer on a queue of a guest. */
class Producer implements AsyncDisposable {
  readonly #control = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker = new Worker(
    new URL("./producer.ts", import.meta.url).href,
    { type: "module", name: "producer" },
  );

  /**
   * @param queue a started queue that nobody else uses, whose ring has
   * {@linkcode DESCRIPTORS} for each chain
   * @param flood how much it is flooded with
   * @param request what every chain holds
   * @param writable bytes the device may write, whose first word it does write
   */
  constructor(
    queue: GuestQueue,
    { chains, empty }: Flood,
    request: Uint8Array,
    writable: number,
  ) {
    const { allocator } = queue.guest;
    const { memory } = allocator;
    const { size, guestAddresses } = queue.ring;
    const viewAt = (address: number, length: number) => {
      const bytes = guestBytes(memory, address, length);
      return new DataView(bytes.buffer, bytes.byteOffset, length);
    };
    const readable = allocator.alloc(request.length);
    guestBytes(memory, readable, request.length).set(request);
    const stride = Math.ceil(writable / 4) * 4;
    const answers = allocator.alloc(stride * chains);
    guestBytes(memory, answers, stride * chains).fill(UNANSWERED);
    const tail = allocator.alloc(16 * empty);
    const tailTable = viewAt(tail, 16 * empty);
    for (let i = 0; i < empty; i++) {
      const flags = i < empty - 1 ? WRITE | NEXT : WRITE;
      describe(tailTable, i, readable, 0, flags, i + 1);
    }
    const table = viewAt(guestAddresses.descriptor, 16 * size);
    const heads = viewAt(guestAddresses.available + 4, 2 * size);
    for (let i = 0; i < chains; i++) {
      const head = DESCRIPTORS * i;
      describe(table, head, readable, request.length, NEXT, head + 1);
      const answer = answers + stride * i;
      describe(table, head + 1, answer, writable, WRITE | NEXT, head + 2);
      describe(table, head + 2, tail, 16 * empty, INDIRECT, 0);
    }
    for (let i = 0; i < size; i++) {
      heads.setUint16(2 * i, DESCRIPTORS * (i % chains), true);
    }
    const offsetOf = (address: number) => {
      const { region, offset } = locate(memory, address, 2);
      return memory.regions[region]!.offset + offset;
    };
    Atomics.store(this.#control, 0, 1);
    const production: Production = {
      memory: memory.regions[0]!.buffer,
      availableIndex: offsetOf(guestAddresses.available + 2),
      answers: offsetOf(answers),
      stride,
      chains,
      kick: queue.fds.kick,
      control: this.#control,
    };
    this.#worker.postMessage(production);
  }

  /** Answers of the device. */
  get answered(): number {
    return Atomics.load(this.#control, 1);
  }

  /** Waits until the device has served some more. */
  async progress(): Promise<void> {
    const before = this.answered;
    await until("the device to serve the producer", () => {
      return this.answered > before + 4 * DATA_FLOOD.chains;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#worker.onmessage = resolve;
    Atomics.store(this.#control, 0, 0);
    await promise;
    this.#worker.terminate();
  }
}

/** A control request: destroy a session that is not there. */
function destroyNothing(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(24);
  new DataView(bytes.buffer).setUint32(0, 0x03, true);
  return bytes;
}

Deno.test("a guest that never stops adding to a data queue keeps nothing else from being served", async () => {
  const path = freshPath();
  await using _server = await CliProcess.serve([`--socket-path=${path}`]);
  await using guest = await Guest.connect(path, { mode: "device" });
  const control = await guest.start(2);
  const session = await guest.session(undefined, control);
  const [busy, other] = [
    await guest.start(0, DESCRIPTORS * DATA_FLOOD.chains),
    await guest.start(1),
  ];
  await using producer = new Producer(
    busy,
    DATA_FLOOD,
    encryption(session.id, new Uint8Array(1024)),
    1025,
  );
  await producer.progress();
  // The other data queue, the control queue, and messages.
  await other.run(session, 200);
  const another = await guest.session(new Uint8Array(16).fill(3), control);
  await other.run(another, 50);
  await guest.frontend.getFeatures();
  await producer.progress();
  // The queue itself can be stopped in the midst of it.
  await busy.stop();
  const { answered } = producer;
  await other.run(session, 50);
  assert(
    producer.answered <= answered + DATA_FLOOD.chains,
    "it is served after it was stopped",
  );
});

Deno.test("a guest that never stops adding to its control queue keeps no other guest from being served", async () => {
  const paths = [freshPath(), freshPath()];
  await using _server = await CliProcess.serve(
    paths.map((path) => `--socket-path=${path}`),
  );
  await using hostile = await Guest.connect(paths[0]!, { mode: "device" });
  const flooded = await hostile.start(
    2,
    DESCRIPTORS * CONTROL_FLOOD.chains,
  );
  await using producer = new Producer(
    flooded,
    CONTROL_FLOOD,
    destroyNothing(),
    8,
  );
  await producer.progress();
  // Whoever comes now is served: messages, the control queue, a data queue.
  for (let i = 0; i < 5; i++) {
    await using guest = await Guest.connect(paths[1]!, { mode: "device" });
    const control = await guest.start(2);
    const queue = await guest.start(0);
    for (let n = 0; n < 5; n++) {
      const session = await guest.session(new Uint8Array(16).fill(n), control);
      await queue.run(session, 20);
    }
  }
  await producer.progress();
  // Its own connection is served, too.
  assertEquals(await hostile.frontend.getQueueNum(), 3);
  await flooded.stop();
});
