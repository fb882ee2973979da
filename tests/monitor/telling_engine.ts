/**
 * An engine that says on stderr that it is opened.
 *
 * @module
 */

import { defineEngine } from "../../engine.ts";

const definition = defineEngine({
  name: "telling",
  algorithms: {
    "aes-ctr": { prepare: () => ({ run: ({ source }) => source }) },
  },
});

export default {
  name: definition.name,
  open() {
    console.error("The engine is opened");
    return definition.open();
  },
};
