import { assert, assertEquals } from "@std/assert";
import { guestBytes, locate } from "../../device/driver/guest_view.ts";
import { Guest } from "../server/guest.ts";
import type { GuestQueue } from "../server/guest_queue.ts";
import { encryption } from "../server/guest_session.ts";
import { freshPath, until } from "../server/test_server.ts";
import { CliProcess } from "../support/server_process.ts";
import type { Production } from "./producer.ts";

const SIZE = 64;

/** A producer on a queue of a guest. */
class Producer implements AsyncDisposable {
  readonly #control = new Int32Array(new SharedArrayBuffer(8));
  readonly #worker = new Worker(
    new URL("./producer.ts", import.meta.url).href,
    { type: "module", name: "producer" },
  );

  /**
   * @param queue a started queue that nobody else uses
   * @param request what every chain holds
   * @param writable bytes the device may write
   */
  constructor(queue: GuestQueue, request: Uint8Array, writable: number) {
    const { memory } = queue.guest.allocator;
    queue.addRaw(request, writable);
    // Every entry of the ring names descriptor 0, where that chain begins.
    const { available, used } = queue.ring.guestAddresses;
    guestBytes(memory, available + 4, 2 * SIZE).fill(0);
    const offsetOf = (address: number) => {
      const { region, offset } = locate(memory, address, 2);
      return memory.regions[region]!.offset + offset;
    };
    Atomics.store(this.#control, 0, 1);
    const production: Production = {
      memory: memory.regions[0]!.buffer,
      availableIndex: offsetOf(available + 2),
      usedIndex: offsetOf(used + 2),
      size: SIZE,
      kick: queue.fds.kick,
      control: this.#control,
    };
    this.#worker.postMessage(production);
  }

  /** Chains that the device was given. */
  get added(): number {
    return Atomics.load(this.#control, 1);
  }

  /** Waits until the device has served some more. */
  async progress(): Promise<void> {
    const before = this.added;
    await until("the device to serve the producer", () => {
      return this.added > before + 4 * SIZE;
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
  const [busy, other] = [await guest.start(0, SIZE), await guest.start(1)];
  await using producer = new Producer(
    busy,
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
  const { added } = producer;
  await other.run(session, 50);
  assert(producer.added <= added + SIZE, "it is served after it was stopped");
});

Deno.test("a guest that never stops adding to its control queue keeps no other guest from being served", async () => {
  const paths = [freshPath(), freshPath()];
  await using _server = await CliProcess.serve(
    paths.map((path) => `--socket-path=${path}`),
  );
  await using hostile = await Guest.connect(paths[0]!, { mode: "device" });
  const flooded = await hostile.start(2, SIZE);
  await using producer = new Producer(flooded, destroyNothing(), 8);
  await producer.progress();
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
