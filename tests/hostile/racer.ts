/**
 * A guest's second processor: a thread that writes to guest memory while the
 * device works on it.
 *
 * @module
 */

/** Words of {@linkcode RacerTask.control}. */
export const RacerControl = {
  /** 1: stop. */
  STOP: 0,
  /** Counts writes. */
  WRITES: 1,
  /** Number of words. */
  WORDS: 2,
} as const;

/** What a racer does, until it is stopped. */
export type RacerTask =
  & {
    /** The memory, and where the region starts in it. */
    readonly memory: SharedArrayBuffer;
    readonly offset: number;
    readonly control: SharedArrayBuffer;
  }
  & (
    /** Writes one value after another into le32 fields, and the right one. */
    | {
      readonly does: "flip";
      /** Offsets of the fields in the region. */
      readonly fields: readonly number[];
      readonly values: readonly number[];
    }
    /** Keeps a split ring full of one head. */
    | {
      readonly does: "fill split";
      /** Offsets of the ring's parts in the region. */
      readonly available: number;
      readonly used: number;
      readonly size: number;
      readonly head: number;
    }
    /** Makes each descriptor of a packed ring available again once it is used. */
    | {
      readonly does: "fill packed";
      readonly ring: number;
      readonly size: number;
      /** What a descriptor says, without its flags of availability. */
      readonly address: number;
      readonly length: number;
      readonly flags: number;
    }
  );

/** A racer, stopped at the end of its block. */
export class Racer implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #ended = Promise.withResolvers<void>();

  /** @param task what it does; without its control block */
  constructor(task: DistributiveOmit<RacerTask, "control">) {
    const control = new SharedArrayBuffer(4 * RacerControl.WORDS);
    this.#control = new Int32Array(control);
    this.#worker = new Worker(
      new URL("./racer_worker.ts", import.meta.url).href,
      { type: "module" },
    );
    this.#worker.onmessage = () => this.#ended.resolve();
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#ended.reject(new Error(`The racer ended: ${event.message}`));
    };
    this.#worker.postMessage({ ...task, control } satisfies RacerTask);
  }

  /** How often it has written. */
  get writes(): number {
    return Atomics.load(this.#control, RacerControl.WRITES) >>> 0;
  }

  /**
   * Waits until it has written more.
   *
   * @param count how often
   */
  async progress(count: number): Promise<void> {
    const target = this.writes + count;
    const deadline = performance.now() + 10_000;
    while (this.writes < target) {
      if (performance.now() > deadline) throw new Error("The racer is slow");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    Atomics.store(this.#control, RacerControl.STOP, 1);
    await this.#ended.promise;
    this.#worker.terminate();
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K>
  : never;
