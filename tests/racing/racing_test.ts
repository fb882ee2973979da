import { assert, assertEquals } from "@std/assert";
import { CryptoDriver } from "../../device/driver/driver.ts";
import { VhostUserTransport } from "../../device/driver/vhost_user_transport.ts";
import { engineNames } from "../faults/engine_names.ts";
import {
  EVENT_INDEX,
  INDIRECT,
  PACKED,
  session,
  VERSION_1,
  work,
} from "../packed/load.ts";
import { eventfdCount, freshPath, until } from "../server/test_server.ts";
import { CliProcess } from "../support/server_process.ts";
import {
  ATTACKED_BYTES,
  AttackedQueue,
  type Field,
  FIELDS,
} from "./attacked_queue.ts";
import { type Race, RaceControl } from "./racer.ts";

const MIB = 1 << 20;
const BATCHES = 12;
const BATCH = 12;
const ANSWER_MS = 5000;
/** How long a batch may take whose chains the racer has changed. */
const LOST_MS = 150;

/** A second processor. */
class Racer implements Disposable {
  readonly control = new Int32Array(
    new SharedArrayBuffer(4 * RaceControl.WORDS),
  );
  readonly #worker = new Worker(new URL("./racer.ts", import.meta.url).href, {
    type: "module",
    name: "racer",
  });

  /** Races while something is done. */
  async during(race: Race, action: () => Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#worker.onmessage = resolve;
    Atomics.store(this.control, RaceControl.GOING, 1);
    const before = this.#flips;
    this.#worker.postMessage(race);
    try {
      await until("the racer to start", () => this.#flips > before);
      await action();
    } finally {
      Atomics.store(this.control, RaceControl.GOING, 0);
      await promise;
    }
  }

  get #flips(): number {
    return Atomics.load(this.control, RaceControl.FLIPS);
  }

  [Symbol.dispose](): void {
    this.#worker.postMessage("end");
  }
}

/** The test of one engine and ring format. */
async function race(engine: string, packed: boolean): Promise<void> {
  const path = freshPath();
  await using server = await CliProcess.serve([
    `--socket-path=${path}`,
    `--engine=${engine}`,
  ]);
  const transport = await VhostUserTransport.connect(path, {
    features: VERSION_1 | INDIRECT | EVENT_INDEX | (packed ? PACKED : 0n),
    // The driver's own memory comes first, and has no room for the attacked.
    memory: [
      { guestAddress: 0x4000_0000, size: 3 * MIB },
      { guestAddress: 0x8000_0000, size: ATTACKED_BYTES },
    ],
  });
  await using driver = await CryptoDriver.attach(transport, { queues: 1 });
  assertEquals(driver.allocator.alloc(ATTACKED_BYTES), 0x8000_0000);
  const { frontend } = transport;
  const queue = await AttackedQueue.make(
    driver,
    frontend.shared.regions[1]!,
    1,
  );
  let { ring } = queue.layOut();
  const fds = await frontend.startRing(1, ring);
  queue.fds = fds;
  const restart = async () => {
    // Stops whatever state it is in.
    await frontend.getVringBase(1);
    ({ ring } = queue.layOut());
    await frontend.startRing(1, ring, fds);
  };
  const other = await session(driver);
  using racer = new Racer();
  const attack = async (field: Field, seed: number) => {
    const indirect = field === "indirect tables";
    const chains = field === "headers" || field === "ivs" || field === "data";
    for (let n = 0; n < BATCHES;) {
      let lost = false;
      await racer.during(
        queue.race(field, racer.control, seed + n, packed),
        async () => {
          for (; n < BATCHES && !lost; n++) {
            const batch = await queue.batch(
              BATCH,
              indirect,
              field,
              chains ? ANSWER_MS : LOST_MS,
            );
            assertEquals(batch.wrong, []);
            assert(!queue.plaintextSeen, "plaintext of a wrong tag");
            // What was flipped in a ring may have broken it: with it alone.
            lost = !batch.answered;
            assert(!lost || !chains, "a request was not answered");
          }
        },
      );
      if (!lost) continue;
      await restart();
    }
    await restart();
    const good = await queue.batch(BATCH, indirect, undefined, ANSWER_MS);
    assertEquals(good, { answered: true, wrong: [] });
    assert(queue.guardsIntact, "a guard was overwritten");
    assertEquals(racer.control[RaceControl.SEEN], 0, "plaintext was seen");
  };
  for (const [i, field] of FIELDS.entries()) {
    let attacked = false;
    // The other queue serves on, and every one of its results is right.
    const serving = (async () => {
      do await work(other, 60, 8); while (!attacked);
    })();
    try {
      await attack(field, 1000 * (i + 1));
    } catch (error) {
      throw new Error(`${field}: ${error}`, { cause: error });
    } finally {
      attacked = true;
      await serving;
    }
  }
  assert(racer.control[RaceControl.FLIPS]! > 1000);
  // A ring that was broken was reported; nothing worse was.
  const told = eventfdCount(fds.err) > 0;
  const isLogged = () => server.stderr.includes("is broken");
  // What the server writes takes its time through the pipe.
  if (told) await until("the log to say so", isLogged);
  assertEquals(isLogged(), told);
  assertEquals(/^error:/m.test(server.stderr), false, server.stderr);
  await frontend.getVringBase(1);
  await driver.close();
  server.kill("SIGTERM");
  assertEquals((await server.ended()).code, 0);
}

for (const engine of engineNames()) {
  for (const format of ["split", "packed"] as const) {
    Deno.test(`${engine}, ${format} ring: a second processor changes everything while the device reads it`, async () => {
      await race(engine, format === "packed");
    });
  }
}
