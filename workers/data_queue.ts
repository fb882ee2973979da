/**
 * The worker of one data queue: it serves rounds while there is work, and
 * sleeps on its doorbell. It is started as a module worker and needs no other
 * permissions than its queue's doorbell does.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

import { importEngines } from "../device/engine/definition.ts";
import type { Engine } from "../device/engine/engine.ts";
import { openEngines } from "../device/engine/engines.ts";
import { adoptLibraryChecks } from "../device/engine/library_checks.ts";
import { DataQueue } from "../device/service/data_queue.ts";
import { RoundResult } from "../device/service/round.ts";
import { type Doorbell, openDoorbell } from "./doorbell.ts";
import {
  type Command,
  type CommandMessage,
  Control,
  type Report,
  type WorkerSetup,
} from "./protocol.ts";

/** Looks at an idle ring between two at the clock and at commands. */
const LOOKS = 32;

/** A worker after its "open" command. */
class QueueServer {
  readonly #queue: DataQueue;
  readonly #doorbell: Doorbell;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #pollMs: number;
  #handled = 0;
  #kick = -1;
  #reported = false;

  private constructor(
    setup: WorkerSetup,
    doorbell: Doorbell,
    engines: readonly Engine[],
  ) {
    this.#control = new Int32Array(setup.control);
    this.#doorbell = doorbell;
    this.#pollMs = setup.pollUs / 1000;
    this.#queue = new DataQueue(
      setup.queue,
      engines,
      () => this.#interrupted(),
      { now: () => doorbell.now() },
    );
  }

  static async open(setup: WorkerSetup): Promise<QueueServer> {
    adoptLibraryChecks(setup.checks ?? {});
    return new QueueServer(
      setup,
      await openDoorbell(setup.doorbell, setup.control),
      openEngines(await importEngines(setup.engines)),
    );
  }

  /** Carries out a command; returns what its acknowledgement says. */
  execute(command: Command): number | undefined {
    switch (command.type) {
      case "open":
        return undefined;
      case "memory":
        this.#queue.setMemory(command.regions);
        return undefined;
      case "start":
        this.#queue.start(command.start);
        this.#reported = false;
        this.#kick = command.fds.kick;
        this.#doorbell.connect(command.fds);
        return undefined;
      case "call":
        this.#doorbell.connect({ kick: this.#kick, call: command.call });
        // What was signalled on the old descriptor may have gone unseen.
        this.#doorbell.signal();
        return undefined;
      case "stop": {
        const state = this.#queue.stop();
        this.#kick = -1;
        this.#doorbell.connect({ kick: -1, call: -1 });
        return state;
      }
      case "close":
        this.#queue.close();
        return undefined;
    }
  }

  /**
   * Serves until a command waits.
   *
   * @param handled the sequence number of the last command carried out
   */
  serve(handled: number): void {
    this.#handled = handled;
    const queue = this.#queue;
    const doorbell = this.#doorbell;
    let idleSince = 0;
    let isFound = false;
    // What was just found goes first.
    while (isFound || !this.#interrupted()) {
      isFound = false;
      doorbell.observe();
      const result = queue.run();
      switch (result) {
        case RoundResult.SIGNAL:
          doorbell.signal();
          idleSince = 0;
          continue;
        case RoundResult.WORKED:
        case RoundResult.ABANDONED:
          idleSince = 0;
          continue;
        case RoundResult.THROTTLED:
          // A command that came before the doorbell was observed is no bell.
          if (!this.#interrupted()) doorbell.rest(queue.rest());
          idleSince = 0;
          continue;
        case RoundResult.BROKEN:
          this.#reportBroken();
          break;
        default:
          if (this.#pollMs > 0) {
            const now = doorbell.now();
            if (idleSince === 0) idleSince = now;
            if (now - idleSince < this.#pollMs) {
              isFound = queue.watch(now, LOOKS);
              continue;
            }
          }
      }
      if (queue.arm() || this.#interrupted()) continue;
      if (doorbell.sleep() && queue.running) queue.counters.kick();
      queue.disarm();
      idleSince = 0;
    }
  }

  /** Whether a command waits. */
  #interrupted(): boolean {
    return Atomics.load(this.#control, Control.SENT) !== this.#handled;
  }

  #reportBroken(): void {
    if (this.#reported) return;
    this.#reported = true;
    const reason = this.#queue.broken?.message ?? "The ring is broken";
    report({ type: "broken", reason });
  }
}

function report(message: Report): void {
  self.postMessage(message);
}

let server: QueueServer | undefined;

async function handle({ sequence, command }: CommandMessage): Promise<void> {
  try {
    if (command.type === "open") server = await QueueServer.open(command.setup);
    const state = server?.execute(command);
    report({ type: "done", sequence, state });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    report({ type: "refused", sequence, reason });
  }
  if (command.type === "close") {
    self.close();
    return;
  }
  try {
    server?.serve(sequence);
  } catch (error) {
    // It ends this thread, and nobody could overwrite its keys any more.
    server?.execute({ type: "close" });
    throw error;
  }
}

// One after the other: opening waits for its imports.
let last: Promise<void> = Promise.resolve();
self.onmessage = (event: MessageEvent<CommandMessage>): void => {
  last = last.then(() => handle(event.data));
};
