/**
 * A guest's second processor: a worker that changes one word of memory again
 * and again while the device works.
 *
 * @module
 */

/** Words by which both sides talk. */
export const Flips = {
  /** A value of {@linkcode FlipState}. */
  STATE: 0,
  /** Which word, and its two values. */
  WORD: 1,
  ONE: 2,
  OTHER: 3,
  WORDS: 4,
} as const;

/** What the worker is asked to do, and does. */
export const FlipState = {
  RESTING: 0,
  /** It is asked to begin, and has not seen that. */
  ASKED: 1,
  GOING: 2,
  /** It is asked to rest, and has not seen that. */
  STOPPING: 3,
  ENDING: 4,
} as const;

/** What the worker is told when it starts. */
export interface FlipperStart {
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly memory: Int32Array<SharedArrayBuffer>;
}

/** How long the worker may take to begin, in milliseconds. */
const BEGIN_MS = 5;

let worker: Worker | undefined;
const control = new Int32Array(new SharedArrayBuffer(4 * Flips.WORDS));

/**
 * Changes a word while something runs. The worker is started by the first call.
 *
 * @param memory the memory, the same in all calls
 * @param word number of the word
 * @param values what it is now, and what it is changed to
 * @param run what runs meanwhile
 * @returns false where the worker was not there in time, and nothing ran
 */
export function whileFlipping(
  memory: Int32Array<SharedArrayBuffer>,
  word: number,
  [one, other]: readonly [number, number],
  run: () => void,
): boolean {
  if (worker === undefined) {
    control[Flips.STATE] = FlipState.RESTING;
    worker = new Worker(new URL("./flipper_worker.ts", import.meta.url), {
      type: "module",
    });
    worker.postMessage({ control, memory } satisfies FlipperStart);
  }
  control[Flips.WORD] = word;
  control[Flips.ONE] = one;
  control[Flips.OTHER] = other;
  Atomics.store(control, Flips.STATE, FlipState.ASKED);
  Atomics.notify(control, Flips.STATE);
  try {
    const until = performance.now() + BEGIN_MS;
    while (Atomics.load(control, Flips.STATE) === FlipState.ASKED) {
      if (performance.now() > until) return false;
    }
    run();
    return true;
  } finally {
    rest();
    memory[word] = one;
  }
}

/** Makes the worker rest, and waits until it does. */
function rest(): void {
  const { STATE } = Flips;
  const { ASKED, RESTING, GOING, STOPPING } = FlipState;
  // One that has not begun does not begin any more.
  if (Atomics.compareExchange(control, STATE, ASKED, RESTING) === ASKED) return;
  Atomics.compareExchange(control, STATE, GOING, STOPPING);
  while (Atomics.load(control, STATE) === STOPPING);
}

/** Ends the worker, if there is one. */
export function endFlipper(): void {
  if (worker === undefined) return;
  // Nobody who waits is reached by anything else.
  Atomics.store(control, Flips.STATE, FlipState.ENDING);
  Atomics.notify(control, Flips.STATE);
  worker.terminate();
  worker = undefined;
}
