/**
 * An engine that does everything wrong that an engine can do, by the first byte
 * of the source.
 *
 * @module
 */

import { defineEngine, type PreparedOperation } from "../../../engine.ts";

/** What went wrong, as the engine was told. */
export const errors: unknown[] = [];

/** First bytes of a source, and what becomes of it. */
export const FAULTS = {
  NONE: 0,
  SHORT: 1,
  LONG: 2,
  THROWS: 3,
  PROMISES: 4,
  NOTHING: 5,
} as const;

const operation: PreparedOperation = {
  run({ source, tag }) {
    switch (source[0]) {
      case FAULTS.SHORT:
        return source.subarray(1);
      case FAULTS.LONG:
        return new Uint8Array(source.length + 1);
      case FAULTS.THROWS:
        throw new Error("Cannot go on");
      case FAULTS.PROMISES:
        return Promise.resolve(source) as unknown as Uint8Array;
      case FAULTS.NOTHING:
        return undefined;
      default:
        return tag.length > 0 ? source : source.fill(1);
    }
  },
};

export default defineEngine({
  name: "faulty",
  algorithms: {
    "aes-ctr": { prepare: () => operation },
    "aes-gcm": { prepare: () => operation },
    "aes-cbc": {
      prepare() {
        throw new Error("Cannot prepare");
      },
    },
  },
  onError: (error) => errors.push(error),
});

/** Not an engine. */
export const nothing = { name: "nothing" };

/** An engine with a name that is taken. */
export const auto = { name: "auto", open: () => {} };

/** An engine that cannot be made. */
export const closed = {
  name: "closed",
  open(): never {
    throw new Error("Not today");
  },
};
