/**
 * A guest's second processor: it flips bits of what the device is reading, and
 * flips them back, until it is told to stop; meanwhile it looks for plaintext
 * where none may be.
 *
 * @module
 */

/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />

/** Words to flip. */
export interface Target {
  /** Byte offset of the first one, a multiple of 4. */
  readonly at: number;
  /** How many. */
  readonly words: number;
  /** Words from one to the next; 1 when left out. */
  readonly stride?: number;
  /** What a flip changes: one of these. Any one bit when left out. */
  readonly masks?: readonly number[];
}

/** What a racer is given. */
export interface Race {
  readonly memory: SharedArrayBuffer;
  /** Where the guest's memory starts in it. */
  readonly offset: number;
  readonly bytes: number;
  readonly targets: readonly Target[];
  /** Byte offsets of the words that a result begins with. */
  readonly watched: readonly number[];
  /** A word that must not appear there, not even for a moment. */
  readonly forbidden: number;
  /** See {@linkcode RaceControl}. */
  readonly control: Int32Array<SharedArrayBuffer>;
  readonly seed: number;
}

/** Words that a racer and its test share. */
export const RaceControl = {
  /** 1 while it runs. */
  GOING: 0,
  /** How often the forbidden word was seen. */
  SEEN: 1,
  /** Flips so far. */
  FLIPS: 2,
  WORDS: 3,
} as const;

const MASKS = Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0);

/** How often the watched words are looked at while a flip lasts. */
const LOOKS = 4;

function race(given: Race): void {
  const { control, targets, watched, forbidden } = given;
  const memory = new Uint32Array(given.memory, given.offset, given.bytes / 4);
  let state = given.seed | 1;
  const random = (limit: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
  const places = Uint32Array.from(watched, (at) => at / 4);
  while (Atomics.load(control, RaceControl.GOING) === 1) {
    const { at, words, stride = 1, masks = MASKS } = targets[
      random(targets.length)
    ]!;
    const place = at / 4 + stride * random(words);
    const before = Atomics.load(memory, place);
    Atomics.store(memory, place, before ^ masks[random(masks.length)]!);
    for (let i = 0; i < LOOKS * places.length; i++) {
      if (memory[places[i % places.length]!] === forbidden) {
        Atomics.add(control, RaceControl.SEEN, 1);
      }
    }
    Atomics.store(memory, place, before);
    Atomics.add(control, RaceControl.FLIPS, 1);
  }
}

if (typeof self.postMessage === "function" && self.name === "racer") {
  self.onmessage = (event: MessageEvent<Race | "end">): void => {
    if (event.data === "end") {
      self.close();
      return;
    }
    race(event.data);
    self.postMessage("stopped");
  };
}
